"""Reports on what people do over time, asked of a running system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.asking import saved, surroundings
from snowgauge.actions.analytics.saved.cohorts import MOST_IDS
from snowgauge.actions.analytics.spend import SpendBook
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics.instants import answered, instant
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.answers import Reporter
from snowgauge.analytics.reports.asked import flag
from snowgauge.analytics.reports.attribution import engine as credited
from snowgauge.analytics.reports.attribution.answer import AttributionAnswer
from snowgauge.analytics.reports.attribution.question import read_attribution
from snowgauge.analytics.reports.funnel import engine as funnels
from snowgauge.analytics.reports.funnel.answer import FunnelAnswer, Stopped
from snowgauge.analytics.reports.funnel.question import read_funnel
from snowgauge.analytics.reports.journeys import journeys as ways
from snowgauge.analytics.reports.journeys.journeys import JourneysAnswer
from snowgauge.analytics.reports.retention import lifecycle as activity
from snowgauge.analytics.reports.retention import retention as returning
from snowgauge.analytics.reports.retention.lifecycle import LifecycleAnswer, StickinessAnswer
from snowgauge.analytics.reports.retention.retention import RetentionAnswer
from snowgauge.analytics.reports.trends import engine as lines
from snowgauge.analytics.reports.trends.answer import TrendsAnswer
from snowgauge.analytics.reports.trends.question import read_trends

SECONDS = 60.0
MOST_PEOPLE = 200


def funnel(deployment: Deployment, asked: Mapping[str, Any], who: Principal | None) -> FunnelAnswer:
    """Raises ``QuestionRefused``, with the place in the question."""
    return funnels.answer(read_funnel(asked, surroundings(deployment, who)), _reporter(deployment, asked), dict(asked))


def funnel_people(
    deployment: Deployment,
    asked: Mapping[str, Any],
    who: Principal | None,
    step: int,
    *,
    reached: bool,
    paging: tuple[int, int],
) -> list[Stopped]:
    """Who got to a step and no further, or (``reached``) at least that far. ``paging``: how many, after how many."""
    question = read_funnel(asked, surroundings(deployment, who))
    if not 1 <= step <= len(question.steps):
        raise QuestionRefused("step", f"the funnel has {len(question.steps)} steps, and {step} is none of them")
    reporter = _reporter(deployment, asked)
    return funnels.stopped(question, step, reporter, limit=paging[0], offset=paging[1], reached=reached)


def funnel_everyone(
    deployment: Deployment, asked: Mapping[str, Any], who: Principal | None, step: int, *, reached: bool
) -> list[str]:
    """The person IDs of all who got to a step and no further, or (``reached``) at least that far."""
    question = read_funnel(asked, surroundings(deployment, who))
    if not 1 <= step <= len(question.steps):
        raise QuestionRefused("step", f"the funnel has {len(question.steps)} steps, and {step} is none of them")
    return funnels.everyone(question, step, _reporter(deployment, asked), most=MOST_IDS, reached=reached)


def retention(deployment: Deployment, asked: Mapping[str, Any], who: Principal | None) -> RetentionAnswer:
    """Raises ``QuestionRefused``, with the place in the question."""
    question = returning.read_retention(asked, surroundings(deployment, who))
    return returning.answer(question, _reporter(deployment, asked), dict(asked))


def lifecycle(deployment: Deployment, asked: Mapping[str, Any], who: Principal | None) -> LifecycleAnswer:
    """Raises ``QuestionRefused``, with the place in the question."""
    question = activity.read_activity(asked, surroundings(deployment, who), "week")
    return activity.lifecycle(question, _reporter(deployment, asked), dict(asked))


def stickiness(deployment: Deployment, asked: Mapping[str, Any], who: Principal | None) -> StickinessAnswer:
    """Raises ``QuestionRefused``, with the place in the question."""
    question = activity.read_activity(asked, surroundings(deployment, who), "day")
    return activity.stickiness(question, _reporter(deployment, asked), dict(asked))


def journeys(deployment: Deployment, asked: Mapping[str, Any], who: Principal | None) -> JourneysAnswer:
    """Raises ``QuestionRefused``, with the place in the question."""
    question = ways.read_journeys(asked, surroundings(deployment, who))
    return ways.answer(question, _reporter(deployment, asked), dict(asked))


def attribution(deployment: Deployment, asked: Mapping[str, Any], who: Principal | None) -> AttributionAnswer:
    """With the spend that was imported for the period's days. Raises ``QuestionRefused``, with the place in the
    question."""
    question = read_attribution(asked, surroundings(deployment, who))
    reporter = _reporter(deployment, asked)
    currency = credited.currency_of(question, reporter)
    period = answered(question.question.period, question.question.now)
    last = instant(question.question.period.end - 1, period.zone)
    spend = SpendBook(saved(deployment)).by(question.by, period.start[:10], last[:10], question.question.apps, currency)
    return credited.answer(question, reporter, dict(asked), currency, spend)


def trends(deployment: Deployment, asked: Mapping[str, Any], who: Principal | None) -> TrendsAnswer:
    """Raises ``QuestionRefused``, with the place in the question."""
    question = read_trends(asked, surroundings(deployment, who))
    return lines.answer(question, _reporter(deployment, asked), dict(asked))


def _reporter(deployment: Deployment, asked: Mapping[str, Any]) -> Reporter:
    return Reporter(deployment.store.figures(), seconds=SECONDS, explain=flag(asked.get("explain"), "explain"))
