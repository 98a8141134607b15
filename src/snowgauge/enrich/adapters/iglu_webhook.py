"""The Iglu webhook: self-describing data from anywhere, at ``/com.snowplowanalytics.iglu/v1``."""

from __future__ import annotations

from typing import Any

from snowgauge.enrich import querystrings
from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.adapters.webhook import webhook_event
from snowgauge.errors import AdapterFailure, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.tracker import TrackerEvent

_JSON = ("application/json", "application/json; charset=utf-8")
_FORM = "application/x-www-form-urlencoded"
_NOT_DATA = frozenset(("schema", "nuid", "aid", "cv", "p"))


class IgluWebhook(Adapter):
    """The schema comes in the querystring or with the body; data as JSON, as a form or as querystring parameters.

    A JSON array is one event per element, also where each element names its own schema. (Enrich 6.10 has that only with
    ``schema`` in the querystring; else the array is one failure.) The default platform is ``app``, for
    forms ``srv`` (enrich 6.10; its documentation says ``srv`` for all).
    """

    paths = (("com.snowplowanalytics.iglu", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        body, content_type = source.payload.body, source.payload.content_type
        schema = source.parameters.get("schema")
        if body is not None and content_type is None:
            raise _failure("contentType", None, f"expected one of {', '.join((*_JSON, _FORM))}")
        if schema is None:
            if body is None:
                raise AdapterFailure(
                    [_problem("schema", None, "empty `schema` field"), _problem("body", None, "empty body")]
                )
            if content_type not in _JSON:
                raise _failure("contentType", content_type, f"expected one of {', '.join(_JSON)}")
            return self._self_describing(source, body)
        try:
            key = SchemaKey.parse(schema)
        except SelfDescribingError as error:
            raise _failure("schema", schema, error.code) from None
        if body is None:
            data = {name: value or None for name, value in source.parameters.items() if name not in _NOT_DATA}
            return [_event(source, key, data)]
        if content_type in _JSON:
            return [_event(source, key, item) for item in _items(source, body)]
        if content_type == _FORM:
            try:
                form = dict(querystrings.parse(body))
            except querystrings.BadQuery as error:
                raise _failure("body", body, str(error)) from None
            return [_event(source, key, form, "srv")]
        raise _failure("contentType", content_type, f"expected one of {', '.join((*_JSON, _FORM))}")

    def _self_describing(self, source: AdapterInput, body: str) -> list[TrackerEvent]:
        found = _read(source, body)
        if found == []:
            raise _failure("body", body, "empty array of events")
        items, problems = [], []
        for each in found if isinstance(found, list) else [found]:
            try:
                items.append(SelfDescribing.parse(each))
            except SelfDescribingError as error:
                problems.append({"json": error.json, "error": error.code})
        if problems:
            raise AdapterFailure(problems)
        return [_event(source, item.schema, item.data) for item in items]


def _event(source: AdapterInput, key: SchemaKey, data: Any, platform: str = "app") -> TrackerEvent:
    return webhook_event(source, key.uri, data, tracker="com.snowplowanalytics.iglu-v1", platform=platform)


def _items(source: AdapterInput, body: str) -> list[Any]:
    match _read(source, body):
        case []:
            raise _failure("body", body, "empty array of events")
        case list() as items:
            return items
        case dict() as item if item:
            return [item]
    raise _failure("body", body, "has no key-value pairs")


def _read(source: AdapterInput, body: str) -> Any:
    try:
        return source.parse_json(body)
    except ValueError as error:
        raise AdapterFailure([{"field": "body", "value": body, "error": str(error)}]) from None


def _problem(field: str, value: str | None, expectation: str) -> dict[str, Any]:
    return {"field": field, "value": value, "expectation": expectation}


def _failure(field: str, value: str | None, expectation: str) -> AdapterFailure:
    return AdapterFailure([_problem(field, value, expectation)])
