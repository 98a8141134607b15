"""Failed events of rows that no table can hold: ``loader_iglu_error`` (bad rows 2.3)."""

from __future__ import annotations

from typing import Any

import msgspec

from snowgauge.errors import SchemaResolutionError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.store.canonical import refused_event
from snowgauge.store.postgres.tables import Problem
from snowgauge.store.postgres.values import Misfit


def iglu_error(event: EnrichedEvent, key: SchemaKey, problem: Problem) -> FailedEvent:
    """The schema is not found (``loader_iglu_error``), or its table could not be made (``loader_runtime_error``)."""
    if not isinstance(problem, SchemaResolutionError):
        return refused_event(event, f"the table of {key.uri} could not be made: {problem}")
    error = {"error": "ResolutionError", "lookupHistory": problem.history}
    return _failed(event, key, {"schemaKey": key.uri, "error": error}, str(problem))


def misfit_error(event: EnrichedEvent, entity: SelfDescribing, misfit: Misfit) -> FailedEvent:
    """A value that its column's type cannot hold."""
    text = str(misfit)
    shown = {"schemaKey": entity.schema.uri, "value": entity.data, "expected": text}
    return _failed(event, entity.schema, shown, text)


def _failed(event: EnrichedEvent, key: SchemaKey, failure: dict[str, Any], message: str) -> FailedEvent:
    failed = refused_event(event, message)
    return msgspec.structs.replace(
        failed,
        failure_type="loader_iglu_error",
        data={**failed.data, "failure": [failure]},
        schema=key.uri,
    )
