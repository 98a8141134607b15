"""Click redirects: ``/r/tp2?u=<address>``, where the address becomes an entity or the event itself."""

from __future__ import annotations

import base64
from typing import Any

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.enrich.adapters.webhook import unstruct_text
from snowgauge.enrich.transform.base64_text import decode_text
from snowgauge.errors import AdapterFailure
from snowgauge.events.json_text import compact
from snowgauge.events.tracker import TrackerEvent

_URI_REDIRECT = "iglu:com.snowplowanalytics.snowplow/uri_redirect/jsonschema/1-0-0"
_CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"


class Redirect(Adapter):
    """Without ``e`` the redirect is the event; with it, the redirect is put in front of the event's entities.

    ``tv`` is always ``r-tp2``; ``p`` defaults to ``web`` (enrich 6.10). A ``co`` or ``cx`` without a value counts as
    absent.
    """

    paths = (("r", "tp2"),)
    protocol = True

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        parameters = source.parameters
        if not parameters:
            raise _failure("querystring", None, "empty querystring: not a valid URI redirect")
        address = parameters.get("u")
        if address is None:
            pairs = "&".join(f"{name}={'null' if value is None else value}" for name, value in source.querystring)
            raise _failure("querystring", pairs, "missing `u` parameter: not a valid URI redirect")
        entity = {"schema": _URI_REDIRECT, "data": {"uri": address}}
        event = {name: value for name, value in parameters.items() if name != "u"}
        if "e" not in parameters:
            event |= {"e": "ue", "ue_pr": unstruct_text(_URI_REDIRECT, entity["data"])}
        elif (encoded := parameters.get("cx")) is not None:
            text = _with(entity, decode_text(encoded), source)
            event["cx"] = base64.urlsafe_b64encode(text.encode()).decode()
        elif plain := parameters.get("co"):
            event["co"] = _with(entity, plain, source)
        else:
            event["co"] = compact({"schema": _CONTEXTS, "data": [entity]})
        event["tv"] = "r-tp2"
        event.setdefault("p", "web")
        return [TrackerEvent(event, source.vendor, source.version, source.payload)]


def _with(entity: dict[str, Any], contexts: str, source: AdapterInput) -> str:
    """The contexts with the entity in front; JSON without a ``data`` array passes unchanged."""
    try:
        json = source.parse_json(contexts)
    except ValueError as error:
        raise AdapterFailure([{"field": "co|cx", "value": contexts, "error": str(error)}]) from None
    if isinstance(json, dict) and isinstance(json.get("data"), list):
        json = {**json, "data": [entity, *json["data"]]}
    return compact(json)


def _failure(field: str, value: str | None, expectation: str) -> AdapterFailure:
    return AdapterFailure([{"field": field, "value": value, "expectation": expectation}])
