"""Cohorts of a running system: who is in them, how many, and lists made of files and of reports."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from snowgauge.actions import spreadsheet
from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.asking import cohort_for, cohorts, surroundings
from snowgauge.actions.analytics.reports import SECONDS, funnel_everyone
from snowgauge.actions.analytics.saved.cohorts import CohortChange, SavedCohort
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics.reports.answers import Reporter
from snowgauge.analytics.reports.cohorts.members import FEWEST, ByList, ByRule, Member, members, size
from snowgauge.analytics.reports.cohorts.rule import read_rule
from snowgauge.errors import ActionRefused

LARGEST = 8_000_000
"""Characters of a file."""
MOST_LISTED = 200
_COLUMNS = ("id", "person_id", "user_id", "visitor_id", "domain_userid")
_PIECE = 5_000


@dataclass(frozen=True)
class CohortSize:
    """``people`` at ``at`` (ms); ``None``: fewer than ``fewer_than``, and the caller may not see single people."""

    people: int | None
    fewer_than: int | None
    at: int


@dataclass(frozen=True)
class FunnelPeople:
    """Who reached a step of a funnel and no further; ``reached``: or further."""

    question: Mapping[str, Any]
    step: int
    reached: bool


def add_rule(
    deployment: Deployment, name: str, rule: Mapping[str, Any], who: Principal, *, shared: bool
) -> SavedCohort:
    """Raises ``QuestionRefused`` for a rule that makes no sense."""
    read_rule(rule, surroundings(deployment, who))
    return _counted(deployment, cohorts(deployment).add(name, dict(rule), shared=shared, who=who), who)


def add_list(deployment: Deployment, name: str, text: str, who: Principal, *, shared: bool) -> SavedCohort:
    """Of a CSV file: a column of IDs. Raises ``ActionRefused``."""
    made = cohorts(deployment).add(name, list(ids_of(text)), shared=shared, who=who)
    return _counted(deployment, made, who)


def add_of_funnel(deployment: Deployment, name: str, of: FunnelPeople, who: Principal, *, shared: bool) -> SavedCohort:
    """A list of the people of a funnel, as they are now."""
    people = funnel_everyone(deployment, of.question, who, of.step, reached=of.reached)
    if not people:
        raise ActionRefused("no one is at this step of the funnel, so there is no one to keep", status=422)
    return _counted(deployment, cohorts(deployment).add(name, people, shared=shared, who=who), who)


def change(deployment: Deployment, cohort_id: str, given: CohortChange, who: Principal) -> SavedCohort:
    """Raises ``QuestionRefused``, ``ActionRefused``."""
    if given.rule is not None:
        read_rule(given.rule, surroundings(deployment, who))
    made = cohorts(deployment).change(cohort_id, who, given)
    return _counted(deployment, made, who) if given.rule is not None else told(made, who)


def listed(deployment: Deployment, who: Principal) -> list[SavedCohort]:
    return [told(one, who) for one in cohorts(deployment).listed(who)]


def count(deployment: Deployment, cohort_id: str, who: Principal) -> SavedCohort:
    """Count its people now, and keep the figure."""
    return _counted(deployment, cohorts(deployment).get(cohort_id, who), who)


def count_of_rule(deployment: Deployment, rule: Mapping[str, Any], who: Principal) -> CohortSize:
    """How many people meet a rule, before it is saved."""
    around = surroundings(deployment, who)
    people = size(ByRule(read_rule(rule, around)), _reporter(deployment))
    hidden = people < FEWEST and not who.may("read:persons")
    return CohortSize(None if hidden else people, FEWEST if hidden else None, around.now)


def people(deployment: Deployment, cohort_id: str, who: Principal, *, limit: int, offset: int) -> list[Member]:
    """Its people, those seen last first."""
    around = surroundings(deployment, who)
    found = _members(deployment, cohort_id, who)
    return members(found, _reporter(deployment), around.now, limit=limit, offset=offset)


def as_csv(deployment: Deployment, cohort_id: str, who: Principal) -> Iterator[bytes]:
    """All its people. The first piece is made here, so that a refusal is one."""
    around = surroundings(deployment, who)
    found = _members(deployment, cohort_id, who)

    def piece(offset: int) -> list[Member]:
        return members(found, _reporter(deployment), around.now, limit=_PIECE, offset=offset)

    return _lines(piece(0), piece)


def _lines(first: list[Member], piece: Callable[[int], list[Member]]) -> Iterator[bytes]:
    yield b"person_id,visits,first_seen,last_seen\n"
    offset, some = 0, first
    while some:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            (spreadsheet.cell(one.person_id), one.visits, one.first_seen, one.last_seen) for one in some
        )
        yield text.getvalue().encode("utf-8", "replace")
        offset += len(some)
        some = piece(offset) if len(some) == _PIECE else []


def ids_of(text: str) -> Iterator[str]:
    """The IDs of a CSV file: of the column that is called so in its header, else the first of every line. Raises
    ``ActionRefused``."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        first = next(reader, [])
        names = [name.strip().lower() for name in first]
        at = next((names.index(name) for name in _COLUMNS if name in names), None)
        if at is None and first:
            yield first[0]
        for row in reader:
            if len(row) > (at or 0):
                yield row[at or 0]
    except csv.Error as raised:
        raise ActionRefused(f"line {reader.line_num}: {raised}", status=422) from None


def told(cohort: SavedCohort, who: Principal) -> SavedCohort:
    """Without a size that would tell of single people."""
    if cohort.people is not None and cohort.people < FEWEST and not who.may("read:persons"):
        return replace(cohort, people=None)
    return cohort


def _counted(deployment: Deployment, cohort: SavedCohort, who: Principal) -> SavedCohort:
    around = surroundings(deployment, who)
    number = size(_members(deployment, cohort.id, who), _reporter(deployment))
    cohorts(deployment).counted(cohort.id, number, around.now)
    return told(replace(cohort, people=number, counted_at=around.now), who)


def _members(deployment: Deployment, cohort_id: str, who: Principal) -> ByRule | ByList:
    found = cohort_for(deployment, cohort_id, who, hidden=False)
    if found is None:
        raise ActionRefused(f"there is no cohort {cohort_id[:100]!r}", status=404)
    return found


def _reporter(deployment: Deployment) -> Reporter:
    return Reporter(deployment.store.figures(), seconds=SECONDS)
