"""Failed events of the kinds that collector and enrich make, in the exact shape of Snowplow's bad rows.

Key order, explicit nulls and time formats follow the badrows library 2.3 as enrich 6.10 uses it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.enriched_tsv import bad_row_columns
from snowgauge.events.failed import FailedEvent, Processor, bad_row_data
from snowgauge.events.json_text import plain
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.timestamps import MAX_MS, MIN_MS, instant_text, iso_text
from snowgauge.events.tracker import TrackerEvent

Messages = Sequence[Mapping[str, Any]]


def format_violation(
    processor: Processor,
    at: int,
    failure_id: str,
    message: Mapping[str, Any],
    record: bytes,
    *,
    seed: str | None = None,
    loader: str = "thrift",
) -> FailedEvent:
    """A record that is no payload, or a payload that can go to no adapter. One of these per problem."""
    failure = {"timestamp": instant_text(at), "loader": loader, "message": message}
    return FailedEvent(
        id=failure_id,
        failure_type="collector_payload_format_violation",
        failed_at=at,
        data=bad_row_data(processor, failure, base64.b64encode(record).decode()),
        message=one_line(message),
        record=record,
        seed=seed,
    )


def adapter_failure(
    processor: Processor,
    at: int,
    failure_id: str,
    messages: Messages,
    *,
    vendor: str,
    version: str,
    querystring: Sequence[tuple[str, str | None]],
    payload: CollectorPayload,
    record: bytes,
    protocol: bool = False,
    seed: str | None = None,
    item: int | None = None,
) -> FailedEvent:
    """A payload, or an item of it, of which an adapter could make no event.

    ``protocol``: it came by Snowplow's own tracker protocol. ``item``: only the item of this place failed.
    """
    shown = plain(list(messages))
    failure = {"timestamp": instant_text(at), "vendor": vendor, "version": version, "messages": shown}
    body = {
        "vendor": vendor,
        "version": version,
        "querystring": [{"name": name, "value": value} for name, value in querystring],
        "contentType": payload.content_type,
        "body": payload.body,
        "collector": payload.collector,
        "encoding": payload.encoding or "UTF-8",
        "hostname": payload.hostname,
        "timestamp": collector_time(payload),
        "ipAddress": payload.ip_address,
        "useragent": payload.user_agent,
        "refererUri": payload.referer_uri,
        "headers": payload.headers or [],
        "networkUserId": payload.network_user_id,
    }
    parameters = dict(querystring)
    return FailedEvent(
        id=failure_id,
        failure_type="tracker_protocol_violations" if protocol else "adapter_failures",
        failed_at=at,
        data=bad_row_data(processor, failure, body),
        app_id=parameters.get("aid") or None,
        platform=parameters.get("p") or None,
        tracker=parameters.get("tv") or None,
        collector_tstamp=payload.timestamp if MIN_MS <= payload.timestamp <= MAX_MS else None,
        schema=_schema_at_fault(shown),
        message=one_line(shown[0]),
        record=record,
        event_index=item,
        seed=seed,
    )


def event_failure(
    processor: Processor,
    at: int,
    failure_id: str,
    failure_type: str,
    messages: Messages,
    *,
    event: EnrichedEvent,
    tracker: TrackerEvent,
    record: bytes,
    event_index: int,
    seed: str | None = None,
) -> FailedEvent:
    """One event that failed validation (``schema_violations``) or enrichment (``enrichment_failures``)."""
    payload = tracker.payload
    shown = plain(list(messages))
    raw = {
        "vendor": tracker.vendor,
        "version": tracker.version,
        "parameters": [{"name": name, "value": value} for name, value in tracker.parameters.items()],
        "contentType": payload.content_type,
        "loaderName": payload.collector,
        "encoding": payload.encoding or "UTF-8",
        "hostname": payload.hostname,
        "timestamp": collector_time(payload),
        "ipAddress": payload.ip_address,
        "useragent": payload.user_agent,
        "refererUri": payload.referer_uri,
        "headers": payload.headers or [],
        "userId": payload.network_user_id,
    }
    return FailedEvent(
        id=failure_id,
        failure_type=failure_type,
        failed_at=at,
        data=bad_row_data(
            processor,
            {"timestamp": instant_text(at), "messages": shown},
            {"enriched": bad_row_columns(event), "raw": raw},
        ),
        app_id=event.app_id,
        platform=event.platform,
        event_id=event.event_id,
        event_name=event.event_name,
        tracker=event.v_tracker,
        collector_tstamp=event.collector_tstamp,
        schema=_schema_at_fault(shown),
        message=one_line(shown[0]),
        record=record,
        event_index=event_index,
        seed=seed,
    )


def size_violation(
    processor: Processor, at: int, failure_id: str, *, maximum: int, actual: int, expectation: str, payload: str
) -> FailedEvent:
    """Something too large for where it should go; ``payload`` is the part of it that is kept."""
    failure = {
        "timestamp": instant_text(at),
        "maximumAllowedSizeBytes": maximum,
        "actualSizeBytes": actual,
        "expectation": expectation,
    }
    return FailedEvent(
        id=failure_id,
        failure_type="size_violation",
        failed_at=at,
        data=bad_row_data(processor, failure, payload),
        message=expectation,
    )


def generic_error(
    processor: Processor, at: int, failure_id: str, errors: Sequence[str], payload: str, *, record: bytes | None = None
) -> FailedEvent:
    """Whatever no other type fits."""
    failure = {"timestamp": instant_text(at), "errors": list(errors)}
    return FailedEvent(
        id=failure_id,
        failure_type="generic_error",
        failed_at=at,
        data=bad_row_data(processor, failure, payload),
        message=" ".join(errors[0].split()) if errors else "",
        record=record,
    )


def collector_time(payload: CollectorPayload) -> str:
    """The collector's time with exactly three digits of fraction, as Joda-Time prints it."""
    return iso_text(payload.timestamp)


def one_line(message: Mapping[str, Any]) -> str:
    """The reason that one bad-row message gives, for lists and logs."""
    return " ".join(_reason(message).split())


def _reason(message: Mapping[str, Any]) -> str:
    error = message.get("error")
    if isinstance(error, Mapping):
        if reports := error.get("dataReports"):
            report = reports[0]
            path = f"{report['path']}: " if str(report.get("keyword", "")).startswith("atomic_") else ""
            return f"{path}{report['message']}"
        if issues := error.get("schemaIssues"):
            return f"Invalid schema: {issues[0]['message']}"
        return f"Resolution error: schema {message.get('schemaKey')} not found"
    if "schemaCriterion" in message:
        return f"Unexpected schema: {message['schemaKey']} does not match {message['schemaCriterion']}"
    if isinstance(message.get("message"), Mapping):
        return _reason(message["message"])
    if "expectation" in message:
        field = message.get("field") or message.get("payloadField")
        return f"{field}: {message['expectation']}" if field else str(message["expectation"])
    if isinstance(error, str) and "json" in message:
        return f"not self-describing: {error}"
    if isinstance(error, str):
        return f"{message['field']}: {error}" if message.get("field") else error
    return str(dict(message))


def _schema_at_fault(messages: Messages) -> str | None:
    for message in messages:
        if isinstance(message.get("schemaKey"), str):
            return str(message["schemaKey"])
        enrichment = message.get("enrichment")
        if isinstance(enrichment, Mapping):
            return str(enrichment["schemaKey"])
    return None
