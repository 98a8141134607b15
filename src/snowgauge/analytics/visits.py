"""Single visits and what one person did: for those who may see people, and for nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.question import Question
from snowgauge.analytics.sql.bases import CONVERSIONS, VIEWS, VISITS, Base
from snowgauge.analytics.sql.expressions import EpochMs, Number
from snowgauge.analytics.sql.filters import Filters
from snowgauge.analytics.sql.rows import Columns, Selected, Span, rows
from snowgauge.store.figures import Figures

_DAY = 86_400_000
_TEXTS = (
    "session_id", "person_id", "user_id", "app_id", "channel", "source", "mkt_campaign", "entry_path", "exit_path",
    "geo_country", "geo_city", "dvce_type", "br_family", "os_family",
)  # fmt: skip
_NUMBERS = ("duration_s", "engaged_s", "views", "events", "conversions", "revenue")
MOST_STEPS = 2_000


@dataclass(frozen=True)
class Visit:
    """Times in ms since 1970; what is not set is empty."""

    start: int
    end: int
    session_id: str
    person_id: str
    user_id: str
    app: str
    channel: str
    source: str
    campaign: str
    entry_page: str
    exit_page: str
    country: str
    city: str
    device: str
    browser: str
    os: str
    duration: int
    engaged: int
    views: int
    events: int
    conversions: int
    revenue: float
    is_new: bool
    is_bounce: bool


@dataclass(frozen=True)
class VisitStep:
    """A page view or a goal that was reached, in a visit. ``what`` is the page's path or the goal's name."""

    at: int
    kind: str
    session_id: str
    view_id: str
    what: str
    title: str
    engaged: int | None
    value: float | None
    currency: str


@dataclass(frozen=True)
class PersonSeen:
    """``visits``, newest first, and the ``steps`` of them, in their order; ``more`` steps there are not shown."""

    person_id: str
    visits: list[Visit]
    steps: list[VisitStep]
    more: bool


def visits(question: Question, figures: Figures, *, seconds: float) -> list[Visit]:
    """The visits that meet a question's filters, newest first, by its paging."""
    filters = Filters(VISITS, question.span, figures)
    return _visits(question.span, figures, lambda columns: filters.met(question.filters, columns), question.limit,
                   question.offset, seconds)  # fmt: skip


def person(person_id: str, span: Span, figures: Figures, *, seconds: float) -> PersonSeen:
    """What one person did in the span: the last 100 visits."""
    found = _visits(span, figures, lambda columns: columns("sessions", "person_id") == person_id, 100, 0, seconds)
    if not found:
        return PersonSeen(person_id, [], [], False)
    ids = [one.session_id for one in found]
    around = Span(min(one.start for one in found), max(one.end for one in found) + _DAY, span.apps, "all")
    views = _steps(VIEWS, around, figures, ids, seconds, "page_path", "page_title", "engaged_s")
    goals = _steps(CONVERSIONS, around, figures, ids, seconds, "goal", "", "")
    steps = sorted((*views, *goals), key=lambda one: (one.at, one.kind, one.view_id))
    return PersonSeen(person_id, found, steps[:MOST_STEPS], len(steps) > MOST_STEPS)


def _visits(span: Span, figures: Figures, met: Any, limit: int, offset: int, seconds: float) -> list[Visit]:
    def build(columns: Columns) -> Selected:
        def of(name: str) -> sa.ColumnElement[Any]:
            return columns("sessions", name)

        times = [EpochMs(of("start_tstamp")).label("began"), EpochMs(of("end_tstamp")).label("ended")]
        texts = [sa.func.coalesce(of(name), "").label(f"t_{name}") for name in _TEXTS]
        numbers = [Number(of(name)).label(f"n_{name}") for name in _NUMBERS]
        flags = [of("is_new_visitor").label("f_new"), of("is_bounce").label("f_bounce")]
        return Selected([*times, *texts, *numbers, *flags], met(columns))

    statement = rows(VISITS, span, figures, build)
    statement = statement.order_by(sa.literal_column("began").desc(), sa.literal_column("t_session_id"))
    found = figures.answer(statement.limit(limit).offset(offset), seconds=seconds).rows
    return [_visit(row) for row in found]


def _visit(row: Sequence[Any]) -> Visit:
    count = len(_TEXTS)
    texts = [str(text) for text in row[2 : 2 + count]]
    numbers = [float(value) for value in row[2 + count : -2]]
    session, person, user, app, channel, source, campaign, entry, exit_, country, city, device, browser, system = texts
    duration, engaged, views, events, conversions, revenue = numbers
    return Visit(
        start=int(row[0]), end=int(row[1]), session_id=session, person_id=person, user_id=user, app=app,
        channel=channel, source=source, campaign=campaign, entry_page=entry, exit_page=exit_, country=country,
        city=city, device=device, browser=browser, os=system, duration=int(duration), engaged=int(engaged),
        views=int(views), events=int(events), conversions=int(conversions), revenue=revenue, is_new=bool(row[-2]),
        is_bounce=bool(row[-1]),
    )  # fmt: skip


def _steps(
    base: Base, span: Span, figures: Figures, ids: Sequence[str], seconds: float, what: str, title: str, engaged: str
) -> list[VisitStep]:
    is_goal = base is CONVERSIONS

    def build(columns: Columns) -> Selected:
        def of(name: str) -> sa.ColumnElement[Any]:
            return columns(base.home, name)

        texts = ("session_id", "view_id", what, *((title,) if title else ("currency",)))
        found = [
            EpochMs(of(base.time)).label("at"),
            *(sa.func.coalesce(of(name), "").label(f"t_{name}") for name in texts),
        ]
        found.append(Number(of("value") if is_goal else of(engaged)).label("number"))
        return Selected(found, of("session_id").in_([sa.bindparam(None, one, sa.String()) for one in ids]))

    statement = rows(base, span, figures, build).order_by(sa.literal_column("at")).limit(MOST_STEPS + 1)
    return [
        VisitStep(
            int(at), "goal" if is_goal else "page", str(session), str(view), str(name), "" if is_goal else str(fourth),
            None if is_goal else int(number), float(number) if is_goal and number is not None else None,
            str(fourth) if is_goal else "",
        )
        for at, session, view, name, fourth, number in figures.answer(statement, seconds=seconds).rows
    ]  # fmt: skip
