"""Snowplow's tracker protocol 2: a batch of events as JSON in the body, or one event in the querystring."""

from __future__ import annotations

from typing import Any

import msgspec

from snowgauge.enrich.adapters.base import Adapter, AdapterInput
from snowgauge.errors import AdapterFailure, SelfDescribingError
from snowgauge.events.selfdescribing import SchemaCriterion, SchemaKey, SelfDescribing
from snowgauge.events.tracker import TrackerEvent

_CONTENT_TYPES = ("application/json", "application/json; charset=utf-8", "application/json; charset=UTF-8")
_CRITERION = SchemaCriterion("com.snowplowanalytics.snowplow", "payload_data", "jsonschema", 1, 0)
_REQUIRED = frozenset(("e", "p", "tv"))
_KNOWN = frozenset((
    "ad_ad", "ad_ba", "ad_ca", "ad_uid", "aid", "cd", "co", "cookie", "cs", "ctype", "cx", "ds", "dtm", "duid",
    "e", "eid", "f_ag", "f_dir", "f_fla", "f_gears", "f_java", "f_pdf", "f_qt", "f_realp", "f_wma", "fp", "ip",
    "lang", "mac", "nuid", "p", "page", "pp_max", "pp_may", "pp_mix", "pp_miy", "refr", "res", "sa", "se_ac",
    "se_ca", "se_la", "se_pr", "se_va", "sn", "sp", "st", "ti_ca", "ti_cu", "ti_id", "ti_na", "ti_nm", "ti_pr",
    "ti_qu", "ti_sk", "tid", "tna", "tr_af", "tr_ci", "tr_co", "tr_cu", "tr_id", "tr_sh", "tr_st", "tr_tt",
    "tr_tx", "tv", "tz", "ue_na", "ue_pr", "ue_px", "uid", "url", "vid", "vp",
))  # fmt: skip
PROPERTIES = {
    SchemaKey("com.snowplowanalytics.snowplow", "payload_data", "jsonschema", 1, 0, addition): names
    for addition, names in enumerate(
        (
            _KNOWN,
            _KNOWN | {"ua"},
            _KNOWN | {"ua", "tnuid"},
            _KNOWN | {"ua", "tnuid", "sid", "stm"},
            _KNOWN | {"ua", "tnuid", "sid", "stm", "ttm"},
        )
    )
}
"""payload_data's published versions and the parameters they allow, to know most bodies as valid at a glance.

Whatever is not known so goes through Iglu, which also finds the words for what is wrong. A test compares this table
with the schemas.
"""


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    """What nearly every body is: reading it so is half the work, and leaves no type to look at."""

    schema: str
    data: list[dict[str, str]]


_DEPTH = 4
"""Of a body that is plainly one: object, list, event, text."""
_read_body = msgspec.json.Decoder(_Body).decode


class TrackerProtocol2(Adapter):
    """A body must be ``payload_data`` 1-0-x; querystring parameters are added to every event of it and win.

    One bad event refuses the whole batch, as in enrich 6.10.
    """

    paths = (("com.snowplowanalytics.snowplow", "tp2"),)
    protocol = True

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        payload, parameters = source.payload, source.parameters
        body, content_type = payload.body, payload.content_type
        if body is None and not parameters:
            raise AdapterFailure(
                [
                    _problem("body", None, "empty body: not a valid tracker protocol event"),
                    _problem("querystring", None, "empty querystring: not a valid tracker protocol event"),
                ]
            )
        if content_type not in _CONTENT_TYPES and (content_type is not None or body is not None):
            raise AdapterFailure(
                [_problem("contentType", content_type, f"expected one of {', '.join(_CONTENT_TYPES)}")]
            )
        if body is None:
            if content_type is not None:
                # sic: "track protocol" is enrich's text
                raise AdapterFailure([_problem("body", None, "empty body: not a valid track protocol event")])
            return [TrackerEvent(parameters, source.vendor, source.version, payload)]
        return [
            TrackerEvent({**event, **parameters} if parameters else event, source.vendor, source.version, payload)
            for event in _batch(source, body)
        ]


def _batch(source: AdapterInput, body: str) -> list[dict[str, Any]]:
    plain = _plain_batch(body) if source.max_json_depth >= _DEPTH else None
    return _checked_batch(source, body) if plain is None else plain


def _plain_batch(body: str) -> list[dict[str, Any]] | None:
    """The events of a body that is valid beyond doubt."""
    try:
        plain = _read_body(body.encode("utf-8", "replace"))
        allowed = PROPERTIES.get(SchemaKey.parse(plain.schema))
    except (msgspec.DecodeError, SelfDescribingError):
        return None
    if allowed is None or not plain.data:
        return None
    return plain.data if all(_REQUIRED <= event.keys() <= allowed for event in plain.data) else None


def _checked_batch(source: AdapterInput, body: str) -> list[dict[str, Any]]:
    try:
        json = source.parse_json(body)
    except ValueError as error:
        raise AdapterFailure([{"field": "body", "value": body, "error": str(error)}]) from None
    try:
        item = SelfDescribing.parse(json)
    except SelfDescribingError as error:
        raise AdapterFailure([{"json": error.json, "error": error.code}]) from None
    invalid = source.validate(item)
    if invalid is not None:
        raise AdapterFailure([invalid])
    if not _CRITERION.matches(item.schema):
        raise AdapterFailure([{"schemaKey": item.schema.uri, "schemaCriterion": str(_CRITERION)}])
    events: list[dict[str, Any]] = item.data
    return events


def _problem(field: str, value: str | None, expectation: str) -> dict[str, Any]:
    return {"field": field, "value": value, "expectation": expectation}
