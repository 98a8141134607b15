"""What is counted: visits, page views, goals reached and so on, each with its time and the tables that it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Home = Literal[
    "sessions", "page_views", "conversions", "web_vitals", "ecommerce_actions", "app_errors", "events"
]  # fmt: skip
"""A table that a dimension's values lie in."""

Join = tuple[tuple[str, str], ...]
_BY_VISIT: Join = (("session_id", "session_id"),)
_BY_VIEW: Join = (("view_id", "view_id"), ("session_id", "session_id"))


@dataclass(frozen=True)
class Base:
    """Rows that are counted. ``joins``: other tables of which each row has at most one row, and by which columns.

    ``pages``: what a question about pages means for it: pages themselves, or the page that a visit entered on.
    ``days_back``: how long before a row its visit may have begun. ``people``: whether each row is of some person.
    """

    name: str
    words: str
    home: Home
    time: str
    joins: Mapping[Home, Join] = field(default_factory=dict)
    person: tuple[Home, str] = ("sessions", "person_id")
    bot: tuple[Home, str] = ("sessions", "is_bot")
    entry_pages: bool = False
    days_back: int = 4
    people: bool = True

    @property
    def reach(self) -> tuple[Home, ...]:
        """The tables whose columns its rows have, its own first."""
        return (self.home, *self.joins)


LONGEST_VISIT_DAYS = 4
"""No visit is longer: the modeller gives up those that are longer than 3 days."""

VISITS = Base("visits", "visits", "sessions", "start_tstamp")
ENTRIES = Base("entries", "visits, by the page that they entered on", "sessions", "start_tstamp", entry_pages=True)
VIEWS = Base(
    "views", "page views", "page_views", "start_tstamp", {"sessions": _BY_VISIT},
    person=("page_views", "person_id"), bot=("page_views", "is_bot"),
)  # fmt: skip
CONVERSIONS = Base(
    "conversions", "goals reached", "conversions", "t", {"page_views": _BY_VIEW, "sessions": _BY_VISIT},
    person=("conversions", "person_id"), bot=("conversions", "is_bot"), days_back=35,
)  # fmt: skip
VITALS = Base(
    "vitals", "measurements of web vitals", "web_vitals", "t", {"page_views": _BY_VIEW, "sessions": _BY_VISIT},
    bot=("web_vitals", "is_bot"),
)  # fmt: skip
SHOP = Base(
    "shop", "shop actions", "ecommerce_actions", "t", {"page_views": _BY_VIEW, "sessions": _BY_VISIT},
    person=("ecommerce_actions", "person_id"), bot=("ecommerce_actions", "is_bot"),
)  # fmt: skip
ERRORS = Base(
    "errors", "application errors", "app_errors", "t", {"sessions": _BY_VISIT}, person=("app_errors", "person_id")
)
EVENTS = Base("events", "events", "events", "t", {"sessions": _BY_VISIT})

BASES = {base.name: base for base in (VISITS, ENTRIES, VIEWS, CONVERSIONS, VITALS, SHOP, ERRORS, EVENTS)}
OF_EVENTS = (VIEWS, CONVERSIONS, SHOP, VITALS, ERRORS, EVENTS)
"""What single events are: a condition about events is met by one row of one of these."""
