"""Events as lines of ``COPY``'s text format.

An atomic column is never an empty text, so in ``events`` the empty field stands for NULL.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from snowgauge.events.enriched import ATOMIC_FIELD, ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.failed_cause import cause_of
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.store.canonical import CONTEXTS, NO_UUID, UNSTRUCT_EVENT, failed_time, money
from snowgauge.store.postgres.layout import ATOMIC_COLUMNS, FAILED_WRITTEN, RAW_COLUMNS, Layout
from snowgauge.store.postgres.naming import quote
from snowgauge.store.postgres.values import NULL, Misfit, escaped, json_text, pg_time

_EVENT_COLUMNS = (*ATOMIC_COLUMNS, *RAW_COLUMNS)
_take = itemgetter(*(at for at, field in enumerate(ATOMIC_FIELDS) if field.name in ATOMIC_COLUMNS))
_astuple = msgspec.structs.astuple
_TIMES = tuple(at for at, name in enumerate(ATOMIC_COLUMNS) if ATOMIC_FIELD[name].kind == "timestamp")
_MONEY = tuple(
    at for at, name in enumerate(ATOMIC_COLUMNS) if ATOMIC_FIELD[name].kind == "decimal" and name != "se_value"
)
_ID = ATOMIC_COLUMNS.index("event_id")
_TSTAMP = ATOMIC_COLUMNS.index("collector_tstamp")
_CONTEXTS = f'{{"schema":"{CONTEXTS}","data":['
_UNSTRUCT = f'{{"schema":"{UNSTRUCT_EVENT}","data":'
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class EventRow(NamedTuple):
    """One event's line for ``copy_events``, and its key."""

    line: str
    id: str
    tstamp: str

    @property
    def link(self) -> str:
        """What its entities carry to be joined with it: the very same values."""
        return f"{self.id}\t{self.tstamp}"


def copy_events(table: str) -> str:
    return f"COPY {table} ({', '.join(map(quote, _EVENT_COLUMNS))}) FROM STDIN (FORMAT text, NULL '')"


def event_columns() -> str:
    return ", ".join(map(quote, _EVENT_COLUMNS))


def copy_failed(layout: Layout, table: str = "") -> str:
    return f"COPY {table or layout.name('failed_events')} ({', '.join(map(quote, FAILED_WRITTEN))}) FROM STDIN"


def event_row(event: EnrichedEvent) -> EventRow:
    """Raises ``Misfit`` for an id or an instant that the table cannot hold."""
    values = list(_take(_astuple(event)))
    for at in _TIMES:
        if values[at] is not None:
            values[at] = pg_time(values[at])
    for at in _MONEY:
        if values[at] is not None:
            values[at] = money(values[at])
    event_id = values[_ID] or NO_UUID
    if not _UUID.fullmatch(event_id):
        try:
            event_id = str(UUID(event_id))
        except ValueError:
            raise Misfit(f"event_id: {event_id[:100]!r} is not a UUID") from None
    values[_ID] = event_id
    tstamp = values[_TSTAMP] = values[_TSTAMP] or pg_time(0)
    values += _raw(event)
    return EventRow(_line(values), event_id, tstamp)


def _raw(event: EnrichedEvent) -> tuple[str, str, str]:
    own = event.unstruct_event
    try:
        return _contexts(event.contexts), _unstruct(own), _contexts(event.derived_contexts)
    except UnicodeEncodeError:  # lone surrogates, in data that an enrichment made or changed
        lists = [[_valid(one) for one in entities] for entities in (event.contexts, event.derived_contexts)]
        return _contexts(lists[0]), _unstruct(own and _valid(own)), _contexts(lists[1])


def _contexts(entities: list[SelfDescribing]) -> str:
    return f"{_CONTEXTS}{','.join([_item(entity) for entity in entities])}]}}" if entities else ""


def _unstruct(event: SelfDescribing | None) -> str:
    return "" if event is None else f"{_UNSTRUCT}{_item(event)}}}"


def _item(item: SelfDescribing) -> str:
    return f"{_head(item.schema)}{item.literal}}}" if item.literal is not None else item.json_text()


@lru_cache(maxsize=10_000)
def _head(key: SchemaKey) -> str:
    return f'{{"schema":"{key.uri}","data":'


def _valid(item: SelfDescribing) -> SelfDescribing:
    return SelfDescribing(item.schema, item.data, item.literal or json_text(item.data))


def event_lines(rows: Iterable[EventRow]) -> bytes:
    return "".join([row.line for row in rows]).encode("utf-8", "replace")


def _line(values: list[Any]) -> str:
    """One line of ``events``. Its fields are joined by U+0000, which no field may hold, so that all of them are
    escaped in one go."""
    texts = ["" if value is None else value if value.__class__ is str else _text(value) for value in values]
    line = "\x00".join(texts)
    if line.count("\x00") >= len(texts):
        line = "\x00".join([text.replace("\x00", "") for text in texts])
    if "\\" in line:
        line = line.replace("\\", "\\\\")
    if "\t" in line:
        line = line.replace("\t", "\\t")
    if "\n" in line:
        line = line.replace("\n", "\\n")
    if "\r" in line:
        line = line.replace("\r", "\\r")
    return line.replace("\x00", "\t") + "\n"


def _text(value: Any) -> str:
    return repr(value) if value.__class__ is not bool else "t" if value else "f"


def entity_lines(lines: Iterable[str]) -> bytes:
    return _bytes("".join([f"{line}\n" for line in lines]))


def failed_line(failed: FailedEvent) -> str:
    try:
        bad_row = failed.bad_row_json().decode()
    except (UnicodeEncodeError, OverflowError):
        bad_row = json_text(failed.bad_row())
    values = {
        "id": failed.id,
        "failure_type": failed.failure_type,
        "failed_at": _time(failed.failed_at),
        "tstamp": _time(failed_time(failed)),
        "app_id": failed.app_id,
        "platform": failed.platform,
        "event_id": failed.event_id or None,
        "event_name": failed.event_name,
        "tracker": failed.tracker,
        "collector_tstamp": None if failed.collector_tstamp is None else _time(failed.collector_tstamp),
        "schema": failed.schema,
        "message": failed.message,
        "record": None if failed.record is None else base64.b64encode(failed.record).decode(),
        "event_index": failed.event_index,
        "bad_row": bad_row,
        "seed": failed.seed,
        "cause": cause_of(failed),
    }
    return "\t".join([NULL if value is None or value == "" else escaped(str(value)) for value in values.values()])


def failed_link(failed: FailedEvent) -> str:
    return f"{failed.id}\t{_time(failed_time(failed))}"


def _time(ms: int) -> str:
    try:
        return pg_time(ms)
    except Misfit:
        return pg_time(0)


def _bytes(text: str) -> bytes:
    # U+0000 has no place in PostgreSQL, lone surrogates have no form in UTF-8
    return (text.replace("\x00", "") if "\x00" in text else text).encode("utf-8", "replace")
