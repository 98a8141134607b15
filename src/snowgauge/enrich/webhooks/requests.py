"""What a webhook's request must bring before its adapter looks at it: body, content type, JSON (adapter facts 1.6).

A content type is compared without its parameters, so ``application/json; charset=utf-8`` is JSON here; enrich 6.10
refuses it although many senders write it.
"""

from __future__ import annotations

from typing import Any

from snowgauge.enrich.adapters.base import AdapterInput
from snowgauge.enrich.webhooks.failure_messages import bad_input, not_json
from snowgauge.errors import AdapterFailure

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
NO_EVENTS = "empty body: no events to process"


def body_of(source: AdapterInput, message: str = NO_EVENTS, *, refuse_empty: bool = False) -> str:
    """The body's text; a request without one (GET) fails, and an empty one too where the adapter says so."""
    body = source.payload.body
    if body is None or (refuse_empty and not body):
        raise bad_input("body", None, message)
    return body


def require_content_type(source: AdapterInput, expected: str, *, show: bool = True) -> None:
    """Fail unless the request says that its body is of this type. ``show``: whether the failure holds what it said."""
    found = source.payload.content_type
    if found is None:
        raise bad_input("contentType", None, f"no content type: expected {expected}")
    if found.partition(";")[0].strip().lower() != expected:
        raise bad_input("contentType", found if show else None, f"expected {expected}")


def json_of(source: AdapterInput, text: str, field: str = "body") -> Any:
    """The text as JSON; a text that is not JSON fails with the field's name."""
    try:
        return source.parse_json(text)
    except ValueError as error:
        raise AdapterFailure([not_json(field, text, error)]) from None
