"""IP lookups: where an address is, who it belongs to and how it is connected, from MaxMind databases."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from snowgauge.enrich.assets import joined
from snowgauge.enrich.enrichments.base import PLACES, Asset, Enrichment, EnrichmentSource, Means
from snowgauge.enrich.enrichments.parameters import Parameters
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.enriched_tsv import narrowed
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.tsv_text import tsv_safe

ENTITY = SchemaKey("com.snowplowanalytics.snowplow", "asn", "jsonschema", 1, 0, 1)
KINDS = ("geo", "isp", "domain", "connectionType", "asn")
_CACHED = 20_000
_FARTHEST = 360.0  # degrees; more is no place
_LONGEST = 100  # characters; an address with zone, brackets and port has fewer
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")
_FOUND: dict[str, tuple[str, ...]] = {
    # names of files that are taken from the data folder, best first
    "geo": ("*[Cc]ity*.mmdb", "*[Cc]ountry*.mmdb"),
    "isp": ("*[Ii][Ss][Pp]*.mmdb",),
    "domain": ("*[Dd]omain*.mmdb",),
    "connectionType": ("*[Cc]onnection-[Tt]ype*.mmdb",),
    "asn": ("*[Aa][Ss][Nn]*.mmdb",),
}


class _Known(msgspec.Struct):
    """What all databases say about one address: columns to set, and the asn entity's data."""

    columns: tuple[tuple[str, Any], ...]
    asn: dict[str, Any] | None


class IpLookups(Enrichment):
    """Looks the user's address up in up to five databases in MaxMind's format, each ``{database, uri}``.

    ``geo`` fills the geo columns from a City database (DB-IP's and Country databases fill what they have), ``isp``
    ip_isp and ip_organization, ``domain`` ip_domain, ``connectionType`` ip_netspeed. ``asn``, or the ISP database,
    gives the asn entity; with both the ISP database counts. A port and brackets around the address are dropped; host
    names are not resolved. A City record without a location gives latitude and longitude 0, as enrich does.

    With no database configured it takes those that lie in the data folder's ``assets`` (names with City, Country,
    ASN, ISP, Domain, Connection-Type); by default it is off when there is none.

    Sets geo_country, geo_region, geo_region_name, geo_city, geo_zipcode, geo_latitude, geo_longitude, geo_timezone,
    ip_isp, ip_organization, ip_domain, ip_netspeed. Attaches com.snowplowanalytics.snowplow/asn 1-0-1. Never fails on
    an event; an unreadable database stops the start. Source: enrich 6.10, the MaxMind DB format.
    """

    config = "iglu:com.snowplowanalytics.snowplow/ip_lookups/jsonschema/2-0-*"
    identifier = "ip-lookups"
    runs_at = PLACES["ip_lookups"]
    fields = (
        "geo_country", "geo_region", "geo_region_name", "geo_city", "geo_zipcode", "geo_latitude", "geo_longitude",
        "geo_timezone", "ip_isp", "ip_organization", "ip_domain", "ip_netspeed",
    )  # fmt: skip
    default: ClassVar[dict[str, Any] | None] = {}
    default_needs = "database in the data folder's assets"
    sample: ClassVar[dict[str, Any]] = {
        "schema": "iglu:com.snowplowanalytics.snowplow/ip_lookups/jsonschema/2-0-1",
        "data": {
            "name": "ip_lookups",
            "vendor": "com.snowplowanalytics.snowplow",
            "enabled": True,
            "parameters": {
                "geo": {"database": "GeoLite2-City.mmdb", "uri": "file:///var/lib/maxmind"},
                "asn": {"database": "GeoLite2-ASN.mmdb", "uri": "file:///var/lib/maxmind"},
            },
        },
    }

    def __init__(self, databases: dict[str, Asset[Any]]) -> None:
        self._databases = databases
        self._readers: dict[str, Any] = {}
        self._known = lru_cache(maxsize=_CACHED)(self._look_up)

    @classmethod
    def create(cls, parameters: dict[str, Any], means: Means) -> IpLookups | None:
        read = Parameters(parameters)
        databases: dict[str, Asset[Any]] = {}
        for kind in KINDS:
            uri = None
            if kind in read:
                uri = joined(read[kind].text("uri"), read[kind].text("database"))
            elif not parameters:
                uri = next(filter(None, map(means.assets.find, _FOUND[kind])), None)
            if uri is not None:
                databases[kind] = means.assets.get_file(uri, open_database)
        return cls(databases) if databases or parameters else None

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:  # noqa: ARG002
        address = event.user_ipaddress
        if address is None or len(address) > _LONGEST:
            return ()
        for kind, asset in self._databases.items():
            if self._readers.get(kind) is not asset.value:
                self._readers[kind] = asset.value
                self._known.cache_clear()
        known = self._known(address)
        for name, value in known.columns:
            setattr(event, name, value)
        return (SelfDescribing(ENTITY, known.asn.copy()),) if known.asn else ()

    def _look_up(self, text: str) -> _Known:
        found = _WITH_PORT.fullmatch(text)
        if found:
            text = found[1] or found[2]
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return _Known((), None)
        columns: dict[str, Any] = {}
        asn = None
        for kind, reader in self._readers.items():
            record = _record(reader, address)
            if record is None:
                continue
            if kind == "geo":
                columns |= _place(record, located="Country" not in reader.metadata().database_type)
            elif kind == "isp":
                columns |= {"ip_isp": record.get("isp"), "ip_organization": record.get("organization")}
                asn = _asn(record) or asn
            elif kind == "domain":
                columns["ip_domain"] = record.get("domain")
            elif kind == "connectionType":
                columns["ip_netspeed"] = record.get("connection_type")
            else:
                asn = asn or _asn(record)
        cleaned = ((name, tsv_safe(value) if isinstance(value, str) else value) for name, value in columns.items())
        return _Known(tuple((name, value) for name, value in cleaned if value is not None), asn)


