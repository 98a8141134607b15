"""Micro's questions put to a deployment's store, as Micro's own PostgreSQL storage answers them.

Differences from the lists in memory: nothing can be reset; ``rawEvent`` of good events is null, because a store keeps
no parameters of them; filters are exact and on plain columns only; order is by collector time; answers are bounded.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from typing import Any

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
from snowgauge.actions.micro.memory import columns_of
from snowgauge.actions.micro.request_json import bad_event
from snowgauge.events.analytics_json import schema_of, shredded, whole
from snowgauge.events.enriched import ATOMIC_FIELD
from snowgauge.events.failed import FailedEvent
from snowgauge.events.json_text import compact
from snowgauge.events.timestamps import parse_ms
from snowgauge.store.base import EventKind, Filter, Reader, Selection

MOST = 1000
"""Events that one answer holds at most, and that are looked through for columns."""

_DEEPEST = 10_000
_LARGEST_PAGE = 100
_SHOWN_VALUES = 20
_CHUNK = 200
_SIMPLE = frozenset(
    name for name, field in ATOMIC_FIELD.items() if field.kind not in ("entities", "event", "timestamp")
)
_MOST_STEPS = 20_000
_MOST_COUNTS = 100


class StoredMicroEvents:
    """``MicroEvents`` over a store."""

    def __init__(self, store: Reader) -> None:
        self._store = store

    def reset(self) -> bool:
        return False

    def summary(self) -> Summary:
        good, bad = self._store.count("good", Selection()), self._store.count("failed", Selection())
        return Summary(good + bad, good, bad)

    def good(self, wanted: GoodFilter) -> list[dict[str, Any]]:
        filters = []
        if wanted.event_type is not None:
            filters.append(Filter("event", "in", [wanted.event_type]))
        if wanted.schema is not None:
            parts = wanted.schema.removeprefix("iglu:").split("/")
            if len(parts) != 4 or not wanted.schema.startswith("iglu:"):
                return []
            names = ("event_vendor", "event_name", "event_format", "event_version")
            filters += [Filter(name, "in", [part]) for name, part in zip(names, parts, strict=True)]
        # the store finds the text somewhere in the column, the list of schemas says whether it is an entity's
        filters += [Filter("contexts", "contains", [uri]) for uri in wanted.contexts or ()]
        found: list[dict[str, Any]] = []
        for event in self._newest("good", filters):
            if len(found) >= _most(wanted.limit):
                break
            schemas = [entity["schema"] for entity in (event["contexts"] or {}).get("data", ())]
            if all(uri in schemas for uri in wanted.contexts or ()):
                found.append(
                    {
                        "rawEvent": None,
                        "eventType": event["event"],
                        "schema": schema_of(event),
                        "contexts": schemas,
                        "event": whole(event),
                        "incomplete": False,
                    }
                )
        return found

    def bad(self, wanted: BadFilter) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for row in self._newest("failed", ()):
            if len(found) >= _most(wanted.limit):
                break
            failed = FailedEvent(
                id=row["id"],
                failure_type=row["failure_type"],
                failed_at=parse_ms(row["failed_at"]),
                data=row["data"],
                record=None if row["record"] is None else base64.b64decode(row["record"]),
            )
            shown = bad_event(failed, [compact(row["bad_row"])])
            api = (shown["collectorPayload"] or {}).get("api")
            if api is None or (wanted.vendor in (None, api["vendor"]) and wanted.version in (None, api["version"])):
                found.append(shown)
        return found

    def everything(self) -> list[dict[str, Any]]:
        return self._page_events([], (None, None), None, 0, MOST, newest_first=True)

    def page(self, query: PageQuery) -> Page:
        filters = [
            Filter(one.column, "in", sorted(one.wanted))
            for one in query.filters
            if one.wanted and one.column in _SIMPLE and ATOMIC_FIELD[one.column].kind == "string"
        ]
        times = query.time_range
        since = times.start.ms if times and times.start else None
        until = times.end.ms if times and times.end else None
        sorting = query.sorting
        newest_first = not (sorting and sorting.column == "collector_tstamp" and not sorting.desc)
        size = min(max(query.page_size, 1), _LARGEST_PAGE)
        total = sum(self._store.count(kind, Selection(since, until, filters)) for kind in _kinds(query.valid_events))
        skip = max(query.page - 1, 0) * size
        events = self._page_events(filters, (since, until), query.valid_events, skip, size, newest_first=newest_first)
        return Page(events, pages(total, size), total)

    def _page_events(
        self,
        filters: Sequence[Filter],
        times: tuple[int | None, int | None],
        valid: bool | None,
        skip: int,
        size: int,
        *,
        newest_first: bool,
    ) -> list[dict[str, Any]]:
        selection = Selection(*times, filters)
        kinds = _kinds(valid)
        if len(kinds) == 1:
            rows = self._store.events(kinds[0], selection, limit=size, offset=skip, newest_first=newest_first)
            return [shredded(row) for row in rows]
        if skip + size > _DEEPEST:
            return []
        rows = [
            row
            for kind in kinds
            for row in self._store.events(kind, selection, limit=skip + size, newest_first=newest_first)
        ]
        rows.sort(key=lambda row: row["collector_tstamp"] or "", reverse=newest_first)
        return [shredded(row) for row in rows[skip : skip + size]]

    def columns(self) -> list[str]:
        return sorted(columns_of(self.everything()))

    def column_stats(self, columns: Sequence[str]) -> dict[str, ColumnStats]:
        stats = {}
        for column in columns:
            known = ATOMIC_FIELD.get(column)
            filterable = known is not None and known.kind == "string" and not column.startswith(COMPLEX)
            values = None
            if filterable:
                buckets = self._store.count_by("good", column, Selection(), limit=_SHOWN_VALUES + 1)
                values = [str(bucket.key) for bucket in buckets if bucket.key is not None][:_SHOWN_VALUES]
            stats[column] = ColumnStats(column == "collector_tstamp", filterable, values)
        return stats

    def timeline(self, buckets: Sequence[TimeBucket]) -> list[TimePoint]:
        """One question per kind where the buckets lie on a common grid, as charts' do."""
        if not buckets:
            return []
        bounds = [instant.ms for bucket in buckets for instant in (bucket.start, bucket.end)]
        step, span = math.gcd(*bounds), max(bounds) - min(bounds)
        counts: list[list[int]] = []
        for kind in _kinds(None):
            if step >= 1000 and step % 1000 == 0 and 0 < span // step <= _MOST_STEPS:
                found = self._store.timeline(kind, Selection(min(bounds), max(bounds)), seconds=step // 1000)
                counts.append(
                    [
                        sum(one.count for one in found if bucket.start.ms <= one.key < bucket.end.ms)
                        for bucket in buckets
                    ]
                )
            else:
                counts.append(
                    [
                        self._store.count(kind, Selection(bucket.start.ms, bucket.end.ms))
                        for bucket in buckets[:_MOST_COUNTS]
                    ]
                )
        valid, failed = counts
        return [TimePoint(good, bad, bucket) for good, bad, bucket in zip(valid, failed, buckets, strict=False)]

    def _newest(self, kind: EventKind, filters: Sequence[Filter]) -> Iterator[dict[str, Any]]:
        for offset in range(0, MOST, _CHUNK):
            rows = self._store.events(kind, Selection(filters=filters), limit=_CHUNK, offset=offset)
            yield from rows
            if len(rows) < _CHUNK:
                return


def _kinds(valid: bool | None) -> tuple[EventKind, ...]:
    return ("good", "incomplete") if valid is None else ("good",) if valid else ("incomplete",)


def _most(limit: int | None) -> int:
    return MOST if limit is None else min(max(limit, 0), MOST)
