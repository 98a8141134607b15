"""The messages of an ``adapter_failures`` bad row (failed-event facts 3.3), and failures made of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snowgauge.errors import AdapterFailure

Message = dict[str, Any]


def input_data(field: str, value: str | None, expectation: str) -> Message:
    """A field whose value is not as it must be."""
    return {"field": field, "value": value, "expectation": expectation}


def not_json(field: str, value: str | None, error: object) -> Message:
    """A field that must be JSON and is not; ``error`` is the parser's text."""
    return {"field": field, "value": value, "error": str(error)}


def schema_mapping(actual: str | None, expected: Mapping[str, str], expectation: str) -> Message:
    """An event type that has no schema."""
    return {"actual": actual, "expectedMapping": dict(expected), "expectation": expectation}


def bad_input(field: str, value: str | None, expectation: str) -> AdapterFailure:
    """A failure with one input-data message."""
    return AdapterFailure([input_data(field, value, expectation)])
