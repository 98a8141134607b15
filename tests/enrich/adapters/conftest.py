"""Adapters are tested by cases: `cases/<adapter>.json` holds requests and what must come of them.

A test module `test_<adapter>.py` whose tests take `case` gets each case of its file; `check(case)` compares. A file has
`path`, `content_type` and `tv`, which hold for all its cases. A case has `name`, the request (`query`; `body` as text,
`json` as JSON or `form` as fields, values that are not text being JSON; `headers`; `secrets`), and the result:

- `events`: `schema` (without `iglu:` and `jsonschema/`), `data`, `parameters` beside `e`, `tv`, `p=srv` and `ue_pr`
  (`co` as JSON), `identity`, `payload` (what differs from the received one), `valid` (whether the bundled schema takes
  the data; true unless said otherwise, null when there is none)
- `failures`: messages, one list for each failed event. The map in messages of unknown types is compared in a test of
  its own, so messages here leave it out.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from urllib.parse import quote_plus

import jsonschema_rs
import msgspec
import pytest

from snowgauge.enrich import querystrings
from snowgauge.enrich.adapters.base import AdapterInput, Partial
from snowgauge.enrich.adapters.registry import AdapterRegistry
from snowgauge.errors import AdapterFailure
from snowgauge.events.json_text import read
from snowgauge.events.payload import CollectorPayload
from snowgauge.iglu.bundled import SCHEMAS

CASES = Path(__file__).parent / "cases"
RECEIVED = CollectorPayload(
    timestamp=1714557600123,
    ip_address="198.51.100.7",
    user_agent="sender/1.0",
    referer_uri="https://referrer.example/",
    headers=["Host: c.example.com"],
    hostname="c.example.com",
    network_user_id="6d1cf1a1-2c2f-4b29-8b6e-7c6f0c5b2b11",
)
REGISTRY = AdapterRegistry()
UUID_TEXT = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"


def pytest_generate_tests(metafunc):
    file = CASES / f"{Path(metafunc.module.__file__).stem.removeprefix('test_')}.json"
    if "case" in metafunc.fixturenames and file.is_file():
        document = json.loads(file.read_text(encoding="utf-8"))
        shared = {key: value for key, value in document.items() if key not in ("cases", "types")}
        cases = [shared | case for case in document["cases"]]
        metafunc.parametrize("case", cases, ids=[case["name"] for case in cases])


class Result(msgspec.Struct):
    """What an adapter made of one request. `failures` are messages, one list for each failed event."""

    events: list
    failures: list


def receive(path, *, query="", body=None, content_type=None, headers=(), secrets=None, **payload):
    """Send one request through the adapter that answers for its path."""
    vendor, version = path.split("/")
    received = msgspec.structs.replace(
        RECEIVED,
        path=f"/{path}",
        querystring=query or None,
        body=body,
        content_type=content_type,
        headers=[*RECEIVED.headers, *headers],
        **payload,
    )
    pairs = querystrings.parse(query)
    source = AdapterInput(
        received, vendor, version, pairs, dict(pairs), lambda _: None, lambda text: read(text, 50), secrets or {}
    )
    try:
        events, failures = REGISTRY.adapter(vendor, version).events(source), []
    except Partial as partial:
        events, failures = partial.events, partial.failures
        assert events
        assert failures
    except AdapterFailure as failure:
        events, failures = [], [failure.messages]
    assert events or failures
    assert all(failures)
    return Result(events, failures)


@functools.cache
def _validator(schema):
    vendor, name, version = schema.split("/")
    file = SCHEMAS / vendor / name / "jsonschema" / version
    if not file.is_file():
        return None
    constraints = json.loads(file.read_text(encoding="utf-8"))
    constraints.pop("$schema")
    constraints.pop("self")
    formats = {"uuid": lambda text: UUID_TEXT.fullmatch(text) is not None}
    return jsonschema_rs.Draft4Validator(constraints, validate_formats=True, formats=formats)


def _short(uri):
    return uri.removeprefix("iglu:").replace("/jsonschema/", "/")


def _without_map(messages):
    """Messages as cases write them. The map is there, and is tested elsewhere."""
    shortened = []
    for message in messages:
        if "expectedMapping" in message:
            assert message["expectedMapping"]
        shortened.append({key: value for key, value in message.items() if key != "expectedMapping"})
    return shortened


def _described(event, tv, wanted):
    """An event as cases write it, in the words that the wanted one uses."""
    parameters = dict(event.parameters)
    assert parameters.pop("e") == "ue"
    assert parameters.pop("tv") == tv
    outer = json.loads(parameters.pop("ue_pr"))
    assert outer["schema"] == UNSTRUCT
    if parameters["p"] == "srv":
        del parameters["p"]
    if "co" in parameters:
        entities = json.loads(parameters["co"])
        assert entities["schema"] == CONTEXTS
        parameters["co"] = [{"schema": _short(each["schema"]), "data": each["data"]} for each in entities["data"]]
    found = {"schema": _short(outer["data"]["schema"]), "data": outer["data"]["data"]}
    if parameters:
        found["parameters"] = parameters
    if event.identity is not None:
        found["identity"] = re.sub("[0-9a-f]{16}$", "DIGEST", event.identity)
    if "payload" in wanted:
        found["payload"] = {name: getattr(event.payload, name) for name in wanted["payload"]}
    validator = _validator(found["schema"])
    if validator is None:
        found["valid"] = None
    elif not validator.is_valid(found["data"]):
        found["valid"] = False
    for entity in parameters.get("co", ()):
        of_entity = _validator(entity["schema"])
        assert of_entity is not None, entity["schema"]
        of_entity.validate(entity["data"])
    return found


@pytest.fixture
def check():
    """Compare what comes of a case's request with what the case says."""

    def check(case):
        body, fields = case.get("body"), case.get("form")
        if "json" in case:
            body = json.dumps(case["json"])
        elif fields is not None:
            body = "&".join(
                f"{quote_plus(name)}={quote_plus(value if isinstance(value, str) else json.dumps(value))}"
                for name, value in fields.items()
            )
        result = receive(
            case["path"],
            query=case.get("query", ""),
            body=body,
            content_type=case.get("content_type") if body is not None else None,
            headers=case.get("headers", ()),
            secrets=case.get("secrets"),
        )
        wanted = case.get("events", [])
        described = [_described(event, case["tv"], each) for event, each in zip(result.events, wanted, strict=False)]
        assert described == wanted
        assert len(result.events) == len(wanted)
        failures = [_without_map(messages) for messages in result.failures]
        for messages in case.get("failures", []):
            for message in messages:
                if message.get("value") == "BODY":
                    message["value"] = body
        assert failures == case.get("failures", [])

    return check


@pytest.fixture
def types():
    """The map of event types in an adapter's message about an unknown one, with short schema names."""

    def types(result):
        (messages,) = result.failures
        (mapping,) = [message["expectedMapping"] for message in messages if "expectedMapping" in message]
        return {name: _short(uri) for name, uri in mapping.items()}

    return types


@pytest.fixture(name="receive", scope="session")
def _receive():
    return receive
