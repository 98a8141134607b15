"""Cohorts: people by rule or by list, with a name, to filter figures by."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics import cohorts
from snowgauge.actions.analytics.asking import cohorts as cohort_book
from snowgauge.actions.analytics.cohorts import LARGEST, MOST_LISTED, CohortSize, FunnelPeople
from snowgauge.actions.analytics.saved.cohorts import CohortChange, SavedCohort
from snowgauge.analytics.reports.cohorts.members import Member
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors
from snowgauge.api.v1.saved_reports import may_share
from snowgauge.api.waiting import WHILE_WAITED_FOR

router = APIRouter(prefix="/analytics/cohorts", tags=["cohorts"], dependencies=[WHILE_WAITED_FOR])
AGGREGATES = needs("read:aggregates")
PERSONS = needs("read:persons")


class GivenFunnelPeople(BaseModel):
    """``question``: a funnel. ``reached``: also those who got further than the step."""

    question: dict[str, Any]
    step: int = Field(ge=1, le=20)
    reached: bool = False


class GivenCohort(BaseModel):
    """One of ``rule`` (see the guide to reports), ``csv`` (a file with a column of IDs) and ``funnel``."""

    name: str = Field(max_length=200)
    shared: bool = False
    rule: dict[str, Any] | None = None
    csv: str | None = Field(default=None, max_length=LARGEST)
    funnel: GivenFunnelPeople | None = None


class GivenCohortChange(BaseModel):
    name: str | None = Field(default=None, max_length=200)
    rule: dict[str, Any] | None = None
    shared: bool | None = None


class GivenRule(BaseModel):
    rule: dict[str, Any]


@router.get("", dependencies=[AGGREGATES])
def listed(parts: Parts, who: Caller) -> list[SavedCohort]:
    """Your cohorts and the shared ones, by name."""
    return cohorts.listed(parts, who)


@router.post("", status_code=201, dependencies=[AGGREGATES])
def add(given: GivenCohort, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> SavedCohort:
    """Make a cohort. A list needs `read:persons`, a shared cohort `write:analytics`."""
    may_share(who, given.shared)
    if sum(one is not None for one in (given.rule, given.csv, given.funnel)) != 1:
        raise HTTPException(422, "give one of rule, csv and funnel")
    if given.rule is not None:
        made = cohorts.add_rule(parts, given.name, given.rule, who, shared=given.shared)
    else:
        _may_see_people(who)
        made = _list(given, parts, who)
    doors.access.record(who, "add cohort", made.name, ip=address(request))
    return made


@router.post("/count", dependencies=[AGGREGATES])
def count_of_rule(given: GivenRule, parts: Parts, who: Caller) -> CohortSize:
    """How many people meet a rule, before it is saved."""
    return cohorts.count_of_rule(parts, given.rule, who)


@router.patch("/{cohort_id}", dependencies=[AGGREGATES])
def change(cohort_id: str, given: GivenCohortChange, parts: Parts, who: Caller) -> SavedCohort:
    """Change your cohort; a shared one needs `write:analytics`."""
    may_share(who, given.shared)
    return cohorts.change(parts, cohort_id, CohortChange(given.name, given.rule, given.shared), who)


@router.delete("/{cohort_id}", status_code=204, dependencies=[AGGREGATES])
def remove(cohort_id: str, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> None:
    """Remove your cohort; a shared one needs `write:analytics`. Questions that name it are refused then."""
    gone = cohort_book(parts).remove(cohort_id, who)
    doors.access.record(who, "remove cohort", gone.name, ip=address(request))


@router.post("/{cohort_id}/count", dependencies=[AGGREGATES])
def count(cohort_id: str, parts: Parts, who: Caller) -> SavedCohort:
    """Count its people now."""
    return cohorts.count(parts, cohort_id, who)


@router.get("/{cohort_id}/people", dependencies=[PERSONS])
def people(
    cohort_id: str,
    parts: Parts,
    doors: TheDoors,
    who: Caller,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> list[Member]:
    """Its people, those seen last first."""
    doors.access.record(who, "list people of a cohort", cohort_id[:200], ip=address(request))
    return cohorts.people(parts, cohort_id, who, limit=limit, offset=offset)


@router.get("/{cohort_id}/csv", dependencies=[PERSONS])
def as_csv(cohort_id: str, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> StreamingResponse:
    """Its people as CSV. No cell begins like a formula."""
    doors.access.record(who, "export people of a cohort", cohort_id[:200], ip=address(request))
    headers = {"content-disposition": 'attachment; filename="cohort.csv"'}
    return StreamingResponse(cohorts.as_csv(parts, cohort_id, who), media_type="text/csv", headers=headers)


def _list(given: GivenCohort, parts: Parts, who: Principal) -> SavedCohort:
    if given.csv is not None:
        return cohorts.add_list(parts, given.name, given.csv, who, shared=given.shared)
    assert given.funnel is not None
    of = FunnelPeople(given.funnel.question, given.funnel.step, given.funnel.reached)
    return cohorts.add_of_funnel(parts, given.name, of, who, shared=given.shared)


def _may_see_people(who: Principal) -> None:
    if not who.may("read:persons"):
        raise HTTPException(403, "a list of people needs the scope read:persons")
