"""Takes what waits to its channels: together what came together, again what did not arrive, later what may not disturb.

Which messages go out as one is written down before they go, so that every try sends the same letter with the same id.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from snowgauge.alerts.book import AlertBook
from snowgauge.alerts.channels import Channel
from snowgauge.alerts.delivering.post import Outcome, Post
from snowgauge.alerts.delivering.words import Letter
from snowgauge.alerts.message import Delivery

WAITS_MS = (10_000, 60_000, 600_000, 3_600_000)
"""After the first try, the second, …; then a message has failed."""
TOGETHER_MS = 60_000
_SPACE = uuid.UUID("0b9d8f5e-7a0c-4d0b-8f0a-3c2d1e4f5a6b")


class Handed(msgspec.Struct, frozen=True):
    sent: int = 0
    failed: int = 0
    skipped: int = 0
    again: int = 0


class Postman:
    def __init__(self, book: AlertBook, post: Post, console: str = "") -> None:
        self._book = book
        self._post = post
        self._console = console

    def run(self) -> Handed:
        """Send what is due. Raises ``StoreUnavailable``; what was sent and could not be written down is sent again with
        the same id."""
        now = self._book.now()
        waiting = self._book.waiting()
        if not waiting:
            return Handed()
        channels = {channel.id: channel for channel in self._book.channels()}
        muted = {rule.id for rule in self._book.rules() if rule.muted_until is not None and now < rule.muted_until}
        counts = {"sent": 0, "failed": 0, "skipped": 0, "again": 0}
        for channel_id in dict.fromkeys(one.channel_id for one in waiting):
            due = [one for one in waiting if one.channel_id == channel_id and one.next_at <= now]
            channel = channels.get(channel_id)
            kept, skipped = _sorted_out(due, channel, muted)
            self._book.update(skipped)
            counts["skipped"] += len(skipped)
            if channel is None:
                continue
            for letter in self._letters(kept):
                outcome = self._send(channel, letter, now)
                counts[outcome] += len(letter)
        return Handed(**counts)

    def _letters(self, due: Sequence[Delivery]) -> list[list[Delivery]]:
        """Those that were begun stay as they are; of the others, what was made within a minute is one."""
        begun: dict[str, list[Delivery]] = {}
        for one in due:
            if one.batch:
                begun.setdefault(one.batch, []).append(one)
        fresh: list[list[Delivery]] = []
        for one in (one for one in due if not one.batch):
            # what waited for the end of quiet hours is one list
            near = fresh and (one.created - fresh[-1][0].created <= TOGETHER_MS or (one.quiet and fresh[-1][0].quiet))
            if near and len(fresh[-1]) < 100:
                fresh[-1].append(one)
            else:
                fresh.append([one])
        named = []
        for letter in fresh:
            ids = "\0".join(one.message.id for one in letter)
            batch = str(uuid.uuid5(_SPACE, f"{letter[0].channel_id}\0{ids}"))
            named.append([msgspec.structs.replace(one, batch=batch) for one in letter])
        self._book.update([one for letter in named for one in letter])
        return [*begun.values(), *named]

    def _send(self, channel: Channel, due: Sequence[Delivery], now: int) -> str:
        letter = Letter(due[0].batch, [one.message for one in due], now, self._console)
        outcome = self._post.send(channel, letter)
        tries = due[0].tries + 1
        again = outcome.what == "again" and tries <= len(WAITS_MS)
        changed: list[Delivery] = []
        for one in due:
            new = msgspec.structs.replace(one, tries=tries, answer=outcome.answer)
            if outcome.what == "sent":
                new = msgspec.structs.replace(new, status="sent", sent_at=now)
            elif again:
                wait = max(WAITS_MS[tries - 1], outcome.wait_ms)
                new = msgspec.structs.replace(new, next_at=now + wait)
            else:
                new = msgspec.structs.replace(new, status="failed")
            changed.append(new)
        self._book.update(changed)
        if outcome.what == "off":
            self._switch_off(channel, outcome)
        return "again" if again else "sent" if outcome.what == "sent" else "failed"

    def _switch_off(self, channel: Channel, outcome: Outcome) -> None:
        reason = f"the other side wants no more messages ({outcome.answer[:100]})"
        self._book.put_channel(channel.model_copy(update={"enabled": False, "off_because": reason}), "Snowgauge")


def _sorted_out(
    due: Sequence[Delivery], channel: Channel | None, muted: set[str]
) -> tuple[list[Delivery], list[Delivery]]:
    """What is to be sent, and what is not any more."""
    kept, skipped = [], []
    over = {one.message.thread for one in due if one.quiet and one.message.said == "resolved"}
    began = {one.message.thread for one in due if one.quiet and one.message.said == "firing"}
    for one in due:
        reason = ""
        if channel is None:
            reason = "the channel is gone"
        elif not channel.enabled:
            reason = "the channel is switched off"
        elif one.message.rule_id in muted:
            reason = "the alert is muted"
        elif (
            one.quiet and one.message.thread in over and (one.message.said != "resolved" or one.message.thread in began)
        ):
            reason = "over before quiet hours were"
        if reason:
            skipped.append(msgspec.structs.replace(one, status="skipped", answer=reason))
        else:
            kept.append(one)
    return kept, skipped
