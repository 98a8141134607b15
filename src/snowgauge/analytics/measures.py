"""What is measured: one entry per measure.

A measure is made of parts; a part is an aggregate over rows of a base. Where a part can be taken from several bases the
first that has all dimensions of the question is used. ``combine`` makes the measure of its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from snowgauge.analytics.sql.bases import (
    CONVERSIONS,
    ENTRIES,
    ERRORS,
    EVENTS,
    SHOP,
    VIEWS,
    VISITS,
    VITALS,
    Base,
    Home,
)
from snowgauge.analytics.sql.expressions import Mean, Number, Quantile, Ratio, Total

Get = Callable[[str], sa.ColumnElement[Any]]
"""A column of the base's own table by its name; ``person_id`` wherever it is."""

Unit = Literal["count", "percent", "number", "seconds", "milliseconds", "money", "score"]
Group = Literal["Visits", "Pages", "Goals", "Events", "Shop", "Web vitals", "Errors"]


@dataclass(frozen=True)
class Part:
    """``aggregate`` over the rows of the first of ``bases`` that will do; 0 of no rows where ``counts``, else nothing.

    ``over``: columns by which rows are grouped first; ``aggregate`` then sees the columns of ``inner``. ``reference``:
    what others are compared with: taken without conditions about goals and events, ``of the group`` that a row of the
    answer stands for, or ``of all`` rows of the same time. ``follows_filters``: a base whose rows meet all filters
    themselves goes before others.
    """

    name: str
    bases: tuple[Base, ...]
    aggregate: Callable[[Get], sa.ColumnElement[Any]]
    counts: bool = True
    over: Mapping[str, Callable[[Get], sa.ColumnElement[Any]]] = field(default_factory=dict)
    inner: Mapping[str, Callable[[Get], sa.ColumnElement[Any]]] = field(default_factory=dict)
    reference: Literal["", "of the group", "of all"] = ""
    is_text: bool = False
    follows_filters: bool = False


@dataclass(frozen=True)
class Measure:
    """``change``: how it is compared with another period: in per cent of it, or in points. ``better``: which way is
    good. ``adds``: values of parts of a period may be added up.

    ``needs``: it makes sense only divided or filtered by something of these tables. ``whole_visits``: it makes none
    filtered by what single events of a visit are.
    """

    name: str
    label: str
    group: Group
    unit: Unit
    definition: str
    parts: tuple[Part, ...]
    combine: Callable[..., sa.ColumnElement[Any]] = lambda value: value
    better: Literal["up", "down", ""] = "up"
    change: Literal["percent", "points"] = "percent"
    adds: bool = False
    needs: tuple[Home, ...] = ()
    whole_visits: bool = False
    decimals: int = 0
    currency: str = ""

    @property
    def is_count(self) -> bool:
        """Is it 0 where there is nothing?"""
        return len(self.parts) == 1 and self.parts[0].counts


def _people(get: Get) -> sa.ColumnElement[Any]:
    return _distinct(get("person_id"))


