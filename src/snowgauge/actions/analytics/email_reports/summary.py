"""The figures of a week or a month, in words and numbers for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from snowgauge.actions.analytics.asking import ask, calendar
from snowgauge.actions.analytics.email_reports.book import Every
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics.answer import AnalyticsAnswer, Cell, Figure
from snowgauge.analytics.dimensions import DIMENSIONS
from snowgauge.analytics.measures import MEASURES, Measure
from snowgauge.analytics.periods import Period, add_months, local, of_days, week_of

_TOP = ("visitors", "visits", "pageviews", "bounce_rate", "visit_duration")
_ROWS = 5


@dataclass(frozen=True)
class Line:
    """``change``: against the period before, such as ``+12 %``; empty: there was nothing. ``good``: whether it is."""

    label: str
    value: str
    change: str = ""
    good: bool | None = None


@dataclass(frozen=True)
class Section:
    title: str
    lines: list[Line]


@dataclass(frozen=True)
class Summary:
    """``name``: of the application or dashboard. ``period`` tells it apart from all others: its dates. ``modelled``:
    are all of its figures there? ``path``: where the console shows it. ``note``: instead of figures, where there are
    none."""

    name: str
    title: str
    period: str
    top: list[Line]
    sections: list[Section]
    modelled: bool
    path: str = ""
    note: str = "There were no visits."

    @property
    def subject(self) -> str:
        """With the first figure, where there is one."""
        if not self.top:
            return f"{self.name}, {self.title}"
        first = self.top[0]
        change = f" ({first.change})" if first.change else ""
        return f"{self.name}: {first.value} {first.label.lower()}{change}, {self.title}"


def last_period(deployment: Deployment, app: str, every: Every, now: int) -> Period:
    """The last week or month that is over, in the application's calendar."""
    usual = calendar(deployment, (app,))
    today = local(now, usual.zone).date()
    if every == "week":
        first = week_of(today, usual.week_start) - timedelta(days=7)
        return of_days(first, first + timedelta(days=6), usual.zone, usual.week_start)
    first = add_months(today.replace(day=1), -1)
    return of_days(first, today.replace(day=1) - timedelta(days=1), usual.zone, usual.week_start)


def summary(deployment: Deployment, app: str, period: Period, every: Every) -> Summary:
    """Raises what questions raise."""
    assert period.first is not None
    assert period.last is not None
    shared = {
        "app": app, "date_range": [period.first.isoformat(), period.last.isoformat()], "timezone": period.zone,
        "week_start": period.week_start,
    }  # fmt: skip
    beside = {"include": {"comparisons": {"mode": "previous_period"}, "coverage": False}}
    top = ask(deployment, {**shared, **beside, "metrics": list(_TOP)})
    sections = [
        _section(deployment, shared, "Sources", "visitors", "visit:source"),
        _section(deployment, shared, "Pages", "visitors", "event:page"),
        _section(deployment, shared, "Goals", "converters", "event:goal"),
    ]
    return Summary(
        app, dates(period, every), f"{period.first}/{period.last}", _lines(top),
        [one for one in sections if one.lines], complete(top, period),
        f"/analytics?app={quote(app, safe='')}&period={period.first}~{period.last}",
    )  # fmt: skip


def complete(answer: AnalyticsAnswer, period: Period) -> bool:
    from datetime import datetime

    until = answer.meta.modelled_until
    return until is not None and datetime.fromisoformat(until).timestamp() * 1000 >= period.end


def _lines(answer: AnalyticsAnswer) -> list[Line]:
    row = answer.results[0]
    changes: list[Figure] = row.comparison.change if row.comparison else [None] * len(_TOP)
    found = []
    for name, value, change in zip(_TOP, row.metrics, changes, strict=True):
        measure = MEASURES[name]
        unit = " points" if measure.change == "points" else " %"
        said = (
            "" if change is None else f"{change:+.0f}{unit}" if measure.change == "percent" else f"{change:+.1f}{unit}"
        )
        good = None if not change or not measure.better else (change > 0) == (measure.better == "up")
        found.append(Line(measure.label, shown(measure, value), said, good))
    return found


def _section(deployment: Deployment, shared: Mapping[str, Any], title: str, metric: str, dimension: str) -> Section:
    question = {
        **shared, "metrics": [metric], "dimensions": [dimension], "pagination": {"limit": _ROWS},
        "include": {"coverage": False},
    }  # fmt: skip
    unset = DIMENSIONS[dimension].unset
    lines = [
        Line(short(row.dimensions[0], unset), shown(MEASURES[metric], row.metrics[0]))
        for row in ask(deployment, question).results
        if row.metrics[0]
    ]
    return Section(title, lines)


def shown(measure: Measure, value: Figure) -> str:
    """A figure as people read it."""
    if value is None:
        return "–"
    if measure.unit == "seconds":
        minutes, seconds = divmod(round(value), 60)
        return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return f"{value:.1f} %" if measure.unit == "percent" else f"{value:,.{measure.decimals}f}"


def short(value: Cell, unset: str) -> str:
    text = unset if value is None else " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}…"


def dates(period: Period, every: Every) -> str:
    """The whole days of a period, in words."""
    first, last = period.first, period.last
    assert first is not None
    assert last is not None
    if every == "month":
        return f"{first:%B %Y}"
    return f"{first.day} {first:%B} to {last.day} {last:%B %Y}"
