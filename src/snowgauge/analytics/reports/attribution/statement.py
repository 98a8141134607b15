"""Attribution as statements: conversions, the touches that led to them, and the weight of each touch in every model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.reports.attribution.question import Attribution, Model
from snowgauge.analytics.reports.moments import Decimal, Plain, Whole
from snowgauge.analytics.reports.streams import Stream, Taken, select
from snowgauge.analytics.sql.bases import VIEWS, Base
from snowgauge.analytics.sql.expressions import EpochMs, Number, Total
from snowgauge.analytics.sql.rows import Columns, Selected, Span, rows
from snowgauge.modelling.channels.attribution import DIRECT
from snowgauge.store.figures import Figures


def conversions(asked: Attribution, figures: Figures, currency: str | None) -> tuple[sa.Subquery, Stream]:
    """Columns ``id``, ``goal``, ``person``, ``ms`` and ``value``: the amount in ``currency`` (NULL of others); with
    ``None`` the currency itself."""
    period = asked.question.period

    def value(_: Base, columns: Columns) -> sa.ColumnElement[Any]:
        code = sa.func.coalesce(columns("conversions", "currency"), "")
        if currency is None:
            return code
        amount = columns("conversions", "value")
        return sa.case((code == sa.bindparam(None, currency, sa.String()), Plain(amount)), else_="")

    def goal(_: Base, columns: Columns) -> sa.ColumnElement[Any]:
        return columns("conversions", "goal")

    taken = Taken(asked.goal.base, asked.goal.filters, 1, (period.start, period.end), bool(asked.goal.name))
    stream = Stream("event", (taken,), asked.question.span, asked.question.filters, value, goal)
    c = select(stream, figures).c
    return (
        sa.select(c["id"], c["by"].label("goal"), c["person"], c["ms"], c["value"]).subquery("conversions"),
        stream,
    )


def credited(asked: Attribution, figures: Figures, found: sa.Subquery) -> sa.Select[Any]:
    """A row for each value of the touches: ``value``, then conversions and revenue of each model in turn."""
    weighted = _weighted(asked, figures, found)
    figures_of = [
        column
        for model in _WEIGHTS
        for column in (
            sa.func.sum(weighted.c[model]).label(f"{model}_n"),
            Total(weighted.c[model] * weighted.c["amount"]).label(f"{model}_sum"),
        )
    ]
    return sa.select(weighted.c["value"], *figures_of).group_by(weighted.c["value"])


def _touches(asked: Attribution, figures: Figures) -> sa.Subquery:
    """Columns ``person``, ``value``, ``ms``, ``id`` and ``direct`` (1 or 0). Of one visit, each value is one touch: its
    first."""
    period, own = asked.question.period, asked.question.span
    span = Span(period.start - asked.lookback, period.end, own.apps, own.traffic)

    def build(columns: Columns) -> Selected:
        def text(name: str) -> sa.ColumnElement[Any]:
            return sa.func.coalesce(columns("page_views", name), "")

        person = text("person_id")
        # the same as derived.touches: what opens a visit, or carries a campaign and comes from elsewhere
        opens = sa.or_(
            columns("page_views", "is_entry"),
            sa.and_(text("mkt_medium") != "", text("refr_medium") != "internal"),
        )
        return Selected(
            [person.label("person"), text("session_id").label("visit"), Plain(text(asked.column)).label("value"),
             Whole(EpochMs(columns("page_views", "start_tstamp"))).label("ms"),
             Plain(columns("page_views", "view_id")).label("id"),
             sa.case((text("channel") == DIRECT, 1), else_=0).label("direct")],
            sa.and_(person != "", opens),
        )  # fmt: skip

    seen = rows(VIEWS, span, figures, build).subquery("seen")
    place = sa.func.row_number().over(
        partition_by=[seen.c["person"], seen.c["visit"], seen.c["value"]], order_by=[seen.c["ms"], seen.c["id"]]
    )
    placed = sa.select(seen, place.label("place")).subquery("placed")
    return sa.select(placed).where(placed.c["place"] == 1).subquery("touches")


def _weighted(asked: Attribution, figures: Figures, found: sa.Subquery) -> sa.Subquery:
    touches = _touches(asked, figures)
    of = ("conversion", "goal")
    paths: sa.Select[Any] = (
        sa.select(
            found.c["id"].label("conversion"), found.c["goal"], found.c["ms"].label("at"),
            found.c["value"].label("worth"),
            touches.c["value"], touches.c["ms"].label("touched"), touches.c["id"].label("touch"), touches.c["direct"],
        )
        .select_from(found.join(touches, found.c["person"] == touches.c["person"]))
        .where(touches.c["ms"] <= found.c["ms"], touches.c["ms"] >= found.c["ms"] - asked.lookback)
    )  # fmt: skip
    path = paths.subquery("path")
    if asked.direct == "ignore":
        others = sa.func.sum(1 - path.c["direct"]).over(partition_by=[path.c[name] for name in of])
        known = sa.select(path, others.label("others")).subquery("known")
        path = sa.select(known).where(sa.or_(known.c["direct"] == 0, known.c["others"] == 0)).subquery("kept")
    whole = [path.c[name] for name in of]
    age = Number(path.c["at"] - path.c["touched"]) / sa.literal_column(f"{asked.half_life}.0")
    decay: sa.ColumnElement[Any] = sa.func.pow(sa.literal_column("2.0"), -age)
    numbered = sa.select(
        path.c["value"], Decimal(path.c["worth"]).label("worth"), decay.label("decay"),
        Number(sa.func.row_number().over(partition_by=whole, order_by=[path.c["touched"], path.c["touch"]])).label("k"),
        Number(sa.func.count().over(partition_by=whole)).label("n"),
        sa.func.sum(decay).over(partition_by=whole).label("all_decay"),
    ).subquery("numbered")  # fmt: skip
    c = numbered.c
    amount = sa.func.coalesce(c["worth"], sa.literal_column("0.0")).label("amount")
    return sa.select(
        c["value"], amount, *(Number(weight(c)).label(model) for model, weight in _WEIGHTS.items())
    ).subquery("weighted")


def _position(c: Any) -> sa.ColumnElement[Any]:
    at_an_end = sa.or_(c["k"] == 1, c["k"] == c["n"])
    return sa.case(
        (c["n"] == 1, sa.literal_column("1.0")),
        (c["n"] == 2, sa.literal_column("0.5")),
        (at_an_end, sa.literal_column("0.4")),
        # without the floor a store could work out 0.2 / 0 for paths of two before it looks at the cases
        else_=sa.literal_column("0.2") / sa.func.greatest(c["n"] - 2, 1),
    )


_WEIGHTS: Mapping[Model, Any] = {
    "last": lambda c: sa.case((c["k"] == c["n"], 1), else_=0),
    "first": lambda c: sa.case((c["k"] == 1, 1), else_=0),
    "linear": lambda c: sa.literal_column("1.0") / c["n"],
    "position": _position,
    "decay": lambda c: c["decay"] / c["all_decay"],
}
