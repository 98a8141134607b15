"""Any answer as a table, for files and e-mails."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from snowgauge.actions import spreadsheet, sql
from snowgauge.actions.analytics.answering import AnyAnswer
from snowgauge.analytics.answer import AnalyticsAnswer
from snowgauge.analytics.reports.attribution.answer import AttributionAnswer
from snowgauge.analytics.reports.attribution.question import MODELS
from snowgauge.analytics.reports.funnel.answer import FunnelAnswer, FunnelGroup
from snowgauge.analytics.reports.journeys.journeys import JourneysAnswer
from snowgauge.analytics.reports.retention.lifecycle import LifecycleAnswer, StickinessAnswer
from snowgauge.analytics.reports.retention.retention import RetentionAnswer, RetentionGroup
from snowgauge.analytics.reports.trends.answer import TrendsAnswer

Row = Sequence[Any]


@dataclass(frozen=True)
class Table:
    """``columns`` and rows of as many cells; ``None``: nothing there."""

    columns: list[str]
    rows: Sequence[Row]


def table(answer: AnyAnswer) -> Table:
    """One row for each thing that is counted; what it is stands first."""
    match answer:
        case AnalyticsAnswer():
            return _query(answer)
        case TrendsAnswer():
            names = [f"{one.label} ({one.measure})" for one in answer.results]
            rows = [(label, *(one.values[at] for one in answer.results)) for at, label in enumerate(answer.labels)]
            return Table(["time", *names], rows)
        case FunnelAnswer():
            names = ["step", "count", "of_first", "of_before", "dropped", "median_s", "p90_s"]
            divided = len(answer.results) > 1
            return Table(["group", *names] if divided else names, [
                (*((_group(one),) if divided else ()), step.label, step.count, step.of_first, step.of_before,
                 step.dropped, step.median_s, step.p90_s)
                for one in answer.results for step in one.steps
            ])  # fmt: skip
        case RetentionAnswer():
            return _retention(answer)
        case LifecycleAnswer():
            return Table(
                ["time", "new", "returning", "resurrecting", "dormant", "active"],
                [(p.label, p.new, p.returning, p.resurrecting, p.dormant, p.active) for p in answer.results],
            )
        case StickinessAnswer():
            rows = [(one.intervals, one.people, one.at_least) for one in answer.results]
            return Table(["intervals", "people", "at_least"], rows)
        case JourneysAnswer():
            named = {one.id: one for one in answer.nodes}
            return Table(
                ["step", "from", "to", "people"],
                [
                    (named[one.source].step + 1, _node(named[one.source]), _node(named[one.target]), one.people)
                    for one in answer.links
                ],
            )
        case AttributionAnswer():
            names = [f"{model} {what}" for model in MODELS for what in ("conversions", "revenue")]
            cells = [
                (
                    "(none)" if row.none else "(other)" if row.other else row.value, row.spend,
                    *(cell for model in MODELS for cell in (row.models[model].conversions, row.models[model].revenue)),
                )
                for row in answer.results
            ]  # fmt: skip
            return Table(["value", "spend", *names], cells)
        case sql.Answer():
            return Table(answer.columns, list(answer.rows))


def as_csv(made: Table) -> Iterator[bytes]:
    """CSV for spreadsheets: no cell begins like a formula."""
    for row in (made.columns, *made.rows):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(
            spreadsheet.cell(cell) if isinstance(cell, str) else cell for cell in row
        )
        yield text.getvalue().encode("utf-8", "replace")


def _query(answer: AnalyticsAnswer) -> Table:
    dimensions, metrics = (_texts(answer.query.get(name)) for name in ("dimensions", "metrics"))
    compared = any(row.comparison for row in answer.results)
    columns = [*dimensions, *metrics, *(f"{name} (compared)" for name in metrics if compared)]
    rows = []
    for row in answer.results:
        before = row.comparison.metrics if row.comparison else [None] * len(metrics)
        rows.append((*row.dimensions, *row.metrics, *(before if compared else ())))
    return Table(columns, rows)


def _retention(answer: RetentionAnswer) -> Table:
    divided = len(answer.results) > 1
    longest = max((len(one.counts) for group in answer.results for one in group.cohorts), default=0)
    rows = [
        (
            *((_group(group),) if divided else ()),
            one.label,
            one.size,
            *one.counts,
            *[None] * (longest - len(one.counts)),
        )
        for group in answer.results
        for one in group.cohorts
    ]
    return Table([*(("group",) if divided else ()), "began", "people", *(str(at) for at in range(longest))], rows)


def _group(one: FunnelGroup | RetentionGroup) -> Any:
    return "(other)" if one.other else one.value


def _node(one: Any) -> str:
    return str(one.name) if one.what not in ("other", "end") else f"({one.what})"


def _texts(given: object) -> list[str]:
    return [str(one) for one in given] if isinstance(given, list) else []
