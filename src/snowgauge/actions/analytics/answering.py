"""Saved reports and tiles of dashboards, answered in a scope. Nothing is asked but what was saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from snowgauge.analytics.reports.attribution.answer import AttributionAnswer
from snowgauge.analytics.reports.funnel.answer import FunnelAnswer
from snowgauge.analytics.reports.journeys.journeys import JourneysAnswer
from snowgauge.analytics.reports.retention.lifecycle import LifecycleAnswer, StickinessAnswer
from snowgauge.analytics.reports.retention.retention import RetentionAnswer
from snowgauge.analytics.reports.trends.answer import TrendsAnswer
from snowgauge.errors import AccessRefused

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
        limits = asker.limits
        answer = sql.run(deployment, str(question["sql"]), max_rows=limits.max_rows, timeout=limits.seconds)
        return ReportAnswer(kind, dict(question), answer)
    asked = fitted(kind, asker.within(laid_over(kind, question, scope)), around)
    return ReportAnswer(kind, asked, _ASKED[kind](deployment, asked, who))
