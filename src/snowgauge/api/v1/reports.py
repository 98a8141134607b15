"""Reports on what people do over time."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, RootModel

from snowgauge.actions.analytics import reports
from snowgauge.actions.analytics.asking import saved
from snowgauge.actions.analytics.spend import LARGEST, Imported, SpendBook
from snowgauge.analytics.reports import shapes
from snowgauge.analytics.reports.attribution.answer import AttributionAnswer
from snowgauge.analytics.reports.definitions import ReportDefinitions, report_definitions
from snowgauge.analytics.reports.funnel.answer import FunnelAnswer, Stopped
from snowgauge.analytics.reports.journeys.journeys import JourneysAnswer
from snowgauge.analytics.reports.retention.lifecycle import LifecycleAnswer, StickinessAnswer
from snowgauge.analytics.reports.retention.retention import RetentionAnswer
from snowgauge.analytics.reports.trends.answer import TrendsAnswer
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors
from snowgauge.api.waiting import WHILE_WAITED_FOR

router = APIRouter(prefix="/analytics", tags=["analytics"], dependencies=[WHILE_WAITED_FOR])
AGGREGATES = needs("read:aggregates", by_application=True)
Step = Annotated[int, Query(ge=1, le=20, description="Number of the step, from 1.")]
Limit = Annotated[int, Query(ge=1, le=reports.MOST_PEOPLE)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


class FunnelQuestion(RootModel[dict[str, Any]]):
    """A funnel: see the guide to reports."""

    model_config = ConfigDict(json_schema_extra=lambda given: given.update(shapes.funnel()))


class RetentionQuestion(RootModel[dict[str, Any]]):
    """Retention: see the guide to reports."""

    model_config = ConfigDict(json_schema_extra=lambda given: given.update(shapes.retention()))


class LifecycleQuestion(RootModel[dict[str, Any]]):
    """Lifecycle: see the guide to reports."""

    model_config = ConfigDict(json_schema_extra=lambda given: given.update(shapes.lifecycle()))


class StickinessQuestion(RootModel[dict[str, Any]]):
    """Stickiness: see the guide to reports."""

    model_config = ConfigDict(json_schema_extra=lambda given: given.update(shapes.stickiness()))


class JourneysQuestion(RootModel[dict[str, Any]]):
    """Journeys: see the guide to reports."""

    model_config = ConfigDict(json_schema_extra=lambda given: given.update(shapes.journeys()))


class AttributionQuestion(RootModel[dict[str, Any]]):
    """Attribution: see the guide to reports."""

    model_config = ConfigDict(json_schema_extra=lambda given: given.update(shapes.attribution()))


class GivenSpend(BaseModel):
    """``csv``: the text of the file."""

    csv: str = Field(max_length=LARGEST)


class TrendsQuestion(RootModel[dict[str, Any]]):
    """Trends: see the guide to reports."""

    model_config = ConfigDict(json_schema_extra=lambda given: given.update(shapes.trends()))


@router.get("/reports/definitions", dependencies=[AGGREGATES])
def everything() -> ReportDefinitions:
    """What reports can be asked with, with words for people."""
    return report_definitions()


@router.post("/funnel", dependencies=[AGGREGATES])
def funnel(parts: Parts, who: Caller, asked: FunnelQuestion) -> FunnelAnswer:
    """How many people reach one step after another, and how long it takes them."""
    return reports.funnel(parts, asked.root, who)


@router.post("/funnel/people", dependencies=[needs("read:persons", by_application=True)])
def funnel_people(
    parts: Parts,
    doors: TheDoors,
    who: Caller,
    request: Request,
    asked: FunnelQuestion,
    step: Step,
    reached: Annotated[bool, Query(description="Also those who got further.")] = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> list[Stopped]:
    """Who got to a step of a funnel and no further, the latest first."""
    doors.access.record(who, "list people of a funnel", _summary(asked.root, step), ip=address(request))
    return reports.funnel_people(parts, asked.root, who, step, reached=reached, paging=(limit, offset))


@router.post("/retention", dependencies=[AGGREGATES])
def retention(parts: Parts, who: Caller, asked: RetentionQuestion) -> RetentionAnswer:
    """Of the people who did something in a day, week or month, how many came back in those after."""
    return reports.retention(parts, asked.root, who)


@router.post("/lifecycle", dependencies=[AGGREGATES])
def lifecycle(parts: Parts, who: Caller, asked: LifecycleQuestion) -> LifecycleAnswer:
    """Who is new, comes again, comes back after a while or stays out, interval by interval."""
    return reports.lifecycle(parts, asked.root, who)


@router.post("/stickiness", dependencies=[AGGREGATES])
def stickiness(parts: Parts, who: Caller, asked: StickinessQuestion) -> StickinessAnswer:
    """On how many days, or in how many weeks or months, people do something."""
    return reports.stickiness(parts, asked.root, who)


@router.post("/journeys", dependencies=[AGGREGATES])
def journeys(parts: Parts, who: Caller, asked: JourneysQuestion) -> JourneysAnswer:
    """Which pages or events follow one another, as nodes and links with the people who went there."""
    return reports.journeys(parts, asked.root, who)


@router.post("/attribution", dependencies=[AGGREGATES])
def attribution(parts: Parts, who: Caller, asked: AttributionQuestion) -> AttributionAnswer:
    """Which touches conversions are owed to, by five models side by side, and the return on spend."""
    return reports.attribution(parts, asked.root, who)


@router.post("/spend", dependencies=[needs("write:analytics")])
def import_spend(parts: Parts, doors: TheDoors, who: Caller, request: Request, given: GivenSpend) -> Imported:
    """Import spend from CSV with the columns date, amount, currency, and any of app, channel, source, medium and
    campaign. Importing the same day and marketing again replaces its amount."""
    made = SpendBook(saved(parts)).take(given.csv)
    doors.access.record(who, "import spend", f"{made.lines} lines", ip=address(request))
    return made


@router.post("/trends", dependencies=[AGGREGATES])
def trends(parts: Parts, who: Caller, asked: TrendsQuestion) -> TrendsAnswer:
    """Any events over time, one series each."""
    return reports.trends(parts, asked.root, who)


def _summary(asked: dict[str, Any], step: int) -> str:
    return f"step {step} of {json.dumps(asked.get('steps', []))}"[:200]
