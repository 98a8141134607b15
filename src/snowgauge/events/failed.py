"""A failed event: a Snowplow bad row, plus what it takes to find, group and recover it."""

from __future__ import annotations

from typing import Any

import msgspec

BAD_ROW_VERSIONS = {
    "size_violation": "1-0-0",
    "collector_payload_format_violation": "1-0-0",
    "adapter_failures": "1-0-0",
    "tracker_protocol_violations": "1-0-1",
    "schema_violations": "2-0-1",
    "enrichment_failures": "2-0-1",
    "loader_parsing_error": "2-0-0",
    "loader_iglu_error": "2-0-1",
    "loader_runtime_error": "1-0-1",
    "recovery_error": "1-0-1",
    "generic_error": "1-0-0",
}
"""The type of a bad row -> the schema version that current Snowplow software writes."""


class Processor(msgspec.Struct, frozen=True):
    """Who made a bad row. ``v_etl`` of good events is the two joined by a dash."""

    artifact: str
    version: str


class FailedEvent(msgspec.Struct, kw_only=True):
    """One bad row and what the store keeps beside it.

    ``id`` is a UUID made of the record it came from, so that processing a record again gives the same id.
    ``failed_at`` is milliseconds since the epoch, UTC. ``record`` is the Thrift record of the request, whole, where
    there is one: recovery replays from it; ``event_index`` says which of its events failed (``None``: all of it), and
    ``seed`` is what the ids of its events are made of, so that a replay makes the same ids.
    ``schema`` is the URI of the schema at fault, ``message`` the first reason as one line.
    """

    id: str
    failure_type: str
    failed_at: int
    data: dict[str, Any]
    app_id: str | None = None
    platform: str | None = None
    event_id: str | None = None
    event_name: str | None = None
    tracker: str | None = None
    collector_tstamp: int | None = None
    schema: str | None = None
    message: str = ""
    record: bytes | None = None
    event_index: int | None = None
    seed: str | None = None

    def bad_row(self) -> dict[str, Any]:
        """The bad row, exactly as Snowplow writes it."""
        return {"schema": bad_row_schema(self.failure_type), "data": self.data}

    def bad_row_json(self) -> bytes:
        return msgspec.json.encode(self.bad_row())


def bad_row_schema(failure_type: str) -> str:
    return f"iglu:com.snowplowanalytics.snowplow.badrows/{failure_type}/jsonschema/{BAD_ROW_VERSIONS[failure_type]}"


def bad_row_data(processor: Processor, failure: Any, payload: Any) -> dict[str, Any]:
    """``data`` of a bad row, keys in the order Snowplow writes them."""
    return {
        "processor": {"artifact": processor.artifact, "version": processor.version},
        "failure": failure,
        "payload": payload,
    }
