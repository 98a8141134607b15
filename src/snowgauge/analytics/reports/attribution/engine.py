"""Answers attribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.reports.answers import Reporter
from snowgauge.analytics.reports.attribution.answer import AttributionAnswer, AttributionRow, Credit
from snowgauge.analytics.reports.attribution.question import DAY, MODELS, SPENT_BY, Attribution
from snowgauge.analytics.reports.attribution.statement import conversions, credited
from snowgauge.analytics.reports.moments import Decimal
from snowgauge.analytics.sql.expressions import Total

_Figures = list[float]
"""Conversions and revenue of each model in turn."""


def currency_of(asked: Attribution, reporter: Reporter) -> str:
    """The one that is asked for, else that of most conversions with a value; empty where none has one."""
    if asked.currency:
        return asked.currency
    found, _ = conversions(asked, reporter.figures, None)
    code, count = found.c["value"], sa.func.count().label("n")
    rows = reporter.run(sa.select(code, count).where(code != "").group_by(code).order_by(count.desc(), code))
    if len(rows) > 1:
        rest = ", ".join(str(other) for other, _ in rows[1:6])
        reporter.warn(
            "currencies", f"Revenue is of conversions in {rows[0][0]}. Others are in {rest}: ask for one of them."
        )
    return str(rows[0][0]) if rows else ""


def answer(
    asked: Attribution, reporter: Reporter, query: dict[str, object], currency: str, spend: Mapping[str, float]
) -> AttributionAnswer:
    """``spend`` in ``currency`` by the value that is divided by. Raises ``QueryRefused``, ``StoreUnavailable``."""
    found, stream = conversions(asked, reporter.figures, currency)
    reporter.note(stream.apart)
    counted: list[sa.ColumnElement[Any]] = [sa.func.count(), Total(Decimal(found.c["value"]))]
    [(count, revenue)] = reporter.run(sa.select(*counted).select_from(found))
    rows = reporter.run(credited(asked, reporter.figures, found), show=True)
    by_value = {str(row[0]): [float(cell or 0) for cell in row[1:]] for row in rows}
    for value in spend:
        by_value.setdefault(value, [0.0] * (2 * len(MODELS)))
    place = 2 * list(MODELS).index(asked.model)
    order = sorted(by_value, key=lambda value: (-by_value[value][place], -spend.get(value, 0), value))
    kept, rest = order[: asked.limit], order[asked.limit :]
    results = [_row(value or None, by_value[value], spend.get(value)) for value in kept]
    if rest:
        spent = sum(spend.get(value, 0) for value in rest)
        results.append(_row(None, _sum([by_value[value] for value in rest]), spent or None, other=True))
    touched = _sum(list(by_value.values()))
    untouched = [max(0.0, (float(revenue) if at % 2 else int(count)) - total) for at, total in enumerate(touched)]
    if round(untouched[0], 3) > 0:
        results.append(_row(None, untouched, None, none=True))
    days = asked.lookback // DAY
    direct = {
        "ignore": "Direct visits count only where there is no other touch.", "count": "Direct visits are touches, too.",
    }  # fmt: skip
    definitions: dict[str, str] = {
        "conversions": f"Goals reached in the period: {asked.goal.label}. Each is divided among the touches of its "
        f"person in the {days} days before.",
        "touch": "A page view that opens a visit, or that carries a campaign and comes from another site. Of one "
        f"visit, each value is one touch. {direct[asked.direct]}",
        "half_life": f"{asked.half_life // DAY} days, of the model decay.",
    }  # fmt: skip
    for model, words in MODELS.items():
        definitions[model] = f"{words[0].upper()}{words[1:]}."
    if asked.by in SPENT_BY:
        definitions["roas"] = "Revenue per unit of spend, from the spend that was imported for the period's days."
        definitions["cpa"] = "Spend per conversion."
    return AttributionAnswer(
        int(count), round(float(revenue), 2), currency, results, reporter.meta(asked.question, definitions), query
    )


def _row(
    value: str | None, figures: Sequence[float], spend: float | None, *, other: bool = False, none: bool = False
) -> AttributionRow:
    models: dict[str, Credit] = {}
    for at, model in enumerate(MODELS):
        count, revenue = round(figures[2 * at], 6), round(figures[2 * at + 1], 6)
        models[model] = Credit(
            count,
            revenue,
            round(revenue / spend, 4) if spend else None,
            round(spend / count, 4) if spend and count else None,
        )
    return AttributionRow(value, other, none, None if spend is None else round(spend, 2), models)


def _sum(some: Sequence[_Figures]) -> _Figures:
    return [sum(column) for column in zip(*some, strict=True)] if some else [0.0] * (2 * len(MODELS))
