"""Events to one HTTP destination: at least once, and what it refuses as dead letters, event by event.

What an answer means: 2xx, it has them. A destination that cannot be reached, is in trouble (5xx), is asked too often
(429), or does not know us or the address (3xx, 401, 403, 404), gets the same request later, since other events would
fare no better. Any other answer refuses this request; it is halved until the events that are to blame stand alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from snowgauge.delivery.contract import Refusal
from snowgauge.delivery.sinks.http import signing
from snowgauge.delivery.sinks.http.plan import Plan
from snowgauge.delivery.sinks.http.settings import HttpDestination
from snowgauge.delivery.sinks.rows import id_of, json_bytes, refused, rows_of
from snowgauge.errors import SinkUnavailable
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.outgoing import Answer, HttpClient
from snowgauge.store.base import StoreBatch
from snowgauge.store.lifetime import Row

_LATER = frozenset({401, 403, 404, 407, 408, 425, 429})
_SHOWN = 300


class _Item(msgspec.Struct, frozen=True):
    """An event and its JSON."""

    row: Row
    json: bytes


def opened(settings: HttpDestination) -> HttpSink:
    plan = Plan.of(settings)
    http = HttpClient(
        timeout=settings.timeout.total_seconds(),
        max_bytes=1024**2,
        retries=0,
        connections=plan.connections,
        allow_private_hosts=settings.allow_private_hosts,
        private_hosts_cure="set allow_private_hosts for this destination if it is meant to be reached",
    )
    return HttpSink(plan, http, max_bytes=settings.max_bytes, patience=settings.give_up_after.total_seconds())


class HttpSink:
    """``patience``: seconds after which a request that finds nobody is given up. ``clock`` is monotonic."""

    def __init__(
        self,
        plan: Plan,
        http: HttpClient,
        *,
        max_bytes: int,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._http = http
        self._max_bytes = max_bytes
        self._patience = patience
        self._clock = clock
        self._pool = ThreadPoolExecutor(plan.connections) if plan.connections > 1 else None
        self._batch = ""
        self._done: dict[str, list[Refusal]] = {}
        self._failing: dict[str, float] = {}

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        if batch.id != self._batch:  # otherwise it comes again: what was sent of it is known
            self._batch, self._done, self._failing = batch.id, {}, {}
        refusals: list[Refusal] = []
        requests = list(self._requests(batch, refusals))
        troubles = self._send_all(requests)
        if troubles:
            raise max(troubles, key=lambda trouble: trouble.retry_after)
        for items in requests:
            refusals += self._done[_id(items)]
        return refusals

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._http.close()

    def _requests(self, batch: StoreBatch, refusals: list[Refusal]) -> Iterator[list[_Item]]:
        """Events that go together; those that are too large for any request go to ``refusals``."""
        room = self._max_bytes - len(self._body([]))
        request: list[_Item] = []
        size = 0
        for row in rows_of(batch, self._plan.kind):
            if not self._plan.selects(row):
                continue
            item = _Item(row, json_bytes(self._plan.event.fill(row)))
            if len(item.json) > room or (self._plan.events == 1 and len(self._body([item])) > self._max_bytes):
                reason = f"the event is {len(item.json)} bytes as JSON, and max_bytes is {self._max_bytes}"
                refusals.append(self._refusal([item], reason))
                continue
            if request and (len(request) >= self._plan.events or size + len(item.json) + 1 > room):
                yield request
                request, size = [], 0
            request.append(item)
            size += len(item.json) + 1
        if request:
            yield request

    def _send_all(self, requests: Sequence[list[_Item]]) -> list[SinkUnavailable]:
        """All that are not done yet; in order, and none after one that has to wait, where there is one connection."""
        waiting = [items for items in requests if _id(items) not in self._done]
        if self._pool is not None:
            return [trouble for trouble in self._pool.map(self._tried, waiting) if trouble is not None]
        for items in waiting:
            trouble = self._tried(items)
            if trouble is not None:
                return [trouble]
        return []

    def _tried(self, items: list[_Item]) -> SinkUnavailable | None:
        """Send a request, and note that it is done; or what stands against it at present."""
        name = _id(items)
        try:
            self._done[name] = self._send(name, items)
        except SinkUnavailable as trouble:
            since = self._failing.setdefault(name, self._clock())
            if self._clock() - since < self._patience:
                return trouble
            self._done[name] = [self._refusal(items, f"given up after {self._patience:g} s: {trouble}")]
        return None

    def _send(self, name: str, items: list[_Item]) -> list[Refusal]:
        body = self._body(items)
        headers = dict(self._plan.headers)
        if self._plan.key is not None:
            headers |= signing.headers(self._plan.key, name, int(time.time()), body)
        try:
            answer = self._http.ask("POST", self._plan.url, headers=headers, body=body)
        except OSError as error:
            raise SinkUnavailable(self._without_path(str(error))) from None
        if 200 <= answer.status < 300:
            return []
        reason = _reason(answer)
        if answer.status < 400 or answer.status >= 500 or answer.status in _LATER:
            raise SinkUnavailable(reason, retry_after=_retry_after(answer))
        if len(items) == 1:
            return [self._refusal(items, reason)]
        middle = len(items) // 2
        halves = [half for half in (items[:middle], items[middle:]) if _id(half) not in self._done]
        for half in halves:
            trouble = self._tried(half)
            if trouble is not None:
                raise trouble
        return [refusal for half in (items[:middle], items[middle:]) for refusal in self._done[_id(half)]]

    def _body(self, items: Sequence[_Item]) -> bytes:
        row = items[0].row if items else _NOBODY

        def filled(events: Sequence[object]) -> object:
            return self._plan.body.fill(row, {"events": events, "item": events[0] if events else None})

        try:
            return msgspec.json.encode(filled([msgspec.Raw(item.json) for item in items]))
        except (OverflowError, UnicodeEncodeError):  # a body that holds such values of its own
            return json_bytes(filled([json.loads(item.json) for item in items]))

    def _refusal(self, items: Sequence[_Item], reason: str) -> Refusal:
        return refused([item.row for item in items], self._plan.kind, reason)

    def _without_path(self, text: str) -> str:
        """Addresses of incoming webhooks are secrets."""
        path = urlsplit(self._plan.url).path
        return text.replace(path, "/…") if len(path) > 1 else text


_NOBODY = EnrichedEvent()


def _id(items: Sequence[_Item]) -> str:
    """A receiver can know a repetition by it."""
    return id_of(item.row for item in items)


def _reason(answer: Answer) -> str:
    text = " ".join(answer.body[: _SHOWN * 4].decode("utf-8", "replace").split())[:_SHOWN]
    if answer.status in (301, 302, 303, 307, 308):
        text = "a redirect, which is not followed: set url to where it leads"
    return f"answered {answer.status}{': ' if text else ''}{text}"


def _retry_after(answer: Answer) -> float:
    """Seconds, from a number or a date."""
    text = answer.headers.get("retry-after", "")
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
