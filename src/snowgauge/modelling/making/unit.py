"""One unit: its events, its views, and the rows that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from snowgauge.modelling.entities import UA_PARSER, YAUAA, entities, first, text_of
from snowgauge.modelling.events import Event
from snowgauge.modelling.making.rules import Rules

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Table -> rows; columns that a row does not name are not set."""

REFERRER = ("page_referrer", "refr_urlhost", "refr_urlpath", "refr_medium", "refr_source", "refr_term")
MARKETING = (
    "mkt_medium", "mkt_source", "mkt_term", "mkt_content", "mkt_campaign", "mkt_clickid", "mkt_network",
)  # fmt: skip
PLACE = ("geo_country", "geo_region", "geo_region_name", "geo_city")


class Made(NamedTuple):
    """A unit while it is made."""

    unit: str
    events: Sequence[Event]
    rules: Rules
    is_bot: bool
    is_internal: bool


def columns_of(event: Event, names: Sequence[str]) -> Row:
    return {name: event.get(name) for name in names}


def device_of(event: Event) -> Row:
    """Browser and system of ua_parser, else of YAUAA, else of the event's own columns; device class of YAUAA."""
    browser, browser_version, system, system_version, kind = _named(event.get("derived_contexts"))
    width, height = event.get("dvce_screenwidth"), event.get("dvce_screenheight")
    return {
        "br_family": browser or event.get("br_family"),
        "br_version": browser_version or event.get("br_version"),
        "os_family": system or event.get("os_family") or event.get("os_name"),
        "os_version": system_version,
        "dvce_type": kind or event.get("dvce_type"),
        "screen": f"{width}x{height}" if width and height else "",
        "br_lang": event.get("br_lang"),
        "os_timezone": event.get("os_timezone"),
    }


@lru_cache(maxsize=4_000)
def _named(derived_contexts: str) -> tuple[str, str, str, str, str]:
    """Browser, its version, system, its version, and device class, as enrichments name them."""
    derived = entities(derived_contexts)
    parsed, yauaa = first(derived, UA_PARSER), first(derived, YAUAA)
    return (
        text_of(parsed, "useragentFamily") or text_of(yauaa, "agentName"),
        _version(parsed, "useragent") or text_of(yauaa, "agentVersion"),
        text_of(parsed, "osFamily") or text_of(yauaa, "operatingSystemName"),
        _version(parsed, "os") or text_of(yauaa, "operatingSystemVersion"),
        text_of(yauaa, "deviceClass"),
    )


def _version(parsed: Row, of: str) -> str:
    """ua_parser's version is the family and the numbers in one text; the numbers are meant."""
    numbers = [text_of(parsed, f"{of}{part}") for part in ("Major", "Minor", "Patch")]
    return ".".join(number for number in numbers if number) or text_of(parsed, f"{of}Version")
