"""Which imported days a question may count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from snowgauge.analytics.answer import ImportsAnswered
from snowgauge.analytics.buckets import buckets
from snowgauge.analytics.periods import local, midnight
from snowgauge.analytics.question import Question
from snowgauge.analytics.sql import tables
from snowgauge.analytics.sql.bases import VIEWS
from snowgauge.analytics.sql.expressions import BucketStart, DayMs, EpochMs
from snowgauge.analytics.sql.imported import Counted, LeftOut, fitting, told
from snowgauge.analytics.sql.rows import Columns, Selected, Span, rows
from snowgauge.store.figures import Figures

_DAY = 86_400_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class _Import:
    import_id: str
    app_id: str
    product: str
    first: date
    last: date
    reports: Mapping[str, Any]


def imports_of(
    question: Question, figures: Figures, *, seconds: float
) -> tuple[Counted | None, ImportsAnswered | None]:
    """What counts of the imports with days in the question's period, and what to tell of it."""
    if not question.include.imports:
        return None, None
    period = question.period
    first, last = local(period.start, period.zone).date(), local(period.end - 1, period.zone).date()
    known = [
        one
        for one in _imports(figures, seconds)
        if (not question.apps or one.app_id in question.apps) and one.first <= last and one.last >= first
    ]
    if not known:
        return None, None
    begin, end = max(first, min(one.first for one in known)), min(last, max(one.last for one in known))
    left_out, metrics = "", list[str]()
    counted = None
    try:
        report = fitting(question, {report for one in known for report in one.reports})
        days = _own_days(replace(question, apps=tuple({one.app_id for one in known})), begin, end, figures, seconds)
        ids = tuple(sorted(one.import_id for one in known if report in one.reports))
        counted = Counted(report, ids, days)
        metrics = [one.name for one, is_told in zip(question.measures, told(question, report), strict=True) if is_told]
    except LeftOut as error:
        left_out = str(error)
    products = sorted({one.product for one in known})
    return counted, ImportsAnswered(products, begin.isoformat(), end.isoformat(), metrics, left_out)


def _imports(figures: Figures, seconds: float) -> list[_Import]:
    held = tables.IMPORTS.alias("imports")
    days: list[sa.ColumnElement[Any]] = [DayMs(held.c[name]) for name in ("first_day", "last_day")]
    asked = sa.select(held.c["id"], held.c["app_id"], held.c["product"], *days, held.c["reports"])
    found = figures.answer(figures.counted(asked, held), seconds=seconds).rows
    return [
        _Import(str(id_), str(app), str(product), _date(first), _date(last), orjson.loads(reports))
        for id_, app, product, first, last, reports in found
    ]


def _own_days(
    question: Question, first: date, last: date, figures: Figures, seconds: float
) -> dict[str, tuple[int, ...]]:
    """Application -> the local days from ``first`` to ``last`` on which it has page views of its own."""
    zone = question.period.zone
    start, end = midnight(first, zone), midnight(last + timedelta(days=1), zone)
    cut = buckets(replace(question.period, start=start, end=end), "day", question.now, where="date_range")
    label = {bucket.start: (date.fromisoformat(bucket.label) - _EPOCH).days for bucket in cut}

    def build(columns: Columns) -> Selected:
        day = BucketStart(EpochMs(columns("page_views", "start_tstamp")), list(label))
        return Selected([columns("page_views", "app_id").label("app"), day.label("own_day")], sa.true())

    asked = rows(VIEWS, Span(start, end, question.apps, "all"), figures, build).distinct()
    found: dict[str, list[int]] = {}
    for app, day in figures.answer(asked, seconds=seconds).rows:
        found.setdefault(str(app), []).append(label[int(day)])
    return {app: tuple(sorted(days)) for app, days in found.items()}


def _date(ms: Any) -> date:
    return _EPOCH + timedelta(days=int(ms) // _DAY)
