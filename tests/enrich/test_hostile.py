"""Whatever a sender sends becomes an outcome that can be stored: never an exception, never nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import snowplow_analytics_sdk.event_transformer as sdk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.recorded import outcome_line
from snowgauge.enrich.transform.parameters import PARAMETERS
from snowgauge.enrich.transform.urls import BadUrl, parse
from snowgauge.events import payload_record
from snowgauge.events.enriched_tsv import from_tsv, to_tsv
from snowgauge.events.outcome import Enriched, Failed, Outcome
from snowgauge.events.payload import CollectorPayload
from snowgauge.iglu.contract import Validator

PATHS = ["/i", "/com.snowplowanalytics.snowplow/tp2", "/r/tp2", "/com.snowplowanalytics.iglu/v1", "/x/y", "/x", None]
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def enricher(validator: Validator) -> Enricher:
    return Enricher(validator, clock=lambda: 1_700_000_000_000)


def whole(outcomes: list[Outcome]) -> None:
    assert outcomes
    for outcome in outcomes:
        json.loads(outcome_line(None, outcome), parse_int=str, parse_float=str)
        msgspec.msgpack.decode(msgspec.msgpack.encode(outcome))
        event = outcome.event if isinstance(outcome, Enriched) else getattr(outcome, "incomplete", None)
        if event is not None:
            line = to_tsv(event)
            line.encode()
            assert line.count("\t") == 130
            assert "\n" not in line
            assert to_tsv(from_tsv(line)) == line
        if isinstance(outcome, Failed):
            json.loads(outcome.failure.bad_row_json())
            json.loads(json.dumps(outcome.failure.bad_row(), allow_nan=False))
            assert outcome.failure.message.isprintable() or "\n" not in outcome.failure.message


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes(enricher: Enricher, record: bytes) -> None:
    whole(enricher.process(record))


_TEXT = st.text(max_size=30)
_NAMES = _TEXT | st.sampled_from(["schema", "data"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_SCHEMAS = st.sampled_from(
    [
        "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0",
        "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
        "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
        "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0",
        "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1",
        "iglu:a/b/jsonschema/0-0-0",
    ]
)
_SELF_DESCRIBING = st.recursive(
    st.fixed_dictionaries({"schema": _SCHEMAS, "data": _JSON}),
    lambda inner: st.fixed_dictionaries({"schema": _SCHEMAS, "data": inner | st.lists(inner, max_size=3)}),
    max_leaves=4,
)
_VALUES = st.one_of(
    _TEXT,
    _SELF_DESCRIBING.map(json.dumps),
    st.integers().map(str),
    st.decimals().map(str),
    st.from_regex(r"\d{1,30}x\d{1,30}"),
    st.sampled_from(
        ["", "null", "1", "pv", "ue", "web", "http://a.com/|?_sp=a.b", "http://[::1", "٣", "1E4001", "\ud800"]
    ),
)
_PARAMETERS = st.dictionaries(st.sampled_from(sorted(PARAMETERS)) | _TEXT, _VALUES, max_size=12)


@FUZZ
@given(_PARAMETERS, st.sampled_from(PATHS), st.integers(-(2**63), 2**63 - 1), st.lists(_TEXT, max_size=3))
def test_any_parameters(
    enricher: Enricher, parameters: dict[str, str], path: str | None, timestamp: int, headers: list[str]
) -> None:
    query = "&".join(f"{quote(k, errors='replace')}={quote(v, errors='replace')}" for k, v in parameters.items())
    payload = CollectorPayload(
        path=path, querystring=query, timestamp=timestamp, headers=headers, collector="c", user_agent=query
    )
    whole(enricher.process(payload_record.encode(payload)))


@FUZZ
@given(
    _TEXT | st.from_regex(r"[a-z=&;%+#]{0,30}"),
    st.sampled_from(PATHS),
    st.sampled_from(["UTF-8", "latin-1", "base64", "x", None]),
)
def test_any_querystring(enricher: Enricher, query: str, path: str | None, encoding: str | None) -> None:
    payload = CollectorPayload(path=path, querystring=query, encoding=encoding, referer_uri=query, collector="c")
    whole(enricher.process(payload_record.encode(payload)))


@FUZZ
@given(
    st.one_of(_TEXT, _JSON.map(json.dumps), _SELF_DESCRIBING.map(json.dumps)),
    st.sampled_from(PATHS),
    st.sampled_from([None, "application/json", "application/x-www-form-urlencoded", "text/plain"]),
    st.sampled_from(["", "schema=iglu:com.acme/a/jsonschema/1-0-0", "aid=x"]),
)
def test_any_body(enricher: Enricher, body: str, path: str | None, kind: str | None, query: str) -> None:
    payload = CollectorPayload(path=path, body=body, content_type=kind, querystring=query, collector="c")
    whole(enricher.process(payload_record.encode(payload)))


@FUZZ
@given(st.lists(_PARAMETERS, min_size=1, max_size=3))
def test_any_batch(enricher: Enricher, events: list[dict[str, str]]) -> None:
    data = [{**event, "e": "ue", "p": "web", "tv": "t"} for event in events]
    body = json.dumps({"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": data})
    payload = CollectorPayload(
        path="/com.snowplowanalytics.snowplow/tp2", body=body, content_type="application/json", collector="c"
    )
    whole(enricher.process(payload_record.encode(payload)))


@pytest.mark.parametrize("name", ["co", "ue_pr"])
@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 3000 + "1" + "}" * 3000, "9" * 100_000, '"' + "\\u0000" * 1000 + '"', "\x00" * 10]
)
def test_bombs(enricher: Enricher, record: Callable[..., bytes], name: str, text: str) -> None:
    whole(enricher.process(record({"e": "pv", name: text})))


@FUZZ
@given(st.text(max_size=40) | st.from_regex(r"(https?|ftp)?:?//?[a-z.@:\[\]%/?#&=|{} é-]{0,30}", fullmatch=True))
def test_any_url_is_parsed_or_refused(text: str) -> None:
    with suppress(BadUrl):
        url = parse(text)
        assert parse(url.text).text == url.text


EVENTS: dict[str, dict[str, str]] = {
    "page_view": {"e": "pv", "url": "http://a.com/x?q=1", "page": "Title\twith tab"},
    "page_ping": {"e": "pp", "pp_mix": "0", "pp_max": "10"},
    "struct": {"e": "se", "se_ca": "c", "se_ac": "a", "se_va": "1.50"},
    "transaction": {"e": "tr", "tr_id": "1", "tr_tt": "10.00"},
    "transaction_item": {"e": "ti", "ti_id": "1", "ti_qu": "2"},
    "unstruct": {
        "e": "ue",
        "ue_pr": '{"schema":"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0","data":{"schema":'
        '"iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1","data":{"targetUrl":"http://a.com"}}}',
    },
}


@pytest.mark.parametrize("kind", EVENTS)
def test_snowplows_sdk_reads_every_type_of_event(enricher: Enricher, record: Callable[..., bytes], kind: str) -> None:
    [outcome] = enricher.process(record({**EVENTS[kind], "p": "web", "aid": "shop"}))
    assert isinstance(outcome, Enriched)
    read: dict[str, Any] = sdk.transform(to_tsv(outcome.event))
    assert (read["event"], read["app_id"], read["platform"]) == (kind, "shop", "web")
    assert read["event_id"] == outcome.event.event_id


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_long_texts_of_every_parameter(enricher: Enricher, record: Callable[..., bytes], name: str) -> None:
    for text in ("1" * 50_000, "1E" + "0" * 50_000 + "9", "0" * 5000 + "x1", "a" * 50_000, "%" * 5000, "[" * 5000):
        whole(enricher.process(record({"e": "pv", name: text})))
