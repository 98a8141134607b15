"""Saved reports and tiles of dashboards, answered in a scope. Nothing is asked but what was saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from snowgauge.actions import sql
from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics import reports
from snowgauge.actions.analytics.asking import ask, saved, surroundings
from snowgauge.actions.analytics.saved.dashboards import Dashboards
from snowgauge.actions.analytics.saved.kinds import Kind
from snowgauge.actions.analytics.saved.reports import SavedReports
from snowgauge.actions.analytics.saved.scope import check_scope, fitted, laid_over
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics.answer import AnalyticsAnswer
from snowgauge.analytics.reading import read
from snowgauge.analytics.reports.attribution.answer import AttributionAnswer
from snowgauge.analytics.reports.funnel.answer import FunnelAnswer
from snowgauge.analytics.reports.journeys.journeys import JourneysAnswer
from snowgauge.analytics.reports.retention.lifecycle import LifecycleAnswer, StickinessAnswer
from snowgauge.analytics.reports.retention.retention import RetentionAnswer
from snowgauge.analytics.reports.trends.answer import TrendsAnswer
from snowgauge.errors import AccessRefused
from snowgauge.store.placeholders import placeholders

AnyAnswer = (
    AnalyticsAnswer | TrendsAnswer | FunnelAnswer | RetentionAnswer | LifecycleAnswer | StickinessAnswer
    | JourneysAnswer | AttributionAnswer | sql.Answer
)  # fmt: skip


@dataclass(frozen=True)
class ReportAnswer:
    """``question``: what was asked, the scope included."""

    kind: Kind
    question: dict[str, Any]
    answer: AnyAnswer


@dataclass(frozen=True)
class SqlLimits:
    """Of one query that a person asks."""

    max_rows: int
    seconds: float


@dataclass(frozen=True)
class Asker:
    """``who``: ``None``: nobody with an account, who sees no SQL. ``within`` makes of a question what the asker may
    see of it, or refuses it."""

    who: Principal | None
    limits: SqlLimits
    within: Callable[[dict[str, Any]], dict[str, Any]] = lambda question: question


_ASKED: dict[Kind, Callable[[Deployment, Mapping[str, Any], Principal | None], AnyAnswer]] = {
    "query": ask,
    "trends": reports.trends,
    "funnel": reports.funnel,
    "retention": reports.retention,
    "lifecycle": reports.lifecycle,
    "stickiness": reports.stickiness,
    "journeys": reports.journeys,
    "attribution": reports.attribution,
}


def saved_reports(deployment: Deployment) -> SavedReports:
    return SavedReports(saved(deployment), lambda who: surroundings(deployment, who))


def dashboards(deployment: Deployment) -> Dashboards:
    return Dashboards(saved(deployment), lambda who: surroundings(deployment, who))


def answered(
    deployment: Deployment, kind: Kind, question: Mapping[str, Any], scope: Mapping[str, Any], asker: Asker
) -> ReportAnswer:
    """A question of a kind in a scope. Raises ``QuestionRefused``, and ``AccessRefused`` for SQL without the right."""
    who = asker.who
    around = surroundings(deployment, who)
    check_scope(scope, around)
    if kind == "sql":
        if who is None or not who.may("query:sql"):
            raise AccessRefused("this is the result of SQL, for which you need the scope query:sql", status=403)
        values = parameters(deployment, question, scope, who)
        asking = sql.Asking(asker.limits.max_rows, asker.limits.seconds, values)
        answer = sql.run(deployment, str(question["sql"]), asking)
        return ReportAnswer(kind, dict(question), answer)
    asked = fitted(kind, asker.within(laid_over(kind, question, scope)), around)
    return ReportAnswer(kind, asked, _ASKED[kind](deployment, asked, who))


def parameters(
    deployment: Deployment, question: Mapping[str, Any], scope: Mapping[str, Any], who: Principal | None
) -> dict[str, str]:
    """Values of a saved query's parameters. Those that are called ``from``, ``until`` and ``app`` are the ends of the
    scope's period, in UTC, and its application."""
    values: dict[str, str] = dict(question.get("parameters") or {})
    wanted = {one.name for one in placeholders(str(question["sql"]))}
    if scope.get("date_range") and wanted & {"from", "until"}:
        asked = {name: scope[name] for name in ("app", "date_range", "timezone", "include") if name in scope}
        period = read({**asked, "metrics": ["visits"]}, surroundings(deployment, who)).period
        values |= {"from": _utc(period.start), "until": _utc(period.end)}
    if "app" in wanted and isinstance(scope.get("app"), str):
        values["app"] = scope["app"]
    return values


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
