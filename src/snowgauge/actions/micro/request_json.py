"""``rawEvent`` and ``collectorPayload`` of Micro's answers: the request as it was received."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snowgauge.enrich import payload_checks
from snowgauge.errors import PayloadRecordError
from snowgauge.events import payload_record
from snowgauge.events.bad_row import collector_time
from snowgauge.events.failed import FailedEvent
from snowgauge.events.payload import CollectorPayload

VALIDATING = "Error while validating the event."
EXTRACTING = "Error while extracting event(s) from collector payload and validating it/them."
UNREADABLE = "Can't deserialize Thrift bytes."

_EVENT_FAILURES = frozenset({"schema_violations", "enrichment_failures"})


def raw_event(payload: CollectorPayload, parameters: Mapping[str, str | None]) -> dict[str, Any]:
    """One tracker event with the request it came in."""
    vendor, version = _api(payload)
    return {
        "api": {"vendor": vendor, "version": version},
        "parameters": dict(parameters),
        "contentType": payload.content_type,
        "source": _source(payload),
        "context": _context(payload),
    }


def collector_payload(record: bytes | None) -> dict[str, Any] | None:
    """The whole request; ``None`` when its record cannot be read, or names no API."""
    if record is None:
        return None
    try:
        payload = payload_record.decode(record)
    except PayloadRecordError:
        return None
    checked = payload_checks.check(payload)
    if isinstance(checked, list):
        return None
    payload = checked.payload
    return {
        "api": {"vendor": checked.vendor, "version": checked.version},
        "querystring": [f"{name}={'null' if value is None else value}" for name, value in checked.querystring],
        "contentType": payload.content_type,
        "body": payload.body,
        "source": _source(payload),
        "context": _context(payload),
    }


def bad_event(failed: FailedEvent, errors: list[str]) -> dict[str, Any]:
    """A failure as ``/micro/bad`` shows it; ``errors`` are its bad rows as JSON text."""
    request = collector_payload(failed.record)
    if failed.failure_type in _EVENT_FAILURES:
        return {
            "collectorPayload": request,
            "rawEvent": _raw_of_bad_row(failed.data),
            "errors": [VALIDATING, *errors],
        }
    sentence = UNREADABLE if failed.failure_type == "collector_payload_format_violation" else EXTRACTING
    return {"collectorPayload": request, "rawEvent": None, "errors": [sentence, *errors]}


def _raw_of_bad_row(data: Mapping[str, Any]) -> dict[str, Any] | None:
    payload = data.get("payload")
    raw = payload.get("raw") if isinstance(payload, dict) else None
    if raw is None:
        return None
    return {
        "api": {"vendor": raw.get("vendor"), "version": raw.get("version")},
        "parameters": {pair["name"]: pair["value"] for pair in raw.get("parameters") or ()},
        "contentType": raw.get("contentType"),
        "source": {"name": raw.get("loaderName"), "encoding": raw.get("encoding"), "hostname": raw.get("hostname")},
        "context": {
            "timestamp": raw.get("timestamp"),
            "ipAddress": raw.get("ipAddress"),
            "useragent": raw.get("useragent"),
            "refererUri": raw.get("refererUri"),
            "headers": raw.get("headers") or [],
            "userId": raw.get("userId"),
        },
    }


def _api(payload: CollectorPayload) -> tuple[str, str]:
    found = payload_checks.api_of(payload.path) if payload.path is not None else None
    assert found is not None, "an event was made of the payload, so its path names an API"
    return found


def _source(payload: CollectorPayload) -> dict[str, Any]:
    return {"name": payload.collector, "encoding": payload.encoding or "UTF-8", "hostname": payload.hostname}


def _context(payload: CollectorPayload) -> dict[str, Any]:
    return {
        "timestamp": collector_time(payload),
        "ipAddress": payload.ip_address,
        "useragent": payload.user_agent,
        "refererUri": payload.referer_uri,
        "headers": payload.headers or [],
        "userId": payload.network_user_id,
    }
