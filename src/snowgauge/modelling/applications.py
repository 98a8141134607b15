"""Settings per application: what its figures mean, changed in the console, by the API or in a file."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator

from snowgauge.errors import SettingsError
from snowgauge.part_settings import PartSettings

Name = Annotated[str, Field(min_length=1, max_length=100)]
Pattern = Annotated[str, Field(min_length=1, max_length=1000)]
Texts = Annotated[tuple[Annotated[str, Field(max_length=500)], ...], Field(max_length=500)]


class PathRules(PartSettings):
    """How the path of an address becomes the page that is counted."""

    trailing_slash: Literal["strip", "keep"] = "strip"
    """`strip`: `/a/` and `/a` are one page."""

    lower_case: bool = False
    """`/About` and `/about` are one page."""

    hash_routes: bool = False
    """A fragment that begins with `#/` or `#!` belongs to the path."""

    patterns: Annotated[tuple[Pattern, ...], Field(max_length=500)] = ()
    """Pages with a variable part: of the first pattern that matches, such as `/user/:id`, the page has the name."""


class ContentGroup(PartSettings):
    """Pages that belong together."""

    name: Name
    """What they are called."""

    pattern: Pattern
    """Which they are: `/blog/*`."""


class OwnTraffic(PartSettings):
    """Whose visits are marked `is_internal`."""

    networks: Annotated[tuple[str, ...], Field(max_length=500)] = ()
    """Addresses and networks: `203.0.113.0/24`."""

    parameter: str = ""
    """A parameter of the page's address that marks a visit: `internal` for `?internal=1`."""

    user_domains: Texts = ()
    """Domains of user ids that are e-mail addresses: `example.com`."""

    @field_validator("networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ipaddress.ip_network(text, strict=False)
            except ValueError:
                raise ValueError(f"{text!r} is no address or network: write 203.0.113.7 or 203.0.113.0/24") from None
        return value


class ChannelRule(PartSettings):
    """A channel of one's own. All conditions that are set must hold; texts are compared without regard to case, and `*`
    stands for anything."""

    channel: Name
    """The channel."""

    source: str = ""
    """Name of the source."""

    medium: str = ""
    """utm_medium."""

    campaign: str = ""
    """utm_campaign."""

    referrer_host: str = ""
    """Host of the referring page."""

    click_id: str = ""
    """Parameter of a click id, such as `gclid`."""

    landing_path: str = ""
    """The page that the visit began with."""

    @model_validator(mode="after")
    def _some_condition(self) -> ChannelRule:
        if not any(getattr(self, name) for name in type(self).model_fields if name != "channel"):
            raise ValueError(f"the rule for channel {self.channel!r} has no condition: it would take every visit")
        return self


class Condition(PartSettings):
    """A property of an event's own data, and what it must be."""

    property: Name
    """Name in the event's data; `a.b` is `b` inside of `a`."""

    values: Texts = ()
    """One of these texts; empty: it must be set."""


class Goal(PartSettings):
    """Something worth counting."""

    name: Name
    """What it is called."""

    kind: Literal["page", "screen", "event", "scroll", "time", "link", "form", "visit"]
    """What it is: a page or screen seen, an event, a page read to a depth or for a time, a link followed, a form sent,
    or a visit of some views or some time."""

    pattern: str = Field(default="", max_length=1000)
    """Of page, scroll and time: which pages; of screen: which screens; of link: which targets. Empty: any."""

    event: str = Field(default="", max_length=200)
    """Of event: its `event_name`."""

    conditions: Annotated[tuple[Condition, ...], Field(max_length=20)] = ()
    """Of event and form: what its data must say."""

    at_least: float | None = Field(default=None, ge=0)
    """Of scroll: percent; of time: seconds of engagement; of visit: views, or seconds with `unit` seconds."""

    unit: Literal["views", "seconds"] = "views"
    """Of visit: what `at_least` counts."""

    value: float | None = None
    """What meeting it is worth."""

    value_property: str = ""
    """Of event: the property of its data that says what it is worth."""

    currency: str = Field(default="", max_length=3)
    """Currency of the value, ISO 4217."""

    @model_validator(mode="after")
    def _complete(self) -> Goal:
        if self.kind == "event" and not self.event:
            raise ValueError(f"goal {self.name!r} of kind event needs `event`, the name of the event")
        if self.kind in ("scroll", "time", "visit") and not self.at_least:
            raise ValueError(f"goal {self.name!r} of kind {self.kind} needs `at_least`, a number above 0")
        if self.value_property and self.kind != "event":
            raise ValueError(f"goal {self.name!r}: `value_property` is for goals of kind event")
        return self


class Application(PartSettings):
    """Settings of one application (`app_id`)."""

    heartbeat: int = Field(default=10, ge=1, le=3600)
    """Seconds between page pings, as the tracker sends them."""

    minimum_visit: int = Field(default=5, ge=0, le=3600)
    """Seconds before the first page ping, as the tracker sends it."""

    zone: str = "UTC"
    """Reporting zone, such as `Europe/Berlin`."""

    week_start: Literal["monday", "sunday", "saturday"] = "monday"
    """First day of a week."""

    bounce: Literal["engaged", "single_page"] = "engaged"
    """`engaged`: at most one view, engaged for less than 10 seconds, no interaction, no conversion. `single_page`: at
    most one view and no interaction."""

    non_interactive: Texts = ()
    """Names of events that are sent without a person's doing."""

    paths: PathRules = PathRules()
    """How addresses become pages."""

    content_groups: Annotated[tuple[ContentGroup, ...], Field(max_length=200)] = ()
    """Groups of pages; the first that matches."""

    own_hosts: Texts = ()
    """Hosts of the same site, with their subdomains: no source of visits."""

    own_traffic: OwnTraffic = OwnTraffic()
    """Whose visits are marked as own."""

    source_parameters: Texts = ("source", "ref")
    """Parameters of the landing page's address that name the source where utm_source does not."""

    channels: Annotated[tuple[ChannelRule, ...], Field(max_length=200)] = ()
    """Channels that come before the ones there are; the first rule that matches."""

    goals: Annotated[tuple[Goal, ...], Field(max_length=200)] = ()
    """What is counted as conversions, beside transactions."""

    transactions: bool = True
    """Count every ecommerce transaction as a conversion of the goal `transaction`."""

    currency: str = Field(default="", max_length=3)
    """Currency of `revenue` in `sessions` and `users`; values in another are left out of it. Empty: of the first
    value."""

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is no time zone: write one such as Europe/Berlin or UTC")
        return value

    @model_validator(mode="after")
    def _one_name_each(self) -> Application:
        names = [goal.name for goal in self.goals] + (["transaction"] if self.transactions else [])
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two goals are called {name!r}: a goal's name says which it is")
        return self

    @cached_property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


Applications = Mapping[str, Application]
"""By application id; ``''`` is what holds where an application says nothing of its own."""


def read_application(values: Any, of: str) -> Application:
    """Raises ``SettingsError``, which names the field, the value and what is expected."""
    try:
        return Application.model_validate(values)
    except ValidationError as raised:
        told = []
        for error in raised.errors(include_url=False)[:5]:
            place = ".".join(str(part) for part in error["loc"]) or "settings"
            seen = repr(error["input"])
            told.append(f"{place}: {error['msg']}" + (f", found {seen[:80]}" if error["type"] != "missing" else ""))
        raise SettingsError(f"application {of!r}: " + "; ".join(told)) from None


def settings_for(applications: Applications, app_id: str) -> Application:
    return applications.get(app_id) or applications.get("") or _DEFAULT


def digest(applications: Applications) -> str:
    """Tells one set of definitions from another."""
    text = "\n".join(f"{name}:{applications[name].model_dump_json()}" for name in sorted(applications))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


_DEFAULT = Application()
