"""One person as a whole: who that is, and figures over all visits. For those who may see people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.sql.bases import VISITS
from snowgauge.analytics.sql.expressions import EpochMs, Number
from snowgauge.analytics.sql.rows import Columns, Selected, Span, rows
from snowgauge.analytics.sql.tables import USERS
from snowgauge.store.figures import Figures

MOST_IDENTITIES = 100
_DAY = 86_400_000
_TEXTS = (
    "person_id", "first_channel", "first_source", "first_mkt_campaign", "first_entry_path", "last_channel",
    "last_source", "last_mkt_campaign", "last_path", "last_country", "last_device",
)  # fmt: skip
_NUMBERS = ("sessions", "views", "events", "engaged_s", "active_days", "conversions", "revenue", "orders")


@dataclass(frozen=True)
class Identity:
    """A visitor ID and a user ID that visits had together; empty: none. Times in ms since 1970."""

    visitor_id: str
    user_id: str
    visits: int
    first_seen: int
    last_seen: int


@dataclass(frozen=True)
class Profile:
    """Of all that is stored. Times in ms since 1970, ``engaged`` in seconds; what is not set is empty."""

    person_id: str
    first_seen: int
    last_seen: int
    visits: int
    views: int
    events: int
    engaged: int
    active_days: int
    conversions: int
    revenue: float
    orders: int
    first_channel: str
    first_source: str
    first_campaign: str
    first_page: str
    last_channel: str
    last_source: str
    last_campaign: str
    last_page: str
    country: str
    device: str
    is_bot: bool
    identities: list[Identity]


def people_with(any_id: str, figures: Figures, now: int, *, seconds: float) -> list[str]:
    """The persons who have this as person, user or visitor ID, those seen last first."""

    def build(columns: Columns) -> Selected:
        def text(name: str) -> sa.ColumnElement[Any]:
            return sa.func.coalesce(columns("sessions", name), "")

        wanted = sa.bindparam(None, any_id, sa.String())
        is_one = sa.or_(*(text(name) == wanted for name in ("person_id", "user_id", "visitor_id")))
        ended = EpochMs(columns("sessions", "end_tstamp")).label("ended")
        return Selected([text("person_id").label("member"), ended], sa.and_(text("person_id") != "", is_one))

    seen = rows(VISITS, Span(0, now + _DAY, (), "all"), figures, build).subquery("seen")
    found = figures.answer(
        sa.select(seen.c["member"]).group_by(seen.c["member"]).order_by(sa.func.max(seen.c["ended"]).desc(),
                                                                     seen.c["member"]).limit(MOST_IDENTITIES),
        seconds=seconds,
    ).rows  # fmt: skip
    return [str(one) for (one,) in found]


def profile(person_id: str, figures: Figures, now: int, *, seconds: float) -> Profile | None:
    """``None``: nothing is stored of such a person."""
    users = USERS.alias("users")
    times = [EpochMs(users.c[name]) for name in ("first_seen", "last_seen")]
    texts = [sa.func.coalesce(users.c[name], "") for name in _TEXTS]
    numbers = [Number(users.c[name]) for name in _NUMBERS]
    wanted = sa.select(*texts, *times, *numbers, users.c["is_bot"]).where(
        users.c["person_id"] == sa.bindparam(None, person_id, sa.String())
    )
    found = figures.answer(figures.counted(wanted, users), seconds=seconds).rows
    return _profile(found[0], _identities(person_id, figures, now, seconds)) if found else None


def _profile(row: Sequence[Any], identities: list[Identity]) -> Profile:
    texts = dict(zip(_TEXTS, map(str, row), strict=False))
    first_seen, last_seen, *numbers = row[len(_TEXTS) : -1]
    visits, views, events, engaged, days, conversions, revenue, orders = map(float, numbers)
    return Profile(
        person_id=texts["person_id"], first_seen=int(first_seen), last_seen=int(last_seen), visits=int(visits),
        views=int(views), events=int(events), engaged=int(engaged), active_days=int(days),
        conversions=int(conversions), revenue=revenue, orders=int(orders), first_channel=texts["first_channel"],
        first_source=texts["first_source"], first_campaign=texts["first_mkt_campaign"],
        first_page=texts["first_entry_path"], last_channel=texts["last_channel"], last_source=texts["last_source"],
        last_campaign=texts["last_mkt_campaign"], last_page=texts["last_path"], country=texts["last_country"],
        device=texts["last_device"], is_bot=bool(row[-1]), identities=identities,
    )  # fmt: skip


def _identities(person_id: str, figures: Figures, now: int, seconds: float) -> list[Identity]:
    def build(columns: Columns) -> Selected:
        def text(name: str) -> sa.ColumnElement[Any]:
            return sa.func.coalesce(columns("sessions", name), "")

        began, ended = (EpochMs(columns("sessions", name)) for name in ("start_tstamp", "end_tstamp"))
        return Selected(
            [text("visitor_id").label("visitor"), text("user_id").label("login"), began.label("began"),
             ended.label("ended")],
            text("person_id") == sa.bindparam(None, person_id, sa.String()),
        )  # fmt: skip

    seen = rows(VISITS, Span(0, now + _DAY, (), "all"), figures, build).subquery("seen")
    keys = [seen.c["visitor"], seen.c["login"]]
    last = sa.func.max(seen.c["ended"]).label("last")
    found = figures.answer(
        sa.select(*keys, sa.func.count().label("n"), sa.func.min(seen.c["began"]).label("first"), last)
        .group_by(*keys)
        .order_by(last.desc(), *keys)
        .limit(MOST_IDENTITIES),
        seconds=seconds,
    ).rows
    return [Identity(str(visitor), str(user), int(n), int(first), int(end)) for visitor, user, n, first, end in found]
