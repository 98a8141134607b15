"""IAB spiders and robots: whether the IAB/ABC International Spiders and Bots List knows a user agent or an address."""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

import msgspec

from snowgauge.enrich.assets import joined
from snowgauge.enrich.enrichments.base import PLACES, Asset, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing

ENTITY = SchemaKey("com.iab.snowplow", "spiders_and_robots", "jsonschema", 1, 0, 0)
_CACHED = 10_000
_LONGEST = 2048  # characters of a user agent or an address that are looked at
_DAY = 86_400_000
_IMPACTS = {"0": "PAGE_IMPRESSIONS", "1": "AD_IMPRESSIONS", "2": "PAGE_AND_AD_IMPRESSIONS"}
_BROWSER = {"spiderOrRobot": False, "category": "BROWSER", "reason": "PASSED_ALL", "primaryImpact": "NONE"}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T")


class Include(msgspec.Struct, frozen=True):
    """A browser's record. ``inactive`` is milliseconds since the epoch, ``None`` without a date."""

    pattern: str
    active: bool
    prefix: bool
    inactive: int | None


class Exclude(msgspec.Struct, frozen=True):
    """A robot's record."""

    pattern: str
    active: bool
    exceptions: tuple[str, ...]
    impact: str | None
    prefix: bool
    inactive: int | None


