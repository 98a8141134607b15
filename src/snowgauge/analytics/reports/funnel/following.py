"""What people, or visits, do after they reached a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.dimensions import dimension
from snowgauge.analytics.reports.answers import Reporter
from snowgauge.analytics.reports.funnel.question import Funnel
from snowgauge.analytics.reports.moments import FirstText, Whole
from snowgauge.analytics.reports.streams import Stream, Taken, select
from snowgauge.analytics.reports.values import value_of
from snowgauge.analytics.sql.bases import EVENTS, VIEWS, Base
from snowgauge.analytics.sql.rows import Columns, Span

_SEEN = ("page_view", "screen_view")
_WITHIN = 30 * 86_400_000
"""How long after the step something counts as what came next, in ms."""


def following(funnel: Funnel, reached: Mapping[str, int], reporter: Reporter) -> dict[str, str]:
    """Of people or visits and the times (ms) at which they reached a step: the page that they saw next, or the name
    of the event that came next, technical ones left out. Who did nothing in 30 days is not there."""
    if not reached:
        return {}
    span = (min(reached.values()) + 1, max(reached.values()) + _WITHIN)
    own = funnel.question.span
    taken = (Taken(VIEWS, (), 1, span), Taken(EVENTS, (), 1, span, named=False))
    stream = Stream(funnel.unit, taken, Span(*span, own.apps, own.traffic), (), _what)
    c = select(stream, reporter.figures).c
    since = sa.case(
        *((c["unit"] == sa.bindparam(None, unit, sa.String()), sa.literal_column(str(int(ms))))
          for unit, ms in reached.items()),
        else_=sa.literal_column(str(span[1])),
    )  # fmt: skip
    later = Whole(sa.case((sa.and_(c["ms"] > since, c["value"] != ""), 1), else_=0))
    what = FirstText(c["value"], c["ms"], c["id"], later)
    found = reporter.run(
        sa.select(c["unit"], what.label("what"))
        .where(c["unit"].in_([sa.bindparam(None, unit, sa.String()) for unit in reached]))
        .group_by(c["unit"])
        .having(sa.func.max(later) == 1)
    )
    return {str(unit): str(name) for unit, name in found}


def _what(base: Base, columns: Columns) -> sa.ColumnElement[Any]:
    if base is VIEWS:
        return value_of(dimension("event:page", ""))(base, columns)
    name, category, action = (
        value_of(dimension(f"event:{each}", ""))(base, columns) for each in ("name", "category", "action")
    )
    # views are told by their pages; and what a structured event is called says nothing
    return sa.case((name.in_(_SEEN), ""), (name == "event", category + ": " + action), else_=name)
