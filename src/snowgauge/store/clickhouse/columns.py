"""The columns of ``atomic.events``: Snowplow's 131 with the types that suit ClickHouse, and one for each schema.

Strings are never null: the enriched format cannot tell an empty string from none, and dozens of null maps per part are
saved. Numbers, booleans and timestamps are nullable, since 0, false and 1970 are values. Identifiers other than
``event_id`` may be hashes or anything a custom tracker sends: text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.events.selfdescribing import SchemaKey

_PLAIN_STRINGS = frozenset(
    [
        "user_id",
        "user_ipaddress",
        "user_fingerprint",
        "domain_userid",
        "network_userid",
        "geo_zipcode",
        "page_url",
        "page_title",
        "page_referrer",
        "page_urlpath",
        "page_urlquery",
        "page_urlfragment",
        "refr_urlpath",
        "refr_urlquery",
        "refr_urlfragment",
        "refr_term",
        "mkt_content",
        "se_label",
        "se_property",
        "tr_orderid",
        "ti_orderid",
        "ti_sku",
        "ti_name",
        "useragent",
        "mkt_clickid",
        "refr_domain_userid",
        "domain_sessionid",
        "event_fingerprint",
    ]
)
_REQUIRED = ("collector_tstamp",)
TIME = "DateTime64(3, 'UTC')"
_TYPES = {"int": "Nullable(Int32)", "boolean": "Nullable(Bool)", "float": "Nullable(Float64)"}


class Column(NamedTuple):
    """One column: its type, and codec or default as written in DDL."""

    name: str
    type: str
    extra: str = ""

    @property
    def ddl(self) -> str:
        return f"`{self.name}` {self.type}{' ' + self.extra if self.extra else ''}"


def _column(name: str, kind: str) -> Column:
    if kind == "timestamp":
        kind_text = TIME if name in _REQUIRED else f"Nullable({TIME})"
        return Column(name, kind_text, "CODEC(Delta, ZSTD(1))" if name in _REQUIRED else "CODEC(ZSTD(1))")
    if kind == "uuid":
        return Column(name, "UUID", "CODEC(ZSTD(1))")
    if kind == "decimal":
        return Column(name, "Nullable(Float64)" if name == "se_value" else "Nullable(Decimal(18, 2))")
    if kind in ("entities", "event"):
        return Column(name, "String", "CODEC(ZSTD(3))")
    if kind in _TYPES:
        return Column(name, _TYPES[kind])
    if name in _PLAIN_STRINGS:
        return Column(name, "String", "CODEC(ZSTD(1))")
    return Column(name, "LowCardinality(String)")


ATOMIC_COLUMNS = tuple(_column(field.name, field.kind) for field in ATOMIC_FIELDS)
"""In the order of the TSV."""

LOAD_TSTAMP = Column("load_tstamp", TIME, "DEFAULT now64(3, 'UTC') CODEC(Delta, ZSTD(1))")

_CAMEL = re.compile(r"([^A-Z_])([A-Z])")
_RUN = re.compile(r"([A-Z]+)([A-Z][a-z])")
_STEP = re.compile(r"([a-z\d])([A-Z])")
_OTHER = re.compile(r"[^A-Za-z0-9_]")


@lru_cache(maxsize=10_000)
def schema_column(key: SchemaKey, *, event: bool) -> str:
    """``unstruct_event_<vendor>_<name>_<model>`` or ``contexts_<vendor>_<name>_<model>`` (schema-ddl 0.27)."""
    vendor = key.vendor.replace(".", "_").replace("-", "_").lower()
    name = _CAMEL.sub(r"\1_\2", key.name.replace(".", "_").replace("-", "_")).lower()
    return f"{'unstruct_event' if event else 'contexts'}_{vendor}_{name}_{key.model}"


@lru_cache(maxsize=20_000)
def field_name(key: str) -> str:
    """A JSON key as a path in a JSON column: snake case, nothing but letters, digits and underscores.

    The engine would read a dot in a key as nesting, and every odd character has to be quoted in queries.
    """
    name = _OTHER.sub("_", _STEP.sub(r"\1_\2", _RUN.sub(r"\1_\2", key)).lower())
    return f"_{name}" if not name or name[0].isdigit() else name


def schema_of(key: SchemaKey) -> str:
    """What the comment of a schema's column says."""
    return f"iglu:{key.vendor}/{key.name}/{key.format}/{key.model}-*-*"
