"""An OpenTelemetry collector as far as tests need one: it takes OTLP over HTTP and keeps the spans."""

from __future__ import annotations

from typing import Any

import msgspec

from snowgauge.testing.web import Web


class Span(msgspec.Struct):
    name: str
    trace: str
    id: str
    parent: str
    kind: int
    about: dict[str, Any]
    links: list[tuple[str, str]]
    events: list[str]
    failed: bool
    resource: dict[str, Any]
    length: int


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    found = getattr(value, kind)
    return [_value(one) for one in found.values] if kind == "array_value" else found


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def spans(web: Web) -> list[Span]:
    """All that came so far."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = []
    for asked in list(web.asked):
        request = ExportTraceServiceRequest()
        request.ParseFromString(asked.body)
        for of_resource in request.resource_spans:
            resource = _values(of_resource.resource.attributes)
            for one in (span for scope in of_resource.scope_spans for span in scope.spans):
                found.append(
                    Span(
                        one.name,
                        one.trace_id.hex(),
                        one.span_id.hex(),
                        one.parent_span_id.hex(),
                        one.kind,
                        _values(one.attributes),
                        [(link.trace_id.hex(), link.span_id.hex()) for link in one.links],
                        [event.name for event in one.events],
                        one.status.code == 2,
                        resource,
                        one.end_time_unix_nano - one.start_time_unix_nano,
                    )
                )
    return found
