"""The people of a cohort as statements: looked up when a question is asked, so that they are never out of date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.reports.answers import Reporter
from snowgauge.analytics.reports.cohorts.rule import Did, Rule
from snowgauge.analytics.reports.streams import Stream, Taken, select
from snowgauge.analytics.sql.bases import VISITS
from snowgauge.analytics.sql.expressions import EpochMs
from snowgauge.analytics.sql.rows import Columns, Selected, Span, rows
from snowgauge.analytics.sql.tables import COHORT_MEMBERS
from snowgauge.store.figures import Figures

FEWEST = 10
"""People that a cohort has to have so that its figures are shown to someone who may not see single people."""


@dataclass(frozen=True)
class ByRule:
    """Members by what they did and did not do."""

    rule: Rule

    def select(self, figures: Figures) -> sa.Select[Any]:
        join = sa.and_ if self.rule.match == "all" else sa.or_

        def build(columns: Columns) -> Selected:
            person = sa.func.coalesce(columns(*VISITS.person), "")
            met = join(*(_met(one, self.rule, person, figures) for one in self.rule.rules))
            return Selected([person.label("member")], sa.and_(person != "", met))

        return rows(VISITS, self.rule.known, figures, build).distinct()


@dataclass(frozen=True)
class ByList:
    """Everyone whose person ID or visitor ID is on the list of a cohort."""

    cohort_id: str
    now: int

    def select(self, figures: Figures) -> sa.Select[Any]:
        listed = COHORT_MEMBERS.alias("listed")
        ids = figures.counted(
            sa.select(listed.c["id"]).where(listed.c["cohort_id"] == sa.bindparam(None, self.cohort_id, sa.String())),
            listed,
        )

        def build(columns: Columns) -> Selected:
            person = sa.func.coalesce(columns("sessions", "person_id"), "")
            visitor = sa.func.coalesce(columns("sessions", "visitor_id"), "")
            met = sa.or_(person.in_(ids), visitor.in_(ids))
            return Selected([person.label("member")], sa.and_(person != "", met))

        return rows(VISITS, Span(0, self.now + _DAY, (), "all"), figures, build).distinct()


@dataclass(frozen=True)
class Member:
    """A person of a cohort. Times in ms since 1970."""

    person_id: str
    visits: int
    first_seen: int
    last_seen: int


def lists(figures: Figures, *, seconds: float) -> dict[str, int]:
    """The cohorts of which IDs are kept, and when the last of them was written (ms)."""
    listed = COHORT_MEMBERS.alias("listed")
    wanted = sa.select(listed.c["cohort_id"], EpochMs(sa.func.max(listed.c["at"]))).group_by(listed.c["cohort_id"])
    found = figures.answer(figures.counted(wanted, listed), seconds=seconds).rows
    return {str(cohort_id): int(at) for cohort_id, at in found}


def size(cohort: ByRule | ByList, reporter: Reporter) -> int:
    """How many people there are in it now."""
    people = cohort.select(reporter.figures).subquery("people")
    return int(reporter.run(sa.select(sa.func.count()).select_from(people))[0][0])


def members(cohort: ByRule | ByList, reporter: Reporter, now: int, *, limit: int, offset: int) -> list[Member]:
    """Some of them, those seen last first."""

    def build(columns: Columns) -> Selected:
        person = sa.func.coalesce(columns("sessions", "person_id"), "")
        began, ended = EpochMs(columns("sessions", "start_tstamp")), EpochMs(columns("sessions", "end_tstamp"))
        chosen = person.in_(cohort.select(reporter.figures))
        return Selected([person.label("member"), began.label("began"), ended.label("ended")], chosen)

    seen = rows(VISITS, Span(0, now + _DAY, (), "all"), reporter.figures, build).subquery("seen")
    last = sa.func.max(seen.c["ended"]).label("last")
    found = reporter.run(
        sa.select(seen.c["member"], sa.func.count().label("n"), sa.func.min(seen.c["began"]).label("first"), last)
        .group_by(seen.c["member"])
        .order_by(last.desc(), seen.c["member"])
        .limit(limit)
        .offset(offset)
    )
    return [Member(str(person), int(visits), int(first), int(end)) for person, visits, first, end in found]


_DAY = 86_400_000


def _met(one: Did, rule: Rule, person: sa.ColumnElement[str], figures: Figures) -> sa.ColumnElement[bool]:
    met = []
    if one.least > 0:
        met.append(person.in_(_often(one, rule, one.least, figures)))
    if one.most is not None:
        met.append(person.not_in(_often(one, rule, one.most + 1, figures)))
    return sa.and_(*met)


def _often(one: Did, rule: Rule, least: int, figures: Figures) -> sa.Select[Any]:
    """Who did it at least that often; an event counts once, however often it is stored."""
    span = (one.period.start, one.period.end)
    taken = Taken(one.event.base, one.event.filters, 1, span, bool(one.event.name))
    c = select(Stream("person", (taken,), Span(*span, rule.apps, "people")), figures).c
    once = sa.select(c["unit"], c["id"], c["ms"]).group_by(c["unit"], c["id"], c["ms"]).subquery("once")
    return sa.select(once.c["unit"]).group_by(once.c["unit"]).having(sa.func.count() >= least)
