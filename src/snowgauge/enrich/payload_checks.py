"""What is wrong with a payload as a whole, before any event is looked for (enrich 6.10's loading step).

Each problem becomes a bad row of its own (``collector_payload_format_violation``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from snowgauge.enrich import querystrings
from snowgauge.enrich.transform.ips import forwarded_ip
from snowgauge.events.payload import PAYLOAD_SCHEMA, CollectorPayload

SNOWPLOW = "com.snowplowanalytics.snowplow"
_API = re.compile(r"/?([^/]+)/([^/]+)/?")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SHORT_UUID = re.compile("-".join([r"\+?([0-9a-f]+)"] * 5), re.IGNORECASE | re.ASCII)
_SIGNED = 2**63


class CheckedPayload(msgspec.Struct):
    """A payload that can go to an adapter. ``payload`` has its IP and network user id settled."""

    payload: CollectorPayload
    vendor: str
    version: str
    querystring: querystrings.Pairs


def check(payload: CollectorPayload) -> CheckedPayload | list[dict[str, Any]]:
    """The payload made ready, or the ``failure.message`` of each bad row."""
    problems: list[dict[str, Any]] = []
    pairs: querystrings.Pairs = []
    if (unknown := querystrings.unknown_encoding(payload.encoding)) is not None:
        return [{"error": f"error deserializing raw event: {unknown}"}]
    try:
        pairs = querystrings.parse(payload.querystring, payload.encoding)
    except querystrings.BadQuery as error:
        why = f"could not extract name-value pairs from querystring with encoding {payload.encoding}: {error}"
        problems.append(_problem("querystring", payload.querystring, why))
    api = None
    if payload.path is None:
        problems.append(_problem("path", None, "request does not contain a path"))
    else:
        api = api_of(payload.path)
        if api is None:
            why = "path does not match (/)vendor/version(/) nor is a legacy /i(ce.png) request"
            problems.append(_problem("path", payload.path, why))
    network_user_id = payload.network_user_id
    if network_user_id is not None and not _UUID.fullmatch(network_user_id):
        network_user_id = java_uuid(network_user_id)
        if network_user_id is None:
            problems.append(_problem("networkUserId", payload.network_user_id, "not valid UUID"))
    if payload.schema is None:
        problems.append({"error": f"verifying record as {PAYLOAD_SCHEMA[:-1]}* failed: found null"})
    if problems or api is None:
        return problems
    ip = forwarded_ip(payload.headers) if payload.headers else None
    if (ip is not None and ip != payload.ip_address) or network_user_id != payload.network_user_id:
        ip = payload.ip_address if ip is None else ip
        payload = msgspec.structs.replace(payload, ip_address=ip, network_user_id=network_user_id)
    return CheckedPayload(payload, api[0], api[1], pairs)


def _problem(field: str, value: str | None, expectation: str) -> dict[str, Any]:
    return {"payloadField": field, "value": value, "expectation": expectation}


@lru_cache(maxsize=256)
def api_of(path: str) -> tuple[str, str] | None:
    """Vendor and version that a path names, ``None`` when it names neither."""
    found = _API.fullmatch(path)
    if found:
        return found[1], found[2]
    if path == "/i" or path.startswith(("/i?", "/ice.png")):
        return SNOWPLOW, "tp1"
    return None


def java_uuid(text: str) -> str | None:
    """A UUID as java.util.UUID reads and prints it: any case, shortened groups filled up with zeros, longer ones cut
    off on the left, a plus sign before each."""
    found = _SHORT_UUID.fullmatch(text) if len(text) <= 36 else None
    if not found or any(int(group, 16) >= _SIGNED for group in found.groups()):
        return None
    widths = (8, 4, 4, 4, 12)
    return "-".join(f"{int(g, 16) & (16**w - 1):0{w}x}" for g, w in zip(found.groups(), widths, strict=True))