def _distinct(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.count(sa.distinct(sa.func.nullif(column, "")))


def _rows(_get: Get) -> sa.ColumnElement[Any]:
    return sa.func.count()


def _sum(column: str) -> Callable[[Get], sa.ColumnElement[Any]]:
    return lambda get: Total(get(column))


def _where(column: str) -> Callable[[Get], sa.ColumnElement[Any]]:
    return lambda get: sa.func.count(sa.case((get(column), 1)))


def _mean(column: str) -> Callable[[Get], sa.ColumnElement[Any]]:
    return lambda get: Mean(get(column))


def _middle(column: str) -> Callable[[Get], sa.ColumnElement[Any]]:
    return lambda get: Quantile(0.5, get(column))


def share(part: sa.ColumnElement[Any], whole: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """In per cent; nothing of nothing."""
    return Ratio(part, whole, times=100)


def _ratio(part: sa.ColumnElement[Any], whole: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return Ratio(part, whole)


_ANY_EVENT = (VIEWS, CONVERSIONS, SHOP, VITALS, ERRORS, EVENTS)
_VISITORS = Part("visitors", (VISITS, *_ANY_EVENT), _people)
_VISITS = Part("visits", (VISITS, *_ANY_EVENT), lambda get: _distinct(get("session_id")))
_ENTRIES = Part("entries", (ENTRIES,), _rows)
_CONVERTERS = Part("converters", (CONVERSIONS,), _people)
_ALL_VISITORS = Part("all_visitors", (VISITS, VIEWS), _people, reference="of all")
_GROUP_VISITORS = Part("group_visitors", (VISITS, VIEWS), _people, reference="of the group")
_GROUP_VISITS = Part(
    "group_visits", (VISITS, VIEWS), lambda get: _distinct(get("session_id")), reference="of the group"
)
_CONVERTED = Part("converted_visits", (CONVERSIONS,), lambda get: _distinct(get("session_id")))
_PAGE_VISITS = Part("page_visits", (VIEWS,), lambda get: _distinct(get("session_id")))
_EXITS = Part("exits", (VIEWS,), _where("is_exit"))
_REVENUE = Part("revenue", (CONVERSIONS,), _sum("value"))
_ORDERS = Part("paid", (CONVERSIONS,), lambda get: sa.func.count(get("value")))


def _measured(get: Get) -> sa.ColumnElement[bool]:
    return sa.or_(get("engaged_s") > 0, sa.func.coalesce(get("views_in_session"), 1) > 1)


_TRANSACTIONS: dict[str, Callable[[Get], sa.ColumnElement[Any]]] = {
    "app": lambda get: get("app_id"),
    "transaction": lambda get: get("transaction_id"),
}


def _visit_or(column: str) -> Callable[[Get], sa.ColumnElement[Any]]:
    """The visit; what has none stands alone."""
    return lambda get: sa.func.coalesce(sa.func.nullif(get("session_id"), ""), sa.cast(get(column), sa.String))


def _bought(get: Get) -> sa.ColumnElement[bool]:
    return sa.and_(get("is_first_of_transaction"), get("action") != "refund")


def _shop_count(action: str) -> Callable[[Get], sa.ColumnElement[Any]]:
    return lambda get: sa.func.count(sa.distinct(sa.case((get("action") == action, get("event_id")))))


_CARTS: dict[str, Callable[[Get], sa.ColumnElement[Any]]] = {
    "filled": lambda get: sa.func.max(sa.case((get("action") == "add_to_cart", 1), else_=0)),
    "bought": lambda get: sa.func.max(sa.case((get("action").in_(("transaction", "transaction_item")), 1), else_=0)),
}


def _cart_part(name: str, *, abandoned: bool) -> Part:
    def count(get: Get) -> sa.ColumnElement[Any]:
        met = sa.and_(get("filled") == 1, get("bought") == 0) if abandoned else get("filled") == 1
        return sa.func.count(sa.case((met, 1)))

    return Part(name, (SHOP,), count, over={"visit": _visit_or("event_id")}, inner=_CARTS)


def _vital(name: str, label: str, unit: Unit, good: float, poor: float, decimals: int = 0) -> tuple[Measure, Measure]:
    bounds = f"Good up to {good:g}{' ms' if unit == 'milliseconds' else ''}, poor above {poor:g}"
    known = Part(f"{name}_known", (VITALS,), lambda get: sa.func.count(get(name)))
    # a single precision number next to the bound is on the side that it was measured on
    fine = Part(f"{name}_fine", (VITALS,), lambda get: sa.func.count(sa.case((get(name) <= sa.cast(good, sa.REAL), 1))))
    return (
        Measure(
            f"{name}_p75", label, "Web vitals", unit, f"{label}: three quarters of the page views were as good "
            f"or better. "
            f"{bounds}.",
            (Part(f"{name}_p75", (VITALS,), lambda get: Quantile(0.75, get(name)), counts=False),),
            better="down", decimals=decimals,
        ),
        Measure(
            f"{name}_good", f"Good {name.upper()}", "Web vitals", "percent",
            f"Share of the page views with a good {label.lower()} ({good:g} at most).", (fine, known), share,
            change="points", decimals=1,
        ),
    )  # fmt: skip


_ALL = (
    Measure("visitors", "Visitors", "Visits", "count",
            "Distinct persons: of visits that began in the period; divided by pages, goals or events: of those. "
            "A person is "
            "known by login, else by the browser.", (_VISITORS,)),
    Measure("visits", "Visits", "Visits", "count",
            "Visits that began in the period; divided by pages, goals or events: visits with one.", (_VISITS,),
            adds=True),
    Measure("pageviews", "Page views", "Pages", "count", "Page views and screen views, those without a visit too.",
            (Part("pageviews", (VIEWS,), _rows),), adds=True),
    Measure("views_per_visit", "Views per visit", "Visits", "number", "Page views of visits ÷ visits.",
            (Part("views_of_visits", (VISITS,), _sum("views")), Part("visits_alone", (VISITS,), _rows)), _ratio,
            whole_visits=True, decimals=2),
    Measure("bounce_rate", "Bounce rate", "Visits", "percent",
            "Bounced visits ÷ visits. A visit bounced with at most one page view, less than 10 s of engaged time, no "
            "interaction and no goal reached. By page, or filtered by pages: of the visits that entered there.",
            (Part("bounces", (ENTRIES,), _where("is_bounce")), _ENTRIES), share, better="down", change="points",
            decimals=1),
    Measure("visit_duration", "Visit duration", "Visits", "seconds",
            "Mean time from the first to the last event, over all visits.",
            (Part("visit_duration", (VISITS,), _mean("duration_s"), counts=False),)),
    Measure("visit_duration_median", "Median visit duration", "Visits", "seconds",
            "Half of the visits took at least as long, from the first to the last event.",
            (Part("visit_duration_median", (VISITS,), _middle("duration_s"), counts=False),)),
    Measure("engaged_time", "Engaged time per visit", "Visits", "seconds", "Mean engaged time of visits.",
            (Part("engaged_time", (VISITS,), _mean("engaged_s"), counts=False),)),
    Measure("new_visitors", "New visitors", "Visits", "count", "Distinct persons whose first visit began in the "
    "period.",
            (Part("new_visitors", (VISITS,),
                  lambda get: _distinct(sa.case((get("is_new_visitor"), get("person_id"))))),)),
    Measure("percentage", "Share of visitors", "Visits", "percent",
            "Visitors of the row ÷ all visitors of the question. Rows may add up to more than 100 %.",
            (_VISITORS, _ALL_VISITORS), share, change="points", decimals=1),
    Measure("entrances", "Entrances", "Pages", "count", "Page views that began a visit.",
            (Part("entrances", (VIEWS,), _where("is_entry")),), adds=True),
    Measure("exits", "Exits", "Pages", "count", "Page views that ended a visit.", (_EXITS,), adds=True),
    Measure("exit_rate", "Exit rate", "Pages", "percent", "Visits that ended on the page ÷ visits with the page.",
            (_EXITS, _PAGE_VISITS), share, better="down", change="points", needs=("page_views",), decimals=1),
    Measure("time_on_page", "Time on page", "Pages", "seconds",
            "Mean engaged time of page views with a page ping, or of a visit with more views.",
            (Part("time_on_page", (VIEWS,),
                  lambda get: Mean(sa.case((_measured(get), get("engaged_s")))), counts=False),)),
    Measure("time_on_page_median", "Median time on page", "Pages", "seconds",
            "Half of the page views that count for time on page took at least as long.",
            (Part("time_on_page_median", (VIEWS,),
                  lambda get: Quantile(0.5, sa.case((_measured(get), get("engaged_s")))), counts=False),)),
    Measure("time_on_page_measured", "Page views with a time", "Pages", "percent",
            "Share of the page views that count for time on page.",
            (Part("measured", (VIEWS,), lambda get: sa.func.count(sa.case((_measured(get), 1)))),
             Part("pageviews", (VIEWS,), _rows)), share, change="points", decimals=1),
    Measure("scroll_depth", "Scroll depth", "Pages", "percent",
            "The most that a visit saw of a page, in per cent of its height; the mean over visits and pages. "
            "Page views "
            "without a height are left out.",
            (Part("scroll_depth", (VIEWS,), lambda get: Mean(get("most")), counts=False,
                  over={"visit": _visit_or("view_id"), "page": lambda get: get("page_path")},
                  inner={"most": lambda get: sa.func.max(get("scroll_pct"))}),),
            change="points", decimals=1),
    Measure("events", "Events", "Events", "count", "Events, each counted once. Divided or filtered by goals: "
    "conversions.",
            (Part("events", (EVENTS, CONVERSIONS), lambda get: sa.func.count(sa.distinct(get("event_id"))),
                  follows_filters=True),), adds=True),
    Measure("conversions", "Conversions", "Goals", "count", "How often goals were reached.",
            (Part("conversions", (CONVERSIONS,), _rows),), adds=True),
    Measure("converters", "Converted visitors", "Goals", "count", "Distinct persons who reached a goal.",
            (_CONVERTERS,)),
    Measure("conversion_rate", "Conversion rate", "Goals", "percent",
            "Persons who reached a goal ÷ all visitors of the question, whatever they did.",
            (_CONVERTERS, _ALL_VISITORS), share, change="points", decimals=2),
    Measure("group_conversion_rate", "Conversion rate of the row", "Goals", "percent",
            "Persons who reached a goal ÷ visitors of the same source, page, country and so on.",
            (_CONVERTERS, _GROUP_VISITORS), share, change="points", decimals=2),
    Measure("visit_conversion_rate", "Conversion rate of visits", "Goals", "percent",
            "Visits in which a goal was reached ÷ visits of the same source, page, country and so on.",
            (_CONVERTED, _GROUP_VISITS), share, change="points", decimals=2),
    Measure("total_revenue", "Revenue", "Goals", "money", "Sum of the values of goals. Currencies are never added up.",
            (_REVENUE,), adds=True, decimals=2, currency="goal"),
    Measure("orders", "Sales", "Goals", "count", "Goals reached that have a value.", (_ORDERS,), adds=True),
    Measure("average_revenue", "Average sale", "Goals", "money", "Revenue ÷ sales.", (_REVENUE, _ORDERS), _ratio,
            decimals=2, currency="goal"),
    Measure("revenue_per_visitor", "Revenue per visitor", "Goals", "money",
            "Revenue ÷ visitors of the same source, page, country and so on.", (_REVENUE, _GROUP_VISITORS), _ratio,
            decimals=2, currency="goal"),
    Measure("product_views", "Product views", "Shop", "count", "Actions product_view.",
            (Part("product_views", (SHOP,), _shop_count("product_view")),), adds=True),
    Measure("cart_additions", "Added to cart", "Shop", "count", "Actions add_to_cart.",
            (Part("cart_additions", (SHOP,), _shop_count("add_to_cart")),), adds=True),
    Measure("transactions", "Transactions", "Shop", "count",
            "Distinct transactions of an application; one that is sent again counts once.",
            (Part("transactions", (SHOP,), lambda get: sa.func.count(sa.case((get("bought") == 1, 1))),
                  over=_TRANSACTIONS, inner={"bought": lambda get: sa.func.max(sa.case((_bought(get), 1), else_=0))}),),
            adds=True),
    Measure("shop_revenue", "Shop revenue", "Shop", "money",
            "Revenue of transactions, each once, and of refunds, which are less than 0.",
            (Part("shop_revenue", (SHOP,), lambda get: Total(get("revenue")),
                  over={**_TRANSACTIONS, "event": lambda get: get("event_id")},
                  inner={"revenue": lambda get: sa.func.max(sa.case(
                      (sa.or_(_bought(get), get("action") == "refund"), get("revenue"))))}),),
            adds=True, decimals=2, currency="shop"),
    Measure("product_revenue", "Product revenue", "Shop", "money",
            "Price × quantity of the products of transactions; without a quantity: 1.",
            (Part("product_revenue", (SHOP,), lambda get: Total(sa.case(
                (_bought(get), Number(get("price")) * Number(sa.func.coalesce(get("quantity"), 1)))))),),
            adds=True, decimals=2, currency="shop"),
    Measure("product_quantity", "Products sold", "Shop", "count", "Quantity of the products of transactions.",
            (Part("product_quantity", (SHOP,), lambda get: Total(sa.case(
                (sa.and_(_bought(get), get("product_index") > 0), sa.func.coalesce(get("quantity"), 1))))),),
            adds=True),
    Measure("carts", "Carts", "Shop", "count", "Visits in which something was added to a cart.",
            (_cart_part("carts", abandoned=False),), adds=True),
    Measure("abandoned_carts", "Abandoned carts", "Shop", "count",
            "Visits in which something was added to a cart and nothing was bought.",
            (_cart_part("abandoned_carts", abandoned=True),), better="down", adds=True),
    Measure("cart_abandonment", "Cart abandonment", "Shop", "percent", "Abandoned carts ÷ carts.",
            (_cart_part("abandoned_carts", abandoned=True), _cart_part("carts", abandoned=False)), share, better="down",
            change="points", decimals=1),
    Measure("vitals_samples", "Measurements", "Web vitals", "count", "Page views with measurements of web vitals.",
            (Part("vitals_samples", (VITALS,), _rows),), adds=True),
    *_vital("lcp", "Largest contentful paint", "milliseconds", 2500, 4000),
    *_vital("inp", "Interaction to next paint", "milliseconds", 200, 500),
    *_vital("cls", "Cumulative layout shift", "score", 0.1, 0.25, 3),
    *_vital("fcp", "First contentful paint", "milliseconds", 1800, 3000),
    *_vital("ttfb", "Time to first byte", "milliseconds", 800, 1800),
    Measure("errors", "Application errors", "Errors", "count", "application_error events.",
            (Part("errors", (ERRORS,), _rows),), better="down", adds=True),
    Measure("fatal_errors", "Crashes", "Errors", "count", "application_error events that ended the application.",
            (Part("fatal_errors", (ERRORS,), _where("is_fatal")),), better="down", adds=True),
)  # fmt: skip


def _currency(base: Base, end: str, least: Callable[..., sa.ColumnElement[Any]], amount: str) -> Part:
    def aggregate(get: Get) -> sa.ColumnElement[Any]:
        return least(sa.case((get(amount).is_not(None), sa.func.nullif(get("currency"), ""))))

    return Part(f"{base.name}_{end}_currency", (base,), aggregate, counts=False, is_text=True)


CURRENCIES: dict[str, tuple[Part, Part]] = {
    "goal": (
        _currency(CONVERSIONS, "first", sa.func.min, "value"),
        _currency(CONVERSIONS, "last", sa.func.max, "value"),
    ),
    "shop": (_currency(SHOP, "first", sa.func.min, "price"), _currency(SHOP, "last", sa.func.max, "price")),
}
"""The first and the last of the currencies that a sum of money is of; where they differ there is no sum."""

MEASURES: dict[str, Measure] = {one.name: one for one in _ALL}
"""Every measure by its name."""
