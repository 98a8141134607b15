"""Events as lines of ``COPY``'s text format.

A line of ``events`` is written by Python's csv module, whose escaping with a backslash is COPY's own: one call for a
whole batch. An atomic column is never an empty text, so the empty field stands for NULL there.
"""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from snowgauge.events.enriched import ATOMIC_FIELD, EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.failed_cause import cause_of
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.store.canonical import NO_UUID, contexts_text, failed_time, money, unstruct_text
from snowgauge.store.postgres.layout import ATOMIC_COLUMNS, FAILED_WRITTEN, RAW_COLUMNS, Layout
from snowgauge.store.postgres.naming import quote
from snowgauge.store.postgres.values import NULL, Misfit, escaped, json_text, pg_time

_EVENT_COLUMNS = (*ATOMIC_COLUMNS, *RAW_COLUMNS)
_take = attrgetter(*ATOMIC_COLUMNS)
_TIMES = tuple(at for at, name in enumerate(ATOMIC_COLUMNS) if ATOMIC_FIELD[name].kind == "timestamp")
_MONEY = tuple(
    at for at, name in enumerate(ATOMIC_COLUMNS) if ATOMIC_FIELD[name].kind == "decimal" and name != "se_value"
)
_ID = ATOMIC_COLUMNS.index("event_id")
_TSTAMP = ATOMIC_COLUMNS.index("collector_tstamp")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class EventRow(NamedTuple):
    """One event's values in the order of ``copy_events``, and its key."""

    values: list[Any]
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
    values = list(_take(event))
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
    return EventRow(values, event_id, tstamp)


def _raw(event: EnrichedEvent) -> tuple[str, str, str]:
    own = event.unstruct_event
    try:
        return contexts_text(event.contexts), unstruct_text(own), contexts_text(event.derived_contexts)
    except UnicodeEncodeError:  # lone surrogates, in data that an enrichment made or changed
        lists = [[_valid(one) for one in entities] for entities in (event.contexts, event.derived_contexts)]
        return contexts_text(lists[0]), unstruct_text(own and _valid(own)), contexts_text(lists[1])


def _valid(item: SelfDescribing) -> SelfDescribing:
    return SelfDescribing(item.schema, item.data, item.literal or json_text(item.data))


def event_lines(rows: Iterable[EventRow]) -> bytes:
    out = io.StringIO()
    # both characters of the line end are escaped inside of values, whatever the version of Python
    writer = csv.writer(
        out, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar="\\", quotechar=None, lineterminator="\r\n"
    )
    writer.writerows([row.values for row in rows])
    return _bytes(out.getvalue())


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
