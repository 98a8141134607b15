"""What people did, one row per event: who, when, which of the report's events it is, and a value to divide by.

One pass over each base, whichever events of it are asked for. Rows are ordered by their moment: the time and, of equal
times, the event's id, so that every answer is the same each time and on every store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from snowgauge.analytics.conditions import Filter
from snowgauge.analytics.reports.moments import Plain, Whole
from snowgauge.analytics.sql.bases import EVENTS, Base
from snowgauge.analytics.sql.expressions import EpochMs
from snowgauge.analytics.sql.filters import Filters, holds
from snowgauge.analytics.sql.rows import Columns, Selected, Span, rows
from snowgauge.store.figures import Figures

TECHNICAL = (
    "page_ping", "screen_end", "application_background", "application_foreground", "web_vitals", "cmp_visible",
    "application_error",
)  # fmt: skip
"""Stored events that nobody does: they count only where they are asked for by their name."""

_EVENT_IDS: dict[str, str] = {"views": "event_id", "conversions": "event_id", "events": "event_id"}
Made = Callable[[Base, Columns], sa.ColumnElement[Any]]


@dataclass(frozen=True)
class Taken:
    """Events of one base that meet ``filters``, each marked with the numbers of what they are.

    ``any_of``: events without a name, of which technical ones are none. ``spans``: the time (ms) of each, where it
    differs from that of the stream. ``values``: further columns.
    """

    base: Base
    filters: tuple[Filter, ...]
    number: int
    span: tuple[int, int]
    named: bool = True


@dataclass(frozen=True)
class Stream:
    """``unit``: whose events belong together; with ``event`` each is for itself.

    ``common``: filters that every event has to meet. ``value`` and ``by``: columns of these names, texts made of a
    base's own. ``links``: leave out people who are known for one day at a time."""

    unit: Literal["person", "visit", "event"]
    taken: tuple[Taken, ...]
    span: Span
    common: tuple[Filter, ...] = ()
    value: Made | None = None
    by: Made | None = None
    links: bool = False
    apart: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        return sorted({one.number for one in self.taken})


def select(stream: Stream, figures: Figures) -> sa.Subquery:
    """Columns ``unit``, ``person``, ``ms``, ``id``, ``value``, ``by`` and a flag ``is_<number>`` for each number."""
    by_base: dict[str, list[Taken]] = {}
    for one in stream.taken:
        by_base.setdefault(one.base.name, []).append(one)
    parts = [_pass(stream, some, figures) for some in by_base.values()]
    return (parts[0] if len(parts) == 1 else sa.union_all(*parts)).subquery("stream")


def _pass(stream: Stream, some: Sequence[Taken], figures: Figures) -> sa.Select[Any]:
    base = some[0].base
    start, end = min(one.span[0] for one in some), max(one.span[1] for one in some)
    span = Span(start, end, stream.span.apps, stream.span.traffic)
    filters = Filters(base, span, figures)

    def build(columns: Columns) -> Selected:
        person = sa.func.coalesce(columns(*base.person), "")
        visit = sa.func.coalesce(columns(base.home, "session_id"), "")
        unit = {"person": person, "visit": visit, "event": Plain(columns(base.home, _EVENT_IDS[base.name]))}[
            stream.unit
        ]
        ms = Whole(EpochMs(columns(base.home, base.time)))
        met: dict[int, list[sa.ColumnElement[bool]]] = {}
        for one in some:
            holding = [holds(part, base, columns, figures) for part in one.filters]
            met.setdefault(one.number, []).append(_is(one, columns, ms, (start, end), holding))
        flags = [sa.or_(*met[number]) if number in met else sa.false() for number in stream.numbers]
        named = [Whole(sa.case((flag, 1), else_=0)).label(f"is_{number}")
                 for number, flag in zip(stream.numbers, flags, strict=True)]  # fmt: skip
        value, by = (sa.literal_column("''") if made is None else made(base, columns)
                     for made in (stream.value, stream.by))  # fmt: skip
        where = [unit != "", sa.or_(*flags), filters.met(stream.common, columns)]
        if stream.links:
            where.append(sa.not_(visit.like("c:%")))
        return Selected(
            [unit.label("unit"), person.label("person"), ms.label("ms"),
             Plain(columns(base.home, _EVENT_IDS[base.name])).label("id"), Plain(value).label("value"),
             Plain(by).label("by"), *named],
            sa.and_(*where),
        )  # fmt: skip

    found = rows(base, span, figures, build)
    stream.apart.extend(filters.apart)
    return found


def _is(
    one: Taken,
    columns: Columns,
    ms: sa.ColumnElement[int],
    whole: tuple[int, int],
    holding: Sequence[sa.ColumnElement[bool]],
) -> sa.ColumnElement[bool]:
    met = list(holding)
    if one.base is EVENTS and not one.named:
        met.append(columns("events", "event_name").not_in(TECHNICAL))
    if one.span[0] != whole[0]:
        met.append(ms >= one.span[0])
    if one.span[1] != whole[1]:
        met.append(ms < one.span[1])
    return sa.and_(sa.true(), *met)