class Addresses(msgspec.Struct, frozen=True):
    literals: frozenset[str]
    networks: tuple[Network, ...]

    def hold(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return _java_text(address) in self.literals or any(
            address.version == network.version and address in network for network in self.networks
        )


class IabSpidersAndRobots(Enrichment):
    """Classifies an event by the three files of the IAB's list: addresses, browsers, robots.

    The list is a paid licence of IAB Tech Lab; if you have it, host ``ip_exclude_current_cidr.txt``,
    ``exclude_current.txt`` and ``include_current.txt`` and names the place. ``includeUseragents`` and
    ``excludeUseragents`` are pieces of user agents that count as browser or robot before the list is asked. The date of
    the event decides whether a record that became inactive still counts; dates of the list are taken as UTC. Without a
    licence, the YAUAA entity and bot detection mark robots from free sources.

    Sets no column. Attaches com.iab.snowplow/spiders_and_robots 1-0-0 to events that have a derived_tstamp and a user
    agent or an IP address; spiderOrRobot is true also for inactive robots. Fails with ``Invalid value of impression
    flag`` when a damaged record matches; unreadable files stop the start. Source: enrich 6.10, iab-spiders-and-robots
    0.3.1. Off by default.
    """

    config = "iglu:com.snowplowanalytics.snowplow.enrichments/iab_spiders_and_robots_enrichment/jsonschema/1-0-*"
    identifier = "iab-spiders-and-robots"
    runs_at = PLACES["iab_spiders_and_robots_enrichment"]
    sample: ClassVar[dict[str, Any]] = {
        "schema": (
            "iglu:com.snowplowanalytics.snowplow.enrichments/iab_spiders_and_robots_enrichment/jsonschema/1-0-1"
        ),
        "data": {
            "name": "iab_spiders_and_robots_enrichment",
            "vendor": "com.snowplowanalytics.snowplow.enrichments",
            "enabled": True,
            "parameters": {
                "ipFile": {"database": "ip_exclude_current_cidr.txt", "uri": "s3://acme-private/iab"},
                "excludeUseragentFile": {"database": "exclude_current.txt", "uri": "s3://acme-private/iab"},
                "includeUseragentFile": {"database": "include_current.txt", "uri": "s3://acme-private/iab"},
                "excludeUseragents": ["acme-monitor"],
                "includeUseragents": ["acme-kiosk"],
            },
        },
    }

    def __init__(
        self,
        addresses: Asset[Addresses],
        includes: Asset[tuple[Include, ...]],
        excludes: Asset[tuple[Exclude, ...]],
        included: Sequence[str] = (),
        excluded: Sequence[str] = (),
    ) -> None:
        self._addresses, self._includes, self._excludes = addresses, includes, excludes
        self._included = tuple(text.lower() for text in included)
        self._excluded = tuple(text.lower() for text in excluded)
        self._in_use: tuple[Addresses, tuple[Include, ...], tuple[Exclude, ...]] | None = None
        self._classified = lru_cache(maxsize=_CACHED)(self._classify)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> IabSpidersAndRobots:
        read = Parameters(parameters)

        def file(name: str, load: Callable[[bytes], T]) -> Asset[T]:
            return means.assets.get(joined(read[name].text("uri"), read[name].text("database")), load)

        return cls(
            file("ipFile", read_addresses),
            file("includeUseragentFile", read_includes),
            file("excludeUseragentFile", read_excludes),
            read.texts("includeUseragents") if "includeUseragents" in read else (),
            read.texts("excludeUseragents") if "excludeUseragents" in read else (),
        )

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:  # noqa: ARG002
        if event.derived_tstamp is None:
            return ()
        text = (event.useragent or "")[:_LONGEST]
        agent = text if text and not text.isspace() else None
        address = _address(event.user_ipaddress[:_LONGEST] if event.user_ipaddress else None)
        if agent is None and address is None:
            return ()
        newest = (self._addresses.value, self._includes.value, self._excludes.value)
        if self._in_use is None or any(a is not b for a, b in zip(self._in_use, newest, strict=True)):
            self._in_use = newest
            self._classified.cache_clear()
        # inactive dates are midnights of UTC, so that within a day nothing changes and the day serves as cache key
        return (SelfDescribing(ENTITY, self._classified(agent, address, event.derived_tstamp // _DAY).copy()),)

    def _classify(
        self, agent: str | None, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, day: int
    ) -> dict[str, Any]:
        assert self._in_use is not None
        addresses, includes, excludes = self._in_use
        moment = day * _DAY
        text = agent.lower() if agent else ""
        if agent and any(piece in text for piece in self._included):
            return _BROWSER
        if agent and any(piece in text for piece in self._excluded):
            return _robot("SPIDER_OR_ROBOT", "FAILED_UA_EXCLUDE", "UNKNOWN")
        if address is not None and addresses.hold(address):
            return _robot("SPIDER_OR_ROBOT", "FAILED_IP_EXCLUDE", "UNKNOWN")
        if not agent:
            return _BROWSER
        if not any(
            (record.active or (record.inactive is not None and moment < record.inactive)) and _matches(record, text)
            for record in includes
        ):
            return _robot("SPIDER_OR_ROBOT", "FAILED_UA_INCLUDE", "UNKNOWN")
        for robot in excludes:
            if not robot.active and robot.inactive is None:
                continue
            if _matches(robot, text) and not any(piece in text for piece in robot.exceptions):
                if robot.impact not in _IMPACTS:
                    raise EnrichmentFailure(f"Invalid value of impression flag: '{robot.impact or ''}'")
                active = robot.inactive is None or moment < robot.inactive
                category = "ACTIVE_SPIDER_OR_ROBOT" if active else "INACTIVE_SPIDER_OR_ROBOT"
                return _robot(category, "FAILED_UA_EXCLUDE", _IMPACTS[robot.impact])
        return _BROWSER


def read_addresses(content: bytes) -> Addresses:
    """The address file: a line with ``/`` is a network, any other an address as text; there are no comments."""
    literals, networks = set(), []
    for number, line in enumerate(content.decode("latin-1").splitlines(), 1):
        text = line.strip()
        if "/" in text:
            try:
                networks.append(ipaddress.ip_network(text, strict=False))
            except ValueError:
                raise ValueError(f"line {number}: {text!r} is not a network such as 192.0.2.0/24") from None
        elif text:
            literals.add(text)
    return Addresses(frozenset(literals), tuple(networks))


def read_includes(content: bytes) -> tuple[Include, ...]:
    """The browser file: ``pattern|active|startFlag|inactiveDate``."""
    return tuple(
        Include(row[0].lower(), row[1] == "1", row[2] == "1", _date(row[3])) for row in _rows(content, columns=4)
    )


def read_excludes(content: bytes) -> tuple[Exclude, ...]:
    """The robot file: ``pattern|active|exceptions|ignored|impact|startFlag|inactiveDate``."""
    return tuple(
        Exclude(
            row[0].lower(),
            row[1] == "1",
            tuple(text.strip().lower() for text in (row[2] or "").split(",") if text.strip()),
            row[4],
            row[5] == "1",
            _date(row[6]),
        )
        for row in _rows(content, columns=7)
    )


def _rows(content: bytes, columns: int) -> list[list[Any]]:
    """Rows with a pattern, padded with ``None`` where columns at the end are missing."""
    lines = [line for line in content.decode("latin-1").splitlines() if not line.startswith("#")]
    rows = []
    for row in csv.reader(lines, delimiter="|"):
        fields = [field.strip() for field in row]
        if fields and fields[0]:
            rows.append((fields + [None] * columns)[:columns])
    return rows


def _date(text: str | None) -> int | None:
    try:
        return int(datetime.strptime(f"{text} +0000", "%m/%d/%Y %z").timestamp() * 1000)
    except ValueError:
        return None


def _matches(record: Include | Exclude, text: str) -> bool:
    return text.startswith(record.pattern) if record.prefix else record.pattern in text


def _robot(category: str, reason: str, impact: str) -> dict[str, Any]:
    return {"spiderOrRobot": True, "category": category, "reason": reason, "primaryImpact": impact}


@lru_cache(maxsize=_CACHED)
def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0]) if text else None  # a zone means nothing to a list
    except ValueError:
        return None


def _java_text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """IPv6 written out, without leading zeros: a compressed entry of the list never equals it (enrich 6.10)."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":"))
