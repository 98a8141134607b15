"""What became of every request of `soak --everything`: the rows of the store, the files that were taken or damaged, and
what the deployment itself says it lost, held against what was acknowledged.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from benchmarks._clients import AGENT, EITHER, Attacked, Sent, event_id
from benchmarks._disturbances import Hands
from benchmarks._stores import Embedded, Postgres
from benchmarks.soak import BAD_OF, say
from snowgauge.delivery.spool.loss import losses
from snowgauge.delivery.spool.salvage import salvage

_EVENT = re.compile(rb"[0-9a-f]{8}-0000-4000-8000-[0-9a-f]{12}")
_ATTACK = re.compile(AGENT.encode() + rb"(\d+)")
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4}){10,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


class Sums(msgspec.Struct):
    """Requests and events at the end. ``unread``: requests that the deployment says it could not read; ``between``
    says how many of those that are not stored these must be; ``wrong`` is what must not be."""

    acknowledged: int
    requests: int
    good: int
    failed: int
    recovered: int
    hostile: int
    hostile_refused: int
    unread: int
    deleted: int
    between: tuple[int, int]
    again: int
    copies: int
    wrong: dict[str, int]


def stored(store: Embedded | Postgres) -> tuple[Counter[str], Counter[str], set[str], set[int]]:
    """Copies by event id of good and open failed rows, the recovered ones, and the attacks that are there."""
    good: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    recovered: set[str] = set()
    attacks: set[int] = set()
    for found, agent in store.rows("SELECT event_id, useragent FROM atomic.events {final}"):
        if (agent or "").startswith(AGENT):
            attacks.add(int(agent[len(AGENT) :]))
        else:
            good[str(found)] += 1
    for found, status, record, bad_row in store.rows(
        "SELECT event_id, status, record, bad_row FROM atomic.failed_events {final} {small}"
    ):
        numbers = _ATTACK.findall(base64.b64decode(record or "")) or _ATTACK.findall(bad_row.encode())
        if numbers:
            attacks.update(map(int, numbers))
        elif status == "recovered":
            recovered.add(str(found))
        else:
            failed[str(found)] += 1
    return good, failed, recovered, attacks


def in_deleted(paths: list[Path]) -> tuple[set[str], set[int]]:
    """Event ids and attacks in segments that were taken out of the spool for good."""
    events: set[str] = set()
    attacks: set[int] = set()
    for path in paths:
        for row in salvage(path):
            events.update(found.decode() for found in _EVENT.findall(row[-1]))
            attacks.update(attacks_in(row[-1]))
    return events, attacks


def attacks_in(entry: bytes) -> set[int]:
    """Attacks that an entry of the event log is of. What the collector itself made a bad row of, for its broken text,
    is inside of that in Base64."""
    texts = [entry, *(base64.b64decode(found) for found in _BASE64.findall(entry))]
    return {int(found) for text in texts for found in _ATTACK.findall(text)}


def traces(needle: bytes, kept: Iterable[Path]) -> str:
    """The files in which the bytes stand as they are, not followed by a digit."""
    pattern = re.compile(re.escape(needle) + rb"(?!\d)")
    found = [f"{file.parent.name}/{file.name}" for file in kept if pattern.search(file.read_bytes())]
    return ", ".join(found) or "no file"


def sums(store: Embedded | Postgres, hands: Hands, spool: Path, sent: list[Sent], attacked: Attacked) -> Sums:
    good, failed, recovered, attacks = stored(store)
    gone, attacks_gone = in_deleted(hands.deleted)
    kept = [file for folder in (spool, hands.aside) for file in folder.rglob("*") if file.is_file()]
    wrong: Counter[str] = Counter()
    there = good.keys() | failed.keys() | recovered
    missing = in_gone = attempts = 0
    again = {event_id(one.client, n) for one in sent for n in one.again}
    for one in sent:
        attempts += sum(len(tried.answers) - 1 for tried in one.tried)
        for first in range(0, one.events, one.batch):
            ids = [event_id(one.client, n) for n in range(first, first + one.batch)]
            absent = [each for each in ids if each not in there]
            if absent and all(each in gone for each in absent):
                in_gone += 1
            elif absent:
                missing += 1
                tried = one.tried[first // one.batch]
                places = traces(absent[0].encode(), kept)
                say(f"missing: {', '.join(absent)}, sent at {tried.at - hands.started:.1f} s; traces in {places}")
                wrong["requests of which a part is stored"] += len(absent) != len(ids)
            for n, each in zip(range(first, first + one.batch), ids, strict=True):
                kind = n % BAD_OF
                wrong["good events among the failed"] += kind not in (0, EITHER) and each in failed
                wrong["bad events among the good"] += kind == 0 and each in good
                wrong["events that are good and failed"] += each in good and each in failed and each not in again
    for attack in attacked.acknowledged:
        if attack not in attacks:
            in_gone += attack in attacks_gone
            missing += attack not in attacks_gone
            if attack not in attacks_gone:
                say(f"missing: hostile request {attack}; traces in {traces(f'{AGENT}{attack}'.encode(), kept)}")
    known = {event_id(one.client, n) for one in sent for n in range(one.events)}
    wrong["events that were never sent"] = len(there - known)
    copies = {each: n - 1 for each, n in good.items() if n > 1}
    wrong["second rows of events that were sent once"] = sum(n for each, n in copies.items() if each not in again)
    wrong["second rows of good events"] = sum(copies.values())
    unread = sum(loss.unreadable for loss in losses(spool))
    between = missing, missing + attempts + len(attacked.unanswered)
    wrong["requests missing and not reported"] = max(0, between[0] - unread)
    wrong["requests reported and not missing"] = max(0, unread - between[1])
    return Sums(
        sum(one.events for one in sent), sum(one.events // one.batch for one in sent), len(good), len(failed),
        len(recovered), len(attacked.acknowledged), len(attacked.refused), unread, in_gone, between,
        len(again), sum(n - 1 for n in failed.values()), {what: n for what, n in wrong.items() if n},
    )  # fmt: skip
