"""An enriched event as Snowplow's analytics SDK for Scala 3.2 prints it, which is what Micro 4.5 answers.

Input is the canonical JSON of an event, as ``enriched_tsv.as_json`` and every store give it. *Whole* keeps the three
self-describing columns; *shredded* gives each schema a column of its own, and drops the wrappers ("lossy").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from snowgauge.errors import SelfDescribingError
from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.events.enriched_tsv import float_text
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.events.timestamps import instant_text, parse_ms

# the SDK prints 1-0-0 whatever version of the wrapper the tracker sent
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
UNSTRUCT_EVENT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"

_CAPITAL = re.compile(r"(?<=[^A-Z_])(?=[A-Z])")
_SELF_DESCRIBING = ("contexts", "derived_contexts", "unstruct_event")


def whole(event: Mapping[str, Any]) -> dict[str, Any]:
    """All 131 fields in the order of the TSV; instants in ISO 8601, decimals as numbers, wrappers in version 1-0-0."""
    out: dict[str, Any] = {}
    for field in ATOMIC_FIELDS:
        value = event.get(field.name)
        if field.kind == "entities":
            value = {"schema": CONTEXTS, "data": value["data"]} if value else {}
        elif field.kind == "event":
            value = {"schema": UNSTRUCT_EVENT, "data": value["data"]} if value else None
        else:
            value = _scalar(field.kind, value)
        out[field.name] = value
    return out


def shredded(event: Mapping[str, Any]) -> dict[str, Any]:
    """The 128 plain fields, ``geo_location`` where there is one, and one column per schema.

    Entities of the tracker and of enrichments share a column; each gets ``_schema_version``, the whole URI.
    """
    out = {
        field.name: _scalar(field.kind, event.get(field.name))
        for field in ATOMIC_FIELDS
        if field.name not in _SELF_DESCRIBING
    }
    if out["geo_latitude"] is not None and out["geo_longitude"] is not None:
        out["geo_location"] = f"{out['geo_latitude']},{out['geo_longitude']}"
    for name in ("contexts", "derived_contexts"):
        for entity in (event.get(name) or {}).get("data", ()):
            column = column_name("contexts", entity["schema"])
            data = entity["data"]
            if isinstance(data, dict):
                data = {**data, "_schema_version": entity["schema"]}
            out.setdefault(column, []).append(data)
    own = event.get("unstruct_event")
    if own:
        out[column_name("unstruct_event", own["data"]["schema"])] = own["data"]["data"]
    return out


def column_name(prefix: str, uri: str) -> str:
    """``contexts_com_acme_shopping_cart_1`` of ``iglu:com.acme/shoppingCart/jsonschema/1-0-2``."""
    try:
        key = SchemaKey.parse(uri)
    except SelfDescribingError:  # only of a stored event that something else wrote
        return f"{prefix}_{re.sub(r'[^a-z0-9]+', '_', uri.lower())}"
    vendor = re.sub(r"[.-]", "_", key.vendor).lower()
    name = _CAPITAL.sub("_", re.sub(r"[.-]", "_", key.name)).lower()
    return f"{prefix}_{vendor}_{name}_{key.model}"


def schema_of(event: Mapping[str, Any]) -> str | None:
    """The URI that ``event_vendor`` and its three neighbours make, where all are set."""
    parts = [event.get(name) for name in ("event_vendor", "event_name", "event_format", "event_version")]
    return "iglu:" + "/".join(map(str, parts)) if all(parts) else None


def _scalar(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "timestamp":
        return instant_text(parse_ms(value))
    if kind == "decimal":
        number = float(value)
        return number if isfinite(number) else value
    if kind == "float":
        return float(float_text(value))
    return value
