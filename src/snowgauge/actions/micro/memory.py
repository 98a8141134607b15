"""The lists of Micro mode: everything that came since the last reset, newest first, in this process's memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import orjson

from snowgauge.actions.micro.contract import (
    COMPLEX,
    BadFilter,
    ColumnStats,
    GoodFilter,
    Page,
    PageQuery,
    Summary,
    TimeBucket,
    TimePoint,
    pages,
)
from snowgauge.actions.micro.request_json import bad_event, collector_payload, raw_event
from snowgauge.events import enriched_tsv, payload_record
from snowgauge.events.analytics_json import schema_of, shredded, whole
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.json_text import compact
from snowgauge.events.outcome import Enriched, Failed, Outcome

_SHOWN_VALUES = 20


class _Good:
    """A good or incomplete event; its JSON is made when someone asks for it."""

    def __init__(self, event: EnrichedEvent, parameters: dict[str, str | None], record: bytes, *, valid: bool) -> None:
        self.event = event
        self.valid = valid
        self._parameters = parameters
        self._record = record

    @cached_property
    def columns(self) -> dict[str, Any]:
        return shredded(enriched_tsv.as_json(self.event))

    @cached_property
    def shredded_text(self) -> orjson.Fragment:
        return orjson.Fragment(compact(self.columns))

    @cached_property
    def schemas(self) -> list[str]:
        return [entity.schema.uri for entity in self.event.contexts]

    @cached_property
    def schema(self) -> str | None:
        event = self.event
        return schema_of({name: getattr(event, name) for name in _SCHEMA_COLUMNS})

    @cached_property
    def text(self) -> orjson.Fragment:
        """The element of ``/micro/good``."""
        shown = {
            "rawEvent": raw_event(payload_record.decode(self._record), self._parameters),
            "eventType": self.event.event,
            "schema": self.schema,
            "contexts": self.schemas,
            "event": whole(enriched_tsv.as_json(self.event)),
            "incomplete": not self.valid,
        }
        return orjson.Fragment(compact(shown))


class _Bad:
    """A failure with its bad row, or one request with a bad row for each thing that is wrong with it."""

    def __init__(self, failed: FailedEvent) -> None:
        self.rows = [failed]

    @cached_property
    def api(self) -> tuple[str, str] | None:
        request = collector_payload(self.rows[0].record)
        return None if request is None else (request["api"]["vendor"], request["api"]["version"])

    @cached_property
    def text(self) -> orjson.Fragment:
        """The element of ``/micro/bad``."""
        return orjson.Fragment(compact(bad_event(self.rows[0], [compact(row.bad_row()) for row in self.rows])))


_OF_THE_REQUEST = "collector_payload_format_violation"
"""Every such bad row is about the same request, which is nothing else than failed."""

_SCHEMA_COLUMNS = ("event_vendor", "event_name", "event_format", "event_version")


class MemoryMicroEvents:
    """``MicroEvents`` in memory. Safe for threads. ``most`` bounds each of the two lists; the oldest go first."""

    def __init__(self, most: int | None = None) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._good: list[_Good] = []
        self._bad: list[_Bad] = []

    def add(self, record: bytes, outcomes: Sequence[Outcome]) -> None:
        """What became of one request, in the order of its events. Visible when this returns."""
        good: list[_Good] = []
        bad: list[_Bad] = []
        for outcome in outcomes:
            match outcome:
                case Enriched():
                    good.append(_Good(outcome.event, outcome.parameters, record, valid=True))
                case Failed():
                    if bad and outcome.failure.failure_type == _OF_THE_REQUEST:
                        bad[0].rows.append(outcome.failure)
                    else:
                        bad.append(_Bad(outcome.failure))
                    if outcome.incomplete is not None:
                        good.append(_Good(outcome.incomplete, outcome.parameters, record, valid=False))
        with self._lock:
            self._good += good
            self._bad += bad
            if self._most is not None:
                del self._good[: max(0, len(self._good) - self._most)]
                del self._bad[: max(0, len(self._bad) - self._most)]

    def reset(self) -> bool:
        with self._lock:
            self._good.clear()
            self._bad.clear()
        return True

    def summary(self) -> Summary:
        with self._lock:
            good, bad = sum(entry.valid for entry in self._good), len(self._bad)
        return Summary(good + bad, good, bad)

    def good(self, wanted: GoodFilter) -> list[orjson.Fragment]:
        found = [
            entry
            for entry in self._newest_first()
            if entry.valid
            and wanted.event_type in (None, entry.event.event)
            and wanted.schema in (None, entry.schema)
            and all(uri in entry.schemas for uri in wanted.contexts or ())
        ]
        return [entry.text for entry in _first(found, wanted.limit)]

    def bad(self, wanted: BadFilter) -> list[orjson.Fragment]:
        with self._lock:
            entries = self._bad[::-1]
        found = [
            entry
            for entry in entries
            if (api := entry.api) is None or (wanted.vendor in (None, api[0]) and wanted.version in (None, api[1]))
        ]
        return [entry.text for entry in _first(found, wanted.limit)]

    def everything(self) -> list[orjson.Fragment]:
        return [entry.shredded_text for entry in self._newest_first()]

    def page(self, query: PageQuery) -> Page:
        found = self._newest_first()
        if query.valid_events is not None:
            found = [entry for entry in found if entry.valid is query.valid_events]
        if query.time_range is not None:
            start, end = query.time_range.start, query.time_range.end
            found = [
                entry
                for entry in found
                if (start is None or _time(entry) >= start.ms) and (end is None or _time(entry) < end.ms)
            ]
        for one in query.filters:
            wanted = {value.lower() for value in one.wanted}
            if wanted and not one.column.startswith(COMPLEX):
                found = [
                    entry
                    for entry in found
                    if one.column in entry.columns and _text(entry.columns[one.column]).lower() in wanted
                ]
        if query.sorting is not None and not query.sorting.column.startswith(COMPLEX):
            found = _sorted(found, query.sorting.column, query.sorting.desc)
        size = max(query.page_size, 0)
        start_at = max(query.page - 1, 0) * size
        events = [entry.shredded_text for entry in found[start_at : start_at + size]]
        return Page(events, pages(len(found), query.page_size), len(found))

    def columns(self) -> list[str]:
        return sorted(columns_of(entry.columns for entry in self._newest_first()))

    def column_stats(self, columns: Sequence[str]) -> dict[str, ColumnStats]:
        entries = self._newest_first()
        stats = {}
        for column in columns:
            simple = not column.startswith(COMPLEX)
            filterable = simple and not column.endswith("_tstamp")
            values: dict[str, None] = {}
            if filterable:
                for entry in entries:
                    if column in entry.columns:
                        values[_text(entry.columns[column])] = None
                        if len(values) == _SHOWN_VALUES:
                            break
            stats[column] = ColumnStats(simple, filterable, list(values) if filterable else None)
        return stats

    def timeline(self, buckets: Sequence[TimeBucket]) -> list[TimePoint]:
        times = [(_time(entry), entry.valid) for entry in self._newest_first()]
        points = []
        for bucket in buckets:
            inside = [valid for at, valid in times if bucket.start.ms <= at < bucket.end.ms]
            valid = sum(inside)
            points.append(TimePoint(valid, len(inside) - valid, bucket))
        return points

    def _newest_first(self) -> list[_Good]:
        with self._lock:
            return self._good[::-1]


def columns_of(events: Any) -> set[str]:
    """Every column of shredded events, and the fields one level below the columns of schemas."""
    names: set[str] = set()
    for event in events:
        for name, value in event.items():
            names.add(name)
            if name.startswith(COMPLEX):
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, dict):
                        names.update(f"{name}.{key}" for key in item)
    return names


def _sorted(found: list[_Good], column: str, descending: bool) -> list[_Good]:
    """By text, so 10 comes before 9; events without the column last, or first when descending (Micro 4.5)."""
    has = [entry for entry in found if column in entry.columns]
    lacks = [entry for entry in found if column not in entry.columns]
    key: Callable[[_Good], str] = lambda entry: _text(entry.columns[column])  # noqa: E731
    has.sort(key=key, reverse=descending)
    return [*lacks, *has] if descending else [*has, *lacks]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _time(entry: _Good) -> int:
    return entry.event.collector_tstamp or 0


def _first(found: Sequence[Any], limit: int | None) -> Sequence[Any]:
    return found if limit is None else found[: max(limit, 0)]