def open_database(path: Path) -> Any:
    """Map a database into memory. Raises ``ValueError`` when it is none."""
    import maxminddb

    try:
        return maxminddb.open_database(str(path))
    except maxminddb.InvalidDatabaseError as error:
        raise ValueError(f"not a MaxMind database: {error}") from error


def _record(reader: Any, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> dict[str, Any] | None:
    import maxminddb

    try:
        record = reader.get(address)
    except (ValueError, maxminddb.InvalidDatabaseError):
        # an IPv6 address in a database of IPv4 addresses, or a damaged record: the address is not known
        return None
    return record if isinstance(record, dict) else None


def _place(record: dict[str, Any], *, located: bool) -> dict[str, Any]:
    subdivisions = record.get("subdivisions") or [{}]
    location = record.get("location") or {}
    columns = {
        "geo_country": _inside(record, "country", "iso_code"),
        "geo_region": _inside(subdivisions[-1], "iso_code"),
        "geo_region_name": _inside(subdivisions[-1], "names", "en"),
        "geo_city": _inside(record, "city", "names", "en"),
        "geo_zipcode": _inside(record, "postal", "code"),
        "geo_timezone": _inside(location, "time_zone"),
    }
    if located or location:
        columns["geo_latitude"] = _float32(location.get("latitude"))
        columns["geo_longitude"] = _float32(location.get("longitude"))
    return columns


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value if isinstance(value, str) else None


def _float32(value: Any) -> float:
    """Columns hold 32-bit values, 0 where a record has none (enrich 6.10)."""
    known = isinstance(value, int | float) and abs(value) <= _FARTHEST
    return narrowed(float(value)) if known else 0.0


def _asn(record: dict[str, Any]) -> dict[str, Any] | None:
    number = record.get("autonomous_system_number")
    if not isinstance(number, int) or number > 2**31 - 1:
        return None
    name = tsv_safe(record.get("autonomous_system_organization"))
    return {"number": number, "organization": name} if name else {"number": number}
