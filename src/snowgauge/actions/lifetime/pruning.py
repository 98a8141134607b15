"""Taking one person out of a request that carries several persons' events.

A tracker on a server sends many visitors' events in one request. Its body is a JSON array, of which the person's items
go and the others stay byte for byte. What concerns the whole request (address, cookies, query string) concerns all of
its items. A body of any other form is one thing: all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from snowgauge.actions.lifetime.marks import Finder, Mark, Marks, any_json
from snowgauge.errors import PayloadRecordError
from snowgauge.events.failed import FailedEvent
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode, encode

Test = Callable[[Iterable[Mark]], bool]
"""Is any of these marks the person's?"""


class _Body(msgspec.Struct):
    schema: msgspec.Raw
    data: list[msgspec.Raw]


def pruned_record(record: bytes, marks: Marks, mine: Test, *, keep_places: bool = False) -> bytes | None:
    """The record without the person's events; the same object when there are none, ``None`` when nothing is left.

    Its length stays: blanks stand where events were. With ``keep_places`` an empty object stands in the place of each
    instead, so that the places of the others stay.
    """
    try:
        payload = decode(record)
    except PayloadRecordError:
        return None if mine(marks.of(record)) else record
    body = _items(payload)
    if body is None:
        return None if mine(marks.of(payload)) else record
    if mine(marks.frame(payload)):
        return None
    kept = [item for item in body.data if not mine(marks.of(any_json(bytes(item))))]
    if len(kept) == len(body.data):
        # an odd property beside the array
        return None if mine(marks.of({**any_json(payload.body or "{}"), "data": None})) else record
    if not kept:
        return None
    items = [b"{}" if keep_places and mine(marks.of(any_json(bytes(item)))) else bytes(item) for item in body.data]
    if not keep_places:
        items = [bytes(item) for item in kept]
    text = b'{"schema":%b,"data":[%b]}' % (bytes(body.schema), b",".join(items))
    new = encode(msgspec.structs.replace(payload, body=text.decode()))
    missing = len(record) - len(new)
    if missing > 0:
        new = encode(msgspec.structs.replace(payload, body=text.decode() + " " * missing))
    return new if len(new) == len(record) or keep_places else None


def pruned_failed(failed: FailedEvent, marks: Marks, mine: Test) -> FailedEvent | None:
    """A failed event without the person's data in its request; ``None`` when it is the person's own."""
    if mine(marks.of(failed)):
        return None
    if failed.record is None or failed.event_index is None:
        return failed
    new = pruned_record(failed.record, marks, mine, keep_places=True)
    return failed if new is failed.record else msgspec.structs.replace(failed, record=new)


def own_part(item: Any, finder: Finder) -> Any:
    """What of an item may be shown to the person: of a request with several persons' events, only the own ones."""
    if isinstance(item, LogEntry) and item.kind == "payload":
        return msgspec.structs.replace(item, body=_own_record(item.body, finder))
    if isinstance(item, FailedEvent) and item.record is not None:
        return msgspec.structs.replace(item, record=_own_record(item.record, finder))
    return item


def _own_record(record: bytes, finder: Finder) -> bytes:
    try:
        payload = decode(record)
    except PayloadRecordError:
        return record
    body = _items(payload)
    if body is None or finder.by_any(finder.marks.frame(payload)):
        return record
    own = [bytes(item) for item in body.data if finder.by_any(finder.marks.of(any_json(bytes(item))))]
    text = b'{"schema":%b,"data":[%b]}' % (bytes(body.schema), b",".join(own))
    return encode(msgspec.structs.replace(payload, body=text.decode()))


def _items(payload: CollectorPayload) -> _Body | None:
    if not payload.body:
        return None
    try:
        return msgspec.json.decode(payload.body, type=_Body)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
