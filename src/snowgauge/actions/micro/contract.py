"""The questions of Micro 4.5's API and the places that answer them.

``MicroEvents`` is answered by the lists of Micro mode (``memory``) and by a deployment's store (``stored``). Answers
are JSON values in the shape of Micro's responses; where the two differ, as Micro's two storages do, the docstring says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from snowgauge.events.timestamps import instant_text, parse_ms


class Instant:
    """Milliseconds since the epoch; made of ISO text by :func:`instant`, and printed as Java prints instants."""

    __slots__ = ("ms",)

    def __init__(self, ms: int) -> None:
        self.ms = ms

    def __str__(self) -> str:
        return instant_text(self.ms)


def instant(text: str) -> Instant:
    """Read ``2025-01-01T00:00:00Z``. Raises ``ValueError`` for text that names no zone or no time."""
    if "T" not in text.upper() or not (text[-1:] in "zZ" or "+" in text[-6:] or "-" in text[-6:]):
        raise ValueError(f"not an instant: {text[:40]!r}")
    return Instant(parse_ms(text.upper()))


class GoodFilter(msgspec.Struct):
    """What ``POST /micro/good`` asks for; everything given has to hold."""

    event_type: str | None = None
    schema: str | None = None
    contexts: list[str] | None = None
    limit: int | None = None


class BadFilter(msgspec.Struct):
    """What ``POST /micro/bad`` asks for. An event without a collector payload passes vendor and version."""

    vendor: str | None = None
    version: str | None = None
    limit: int | None = None


class ColumnFilter(msgspec.Struct):
    """``value`` is how suites written before Micro 4.4 ask for one value."""

    column: str
    values: list[str] | None = None
    value: str | None = None

    def __post_init__(self) -> None:
        if self.values is None and self.value is None:
            raise ValueError("values is missing")

    @property
    def wanted(self) -> frozenset[str]:
        """The values to look for; none: anything matches. Empty texts do not count."""
        given = self.values if self.values is not None else [self.value or ""]
        return frozenset(value for value in given if value)


class TimeRange(msgspec.Struct):
    """On ``collector_tstamp``: from ``start`` on, before ``end``."""

    start: Instant | None = None
    end: Instant | None = None


class Sorting(msgspec.Struct):
    column: str
    desc: bool


class PageQuery(msgspec.Struct, rename="camel"):
    """What ``POST /micro/events`` asks for."""

    filters: list[ColumnFilter]
    page: int
    page_size: int
    valid_events: bool | None = None
    time_range: TimeRange | None = None
    sorting: Sorting | None = None


class Page(msgspec.Struct, rename="camel"):
    """``events`` are shredded."""

    events: list[Any]
    total_pages: int
    total_items: int


class TimeBucket(msgspec.Struct):
    start: Instant
    end: Instant


class TimePoint(msgspec.Struct, rename="camel"):
    valid_events: int
    failed_events: int
    bucket: TimeBucket


class Summary(msgspec.Struct):
    """``good`` leaves incomplete events out; ``bad`` counts every failure."""

    total: int
    good: int
    bad: int


class ColumnStats(msgspec.Struct):
    sortable: bool
    filterable: bool
    values: list[str] | None


COMPLEX = ("contexts_", "unstruct_event")
"""What the names of columns begin with that hold objects: such columns are neither filtered nor sorted by."""


def pages(items: int, size: int) -> int:
    return max(1, -(-items // size)) if size > 0 else 1


class MicroEvents(Protocol):
    def summary(self) -> Summary: ...

    def good(self, wanted: GoodFilter) -> Sequence[Any]:
        """Good events, newest first. From a store ``rawEvent`` is null: parameters of good events are not kept."""

    def bad(self, wanted: BadFilter) -> Sequence[Any]:
        """Failures, newest first."""

    def reset(self) -> bool:
        """Forget everything; ``False`` where nothing may be forgotten (a deployment's store)."""

    def everything(self) -> Sequence[Any]:
        """Good and incomplete events, shredded, newest first (``GET /micro/events`` of Micro 3)."""

    def page(self, query: PageQuery) -> Page:
        """Good and incomplete events."""

    def columns(self) -> list[str]: ...

    def column_stats(self, columns: Sequence[str]) -> dict[str, ColumnStats]: ...

    def timeline(self, buckets: Sequence[TimeBucket]) -> list[TimePoint]: ...
