"""Filters as conditions on rows of a base.

A condition is about the row itself, or about something that the row leads to: its page, its visit. One about events
that the row does not lead to is asked of its visit: a visit meets it when one of its events does. Conditions that are
joined by ``and`` and that one kind of event can meet together are asked of one and the same event.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from snowgauge.analytics.conditions import Belongs, Both, Condition, Filter, Turned, conditions
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.sql.bases import LONGEST_VISIT_DAYS, OF_EVENTS, Base
from snowgauge.analytics.sql.expressions import ONE, AnyOf
from snowgauge.analytics.sql.rows import Columns, Selected, Span, rows
from snowgauge.store.figures import Figures


class Filters:
    """Conditions for one base. ``apart`` collects conditions that are asked of a visit's events one by one, because no
    single event has what they ask for."""

    def __init__(self, base: Base, span: Span, figures: Figures) -> None:
        self._base = base
        self._span = span
        self._figures = figures
        self.apart: list[str] = []

    def met(self, filters: Sequence[Filter], columns: Columns) -> sa.ColumnElement[bool]:
        """All of the filters."""
        return self._all(filters, columns)

    def _one(self, one: Filter, columns: Columns) -> sa.ColumnElement[bool]:
        match one:
            case Turned("has_done", part):
                return self._visits(part, done=True, columns=columns)
            case Turned("has_not_done", part):
                return self._visits(part, done=False, columns=columns)
            case Both("same_visit", parts):
                return sa.and_(*(self._visits(part, done=True, columns=columns) for part in parts))
            case _ if carries(self._base, one):
                return holds(one, self._base, columns, self._figures)
            case Both("same_event"):
                return self._visits(one, done=True, columns=columns)
            case Both("and", parts):
                return self._all(parts, columns)
            case Both(_, parts):
                if event_base(one) is not None:
                    return self._visits(one, done=True, columns=columns)
                return sa.or_(*(self._one(part, columns) for part in parts))
            case Turned(_, part):
                if event_base(one) is not None:
                    return self._visits(one, done=True, columns=columns)
                return sa.not_(self._one(part, columns))
            case _:
                return self._visits(one, done=True, columns=columns)

    def _all(self, parts: Sequence[Filter], columns: Columns) -> sa.ColumnElement[bool]:
        """Those that the row meets, one by one; the rest as few events as can meet them."""
        plain = [part for part in parts if not _about_events(part, self._base)]
        groups: list[list[Filter]] = []
        for part in parts:
            if part in plain:
                continue
            for group in groups:
                if event_base(*group, part) is not None:
                    group.append(part)
                    break
            else:
                groups.append([part])
        if len(groups) > 1:
            self.apart.append(" and ".join(_names(group) for group in groups))
        met = [self._one(part, columns) for part in plain]
        for group in groups:
            together = group[0] if len(group) == 1 else Both("and", tuple(group), group[0].where)
            met.append(self._visits(together, done=True, columns=columns))
        return sa.and_(sa.true(), *met)

    def _visits(self, part: Filter, *, done: bool, columns: Columns) -> sa.ColumnElement[bool]:
        """The row's visit has an event that meets the filter, or (not ``done``) is known and has none."""
        base = event_base(part)
        if base is None:
            raise QuestionRefused(
                part.where,
                f"no single event has all of {_names([part])}: ask for each of them with has_done, or join them with "
                "same_visit",
            )
        visit = sa.func.coalesce(columns(self._base.home, "session_id"), "")

        def build(inner: Columns) -> Selected:
            session = sa.func.coalesce(inner(base.home, "session_id"), "")
            return Selected([session.label("visit")], sa.and_(session != "", holds(part, base, inner, self._figures)))

        found = rows(base, self._span.widened(LONGEST_VISIT_DAYS), self._figures, build)
        return visit.in_(found) if done else sa.and_(visit != "", visit.not_in(found))


def carries(base: Base, one: Filter) -> bool:
    """Can each row of the base itself be asked?"""
    match one:
        case Condition():
            return one.dimension.place(base) is not None
        case Both("same_visit") | Turned("has_done" | "has_not_done"):
            return False
        case Both():
            return all(carries(base, part) for part in one.parts)
        case Turned():
            return carries(base, one.part)
        case Belongs():
            return base.people


def event_base(*parts: Filter) -> Base | None:
    """The first kind of event of which one can be asked all of this."""
    return next((base for base in OF_EVENTS if all(carries(base, part) for part in parts)), None)


def holds(one: Filter, base: Base, columns: Columns, figures: Figures) -> sa.ColumnElement[bool]:
    """The condition on a row of a base that carries it."""
    match one:
        case Condition():
            return _compared(one, base, columns)
        case Both("or", parts):
            return sa.or_(*(holds(part, base, columns, figures) for part in parts))
        case Both(_, parts):
            return sa.and_(*(holds(part, base, columns, figures) for part in parts))
        case Turned(_, part):
            return sa.not_(holds(part, base, columns, figures))
        case Belongs(cohort):
            return sa.func.coalesce(columns(*base.person), "").in_(cohort.select(figures))


def _compared(one: Condition, base: Base, columns: Columns) -> sa.ColumnElement[bool]:
    found = one.dimension.place(base)
    assert found is not None
    home, place = found
    value = place(lambda name: columns(home, name))
    if one.dimension.nested is None:
        return one.operator.condition(value, one.values, case_sensitive=one.case_sensitive)
    return one.operator.of_many(lambda test: AnyOf(value, test(ONE)), one.values, case_sensitive=one.case_sensitive)


def _about_events(one: Filter, base: Base) -> bool:
    """Is it about events that the base's rows do not lead to, and about nothing else?"""
    if (isinstance(one, Turned) and one.kind != "not") or (isinstance(one, Both) and one.kind == "same_visit"):
        return False
    return not carries(base, one) and event_base(one) is not None


def _names(parts: Sequence[Filter]) -> str:
    return ", ".join(dict.fromkeys(one.dimension.name for part in parts for one in conditions(part)))
