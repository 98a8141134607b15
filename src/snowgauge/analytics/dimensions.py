"""What answers are divided by and filtered by: one entry per dimension.

An entry says where its values lie (``places``); everything else follows: menus, reference, checks, SQL. A property of
an event or an entity is a dimension of its own, made when it is named (``event:props:<path>``).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from snowgauge.analytics.buckets import INTERVALS, Interval
from snowgauge.analytics.operators import Kind
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.sql.bases import Base, Home
from snowgauge.analytics.sql.expressions import PropertyValues
from snowgauge.store.nested import NestedColumn, nested_column

Get = Callable[[str], sa.ColumnElement[Any]]
"""A column of one table by its name."""

Place = Callable[[Get], sa.ColumnElement[Any]]
Group = Literal[
    "Application", "Source", "Campaign", "Visit", "Page", "Place", "Device", "Goal", "Event", "Shop", "Web vitals",
    "Errors", "Time",
]  # fmt: skip

PROPERTY = "event:props:"


@dataclass(frozen=True)
class Dimension:
    """``unset``: what people read where there is no value (in answers ``null``). ``of``: what has it, in words.

    ``entry``: for visits, the page that they entered on instead of any page.
    """

    name: str
    label: str
    group: Group
    of: Literal["visit", "event", "time"]
    help: str
    places: Mapping[Home, Place]
    kind: Kind = "text"
    entry: Place | None = None
    unset: str = "(not set)"
    nested: NestedColumn | None = None

    def place(self, base: Base) -> tuple[Home, Place] | None:
        """Where its values lie for rows of a base; ``None``: those have none."""
        if base.entry_pages and self.entry is not None:
            return "sessions", self.entry
        return next(((home, self.places[home]) for home in base.reach if home in self.places), None)


@dataclass(frozen=True)
class TimeDimension:
    """``interval``: how long the buckets are; ``None``: as suits the period. ``clock``: around the clock, not along
    time."""

    name: str
    label: str
    help: str
    interval: Interval | None = None
    clock: Literal["hour", "weekday"] | None = None


def text(name: str) -> Place:
    """A text column, ``''`` where it is not set."""
    return lambda get: sa.func.coalesce(get(name), "")


def _number(name: str) -> Place:
    return lambda get: get(name)


def _one_of(name: str, yes: str, no: str) -> Place:
    """Two texts for a flag; none where there is no visit."""
    return lambda get: sa.case((get(name), yes), (sa.not_(get(name)), no), else_="")


def _joined(first: str, second: str) -> Place:
    return lambda get: sa.func.concat(sa.func.coalesce(get(first), ""), sa.func.coalesce(get(second), ""))


def _visit(name: str, label: str, group: Group, column: str | Place, help_: str, **more: Any) -> Dimension:
    place = text(column) if isinstance(column, str) else column
    return Dimension(f"visit:{name}", label, group, "visit", help_, {"sessions": place}, **more)


def _page(name: str, label: str, column: str | Place, help_: str, *, entry: str = "", **more: Any) -> Dimension:
    places: dict[Home, Place] = {"page_views": text(column) if isinstance(column, str) else column}
    places |= {home: text(other) for home, other in more.pop("also", {}).items()}
    return Dimension(
        f"event:{name}", label, "Page", "event", help_, places, entry=text(entry) if entry else None, **more
    )


def _of(home: Home, prefix: str, group: Group, name: str, label: str, column: str, help_: str) -> Dimension:
    return Dimension(f"{prefix}:{name}", label, group, "event", help_, {home: text(column)})


_EVERYWHERE: tuple[Home, ...] = (
    "sessions", "page_views", "conversions", "web_vitals", "ecommerce_actions", "app_errors", "events",
)  # fmt: skip

_ALL = (
    Dimension("app", "Application", "Application", "visit", "The app id that the tracker was given.",
              {home: text("app_id") for home in _EVERYWHERE}),
    _visit("channel", "Channel", "Source", "channel",
           "What kind of source brought the visit, such as Organic Search or Referral: see the rules of channels."),
    _visit("source", "Source", "Source", "source",
           "What brought the visit: its utm_source, else the referring site's name or host. Nothing of that: Direct.",
           unset="Direct"),
    _visit("referrer", "Referrer", "Source", _joined("refr_urlhost", "refr_urlpath"),
           "Host and path of the referring page.", unset="Direct"),
    _visit("referrer_host", "Referring host", "Source", "refr_urlhost", "Host of the referring page.", unset="Direct"),
    _visit("referrer_medium", "Kind of referrer", "Source", "refr_medium",
           "What kind of site the referring one is: search, social, email, paid, chatbot, internal or unknown.",
           unset="Direct"),
    _visit("search_term", "Search term", "Source", "refr_term", "What was searched for, where the site tells."),
    _visit("utm_medium", "UTM medium", "Campaign", "mkt_medium", "utm_medium of the page that the visit entered on."),
    _visit("utm_source", "UTM source", "Campaign", "mkt_source", "utm_source of the page that the visit entered on."),
    _visit("utm_campaign", "UTM campaign", "Campaign", "mkt_campaign",
           "utm_campaign of the page that the visit entered on."),
    _visit("utm_content", "UTM content", "Campaign", "mkt_content", "utm_content of the page that the visit "
    "entered on."),
    _visit("utm_term", "UTM term", "Campaign", "mkt_term", "utm_term of the page that the visit entered on."),
    _visit("click_network", "Advertising network", "Campaign", "mkt_network", "Network of the advertiser's click id."),
    _visit("entry_page", "Entry page", "Visit", "entry_path", "Path of the visit's first page."),
    _visit("exit_page", "Exit page", "Visit", "exit_path", "Path of the visit's last page."),
    _visit("entry_page_hostname", "Entry host", "Visit", "entry_host", "Host of the visit's first page."),
    _visit("exit_page_hostname", "Exit host", "Visit", "exit_host", "Host of the visit's last page."),
    _visit("entry_page_title", "Entry title", "Visit", "entry_title", "Title of the visit's first page."),
    _visit("exit_page_title", "Exit title", "Visit", "exit_title", "Title of the visit's last page."),
    _visit("entry_content_group", "Entry content group", "Visit", "entry_content_group",
           "Content group of the visit's first page."),
    _visit("visitor", "New or returning", "Visit", _one_of("is_new_visitor", "new", "returning"),
           "Whether it is the visitor's first visit."),
    _visit("login", "Known by login", "Visit", lambda get: sa.case(
               (sa.func.coalesce(get("user_id"), "") != "", "known"),
               (sa.func.coalesce(get("session_id"), "") != "", "anonymous"), else_=""),
           "Whether someone logged in during the visit."),
    _visit("platform", "Platform", "Visit", "platform", "The tracker's platform, such as web or mob."),
    _visit("engagement", "Engaged or bounced", "Visit", _one_of("is_bounce", "bounced", "engaged"),
           "Bounced: see the measure bounce_rate."),
    _visit("views", "Page views of the visit", "Visit", _number("views"), "How many page views the visit has.",
           kind="number"),
    _visit("duration", "Duration of the visit", "Visit", _number("duration_s"), "Seconds from its first to its "
    "last event.",
           kind="number"),
    _visit("country", "Country", "Place", "geo_country", "Two-letter code of ISO 3166-1."),
    _visit("region", "Region", "Place", lambda get: sa.case(
               (sa.func.coalesce(get("geo_region"), "") == "", ""),
               else_=sa.func.concat(get("geo_country"), "-", get("geo_region"))),
           "Code of ISO 3166-2, such as DE-BY."),
    _visit("region_name", "Region's name", "Place", "geo_region_name", "Name of the region, in English."),
    _visit("city", "City", "Place", "geo_city", "Name of the city, in English."),
    _visit("device", "Device", "Device", "dvce_type", "Kind of device, such as Desktop or Phone."),
    _visit("browser", "Browser", "Device", "br_family", "Name of the browser; of a bot its name."),
    _visit("browser_version", "Browser version", "Device", "br_version", "Version of the browser."),
    _visit("os", "Operating system", "Device", "os_family", "Name of the operating system."),
    _visit("os_version", "Version of the system", "Device", "os_version", "Version of the operating system."),
    _visit("screen", "Screen", "Device", "screen", "Width and height in pixels, such as 1920x1080."),
    _visit("language", "Language", "Device", "br_lang", "The browser's first language, such as de-DE."),
    _visit("timezone", "Time zone", "Device", "os_timezone", "The device's time zone."),
    _page("page", "Page", "page_path", "Path of the page, after the application's path rules; of screens / and "
    "the name.",
          entry="entry_path", also={"web_vitals": "page_path", "app_errors": "page_path"}),
    _page("hostname", "Host", "page_urlhost", "Host of the page.", entry="entry_host"),
    _page("page_title", "Title", "page_title", "Title of the page.", entry="entry_title"),
    _page("content_group", "Content group", "content_group", "Content group of the page, by the application's rules.",
          entry="entry_content_group", also={"web_vitals": "content_group"}),
    _page("query", "Query string", "page_urlquery", "Query string of the page's address."),
    _page("fragment", "Fragment", "page_urlfragment", "Fragment of the page's address."),
    _page("view_type", "Page or screen", "view_type", "page (of a web site) or screen (of an app)."),
    _page("previous_page", "Page before", "previous_path", "Path of the page before, in the same visit."),
    _page("next_page", "Page after", "next_path", "Path of the page after, in the same visit."),
    _page("scroll", "Scroll depth of the view", lambda get: get("scroll_pct"),
          "How much of the page was seen, 0 to 100.", kind="number"),
    _page("engaged", "Engaged time of the view", lambda get: get("engaged_s"), "Engaged time of the page view "
    "in seconds.",
          kind="number"),
    _of("conversions", "event", "Goal", "goal", "Goal", "goal", "Name of the goal that was reached."),
    _of("conversions", "event", "Goal", "currency", "Currency of the goal", "currency", "Currency of the goal's "
    "value."),
    _of("events", "event", "Event", "name", "Event", "event_name", "Name of the event, such as page_view or "
    "link_click."),
    _of("events", "event", "Event", "vendor", "Vendor", "event_vendor", "Vendor of the event's schema."),
    _of("events", "event", "Event", "version", "Schema version", "event_version", "Version of the event's schema."),
    _of("events", "event", "Event", "category", "Structured event's category", "se_category", "se_category."),
    _of("events", "event", "Event", "action", "Structured event's action", "se_action", "se_action."),
    _of("events", "event", "Event", "label", "Structured event's label", "se_label", "se_label."),
    _of("events", "event", "Event", "property", "Structured event's property", "se_property", "se_property."),
    _of("ecommerce_actions", "shop", "Shop", "action", "Shop action", "action",
        "Kind of action, such as product_view, add_to_cart or transaction."),
    _of("ecommerce_actions", "shop", "Shop", "product", "Product", "name", "Name of the product."),
    _of("ecommerce_actions", "shop", "Shop", "product_id", "Product id", "product_id", "Id of the product."),
    _of("ecommerce_actions", "shop", "Shop", "brand", "Brand", "brand", "Brand of the product."),
    _of("ecommerce_actions", "shop", "Shop", "variant", "Variant", "variant", "Variant of the product."),
    *(_of("ecommerce_actions", "shop", "Shop", f"category_{n}", f"Category, part {n}", f"category_{n}",
          f"Part {n} of the product's category.") for n in range(1, 5)),
    _of("ecommerce_actions", "shop", "Shop", "currency", "Currency of the shop", "currency", "Currency of the action."),
    _of("ecommerce_actions", "shop", "Shop", "payment_method", "Payment method", "payment_method",
        "How the transaction was paid."),
    _of("web_vitals", "vitals", "Web vitals", "device", "Device", "dvce_type", "Kind of device that was measured."),
    _of("web_vitals", "vitals", "Web vitals", "navigation", "Navigation", "navigation_type", "How the page was "
    "reached."),
    _of("app_errors", "error", "Errors", "message", "Error", "message", "First 200 characters of the message."),
    _of("app_errors", "error", "Errors", "class", "Class of the error", "class", "Class of the error."),
    _of("app_errors", "error", "Errors", "app_version", "Version of the application", "app_version",
        "Version of the application that failed."),
)  # fmt: skip

DIMENSIONS: dict[str, Dimension] = {one.name: one for one in _ALL}
"""Every dimension by its name, but properties."""

TIMES: dict[str, TimeDimension] = {
    one.name: one
    for one in (
        TimeDimension("time", "Time", "Intervals that suit the length of the period."),
        *(
            TimeDimension(f"time:{interval}", interval.capitalize(), f"One row per {interval}, without gaps.", interval)
            for interval in INTERVALS
        ),
        TimeDimension("time:hour_of_day", "Hour of the day", "0 to 23, on the clock of the zone.", clock="hour"),
        TimeDimension("time:day_of_week", "Day of the week", "1 (Monday) to 7 (Sunday), in the zone.", clock="weekday"),
    )
}
"""Dimensions of time."""


def dimension(name: str, where: str) -> Dimension:
    """The dimension of this name, a property's too. Raises ``QuestionRefused``."""
    found = DIMENSIONS.get(name)
    if found is not None:
        return found
    if name.startswith(PROPERTY):
        return _property(name, where)
    if name in TIMES:
        raise QuestionRefused(where, f"{name} is no filter: the period says which time is meant (date_range)")
    raise unknown("dimension", name, [*DIMENSIONS, *TIMES], where, f", and {PROPERTY}<path> for properties")


def unknown(what: str, name: str, names: Iterable[str], where: str, more: str = "") -> QuestionRefused:
    """The refusal of a name that nothing has, with those that are nearest to it."""
    near = difflib.get_close_matches(name, list(names), 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "GET /api/v1/analytics/definitions lists them all"
    return QuestionRefused(where, f"there is no {what} {name[:100]!r}{more if not near else ''}: {hint}")


def _property(name: str, where: str) -> Dimension:
    path = name.removeprefix(PROPERTY)
    column = nested_column(path)
    if column is None:
        raise QuestionRefused(
            where,
            f"{path[:200]!r} is no property: write {PROPERTY}unstruct_event/<vendor>/<name>/<model>/<property> "
            f"for one of "
            f"an event, or {PROPERTY}contexts/<vendor>/<name>/<model>/<property> for one of an entity",
        )
    what = "entity" if column.entity else "event"
    label = f"{'.'.join(column.path) or 'version'} of {column.name}"
    return Dimension(
        name, label, "Event", "event", f"Property of the {what} {column.vendor}/{column.name}.",
        {"events": lambda get: PropertyValues(column, get)}, nested=column,
    )  # fmt: skip
