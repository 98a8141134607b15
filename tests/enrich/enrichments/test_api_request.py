"""API requests against a real HTTP server."""

# ruff: noqa: E501 (messages read better in one line)
import json
from copy import deepcopy

import pytest

from snowgauge.enrich.enrichments.api_request import ApiRequest
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.outgoing import HttpClient
from snowgauge.testing.enriching import failures_of, means_with, source_with
from snowgauge.testing.web import serving

SCHEMA = "iglu:com.acme/user/jsonschema/1-0-0"
ACCOUNT = "iglu:com.acme/account/jsonschema/1-0-2"
USER = {"key": "user", "pojo": {"field": "user_id"}}
GONE = {"key": "gone", "pojo": {"field": "mkt_term"}}


def inside(path, key="plan", field="contexts", criterion="iglu:com.acme/account/jsonschema/1-*-*"):
    return {"key": key, "json": {"field": field, "schemaCriterion": criterion, "jsonPath": path}}


@pytest.fixture
def web():
    with serving() as server:
        server.answers["/users"] = (200, {"record": {"name": "Ann", "tags": ["a", "b"]}, "empty": [], "none": None})
        yield server


@pytest.fixture
def build():
    http = HttpClient(timeout=60, retries=0, allow_private_hosts=True)

    def build(uri, *, inputs=(USER,), paths=("$.record",), method="GET", cache=(100, 60), auth=None, **more):
        parameters = {
            "inputs": list(inputs),
            "api": {
                "http": {
                    "method": method,
                    "uri": uri,
                    "timeout": 60000,
                    "authentication": {} if auth is None else {"httpBasic": auth},
                }
            },
            "outputs": [{"schema": SCHEMA, "json": {"jsonPath": path}} for path in paths],
            "cache": {"size": cache[0], "ttl": cache[1]},
            **more,
        }
        return ApiRequest.create(parameters, means_with(http=http))

    yield build
    http.close()


def account(data):
    return SelfDescribing.parse({"schema": ACCOUNT, "data": data})


def attached(enrichment, event=None, source=None):
    return [item.as_json() for item in enrichment.enrich(event or EnrichedEvent(user_id="u"), source or source_with())]


def messages(enrichment, event=None):
    return [f.message for f in failures_of(enrichment, event or EnrichedEvent(user_id="u"), source_with())]


def test_a_piece_of_the_answer_becomes_an_entity(web, build):
    enrichment = build(f"{web.url}/users?id={{{{user}}}}", auth={"username": "me", "password": "é"})
    assert attached(enrichment) == [{"schema": SCHEMA, "data": {"name": "Ann", "tags": ["a", "b"]}}]
    (asked,) = web.asked
    assert (asked.method, asked.target, asked.body) == ("GET", "/users?id=u", b"")
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["accept"] == "*/*"
    assert asked.headers["authorization"] == "Basic bWU6w6k="


def test_one_answer_serves_all_outputs_and_later_events(web, build):
    enrichment = build(f"{web.url}/users?id={{{{user}}}}", paths=("$.record.name", "$.record.tags[*]", "$.none"))
    for _ in range(3):
        assert [item["data"] for item in attached(enrichment)] == ["Ann", ["a", "b"], None]
    attached(enrichment, EnrichedEvent(user_id="other"))
    assert len(web.asked) == 2


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_post_and_put_send_the_inputs_as_text(web, build, method):
    enrichment = build(f"{web.url}/users", method=method, inputs=[USER, inside("$.n")])
    attached(enrichment, EnrichedEvent(user_id="ü", contexts=[account({"n": 5})]))
    assert web.asked[0].method == method
    assert web.asked[0].body == '{"user":"ü","plan":"5"}'.encode()


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a b", "a+b"),
        ("a.b-c*d_e", "a.b-c*d_e"),
        ("~/ü&=?#", "%7E%2F%C3%BC%26%3D%3F%23"),
        ("{{user}}", "%7B%7Buser%7D%7D"),
        ("../..//admin", "..%2F..%2F%2Fadmin"),
    ],
)
def test_values_are_form_encoded(web, build, value, encoded):
    attached(build(f"{web.url}/users?id={{{{  user }}}}"), EnrichedEvent(user_id=value))
    assert web.asked[0].target == f"/users?id={encoded}"


@pytest.mark.parametrize(
    ("path", "data", "text"),
    [
        ("$.a", {"a": "x"}, "x"),
        ("$.a", {"a": 1.5}, "1.5"),
        ("$.a", {"a": True}, "true"),
        ("$.a", {"a": None}, "null"),
        ("$.a", {"a": {"b": "c d"}}, '{"b":"c d"}'),
        ("$.a", {}, ""),
        ("$.a", {"a": [1, "x"]}, "1,x"),
        ("$.a[*]", {"a": [1, "x"]}, "1,x"),
    ],
)
def test_what_a_path_finds_becomes_text(web, build, path, data, text):
    attached(build(f"{web.url}/users", method="POST", inputs=[inside(path)]), EnrichedEvent(contexts=[account(data)]))
    assert json.loads(web.asked[0].body) == {"plan": text}


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("br_cookies", True, "1"),
        ("txn_id", 7, "7"),
        ("collector_tstamp", 0, "1970-01-01 00:00:00.000"),
        ("geo_latitude", 12.5, "12.5"),
        ("tr_total", "12.50", "12.50"),
        ("domain_userid", "d", "d"),
    ],
)
def test_columns_become_text(web, build, field, value, text):
    enrichment = build(f"{web.url}/users", method="POST", inputs=[{"key": "k", "pojo": {"field": field}}])
    attached(enrichment, EnrichedEvent(**{field: value}))
    assert json.loads(web.asked[0].body) == {"k": text}


def test_inputs_may_look_into_the_event_and_into_earlier_entities(web, build):
    enrichment = build(
        f"{web.url}/users",
        method="POST",
        inputs=[inside("$.a", "one", "unstruct_event"), inside("$.a", "two", "derived_contexts")],
    )
    attached(enrichment, EnrichedEvent(unstruct_event=account({"a": 1})), source_with(entities=[account({"a": 2})]))
    assert json.loads(web.asked[0].body) == {"one": "1", "two": "2"}


def test_the_first_matching_entity_counts(web, build):
    event = EnrichedEvent(
        contexts=[SelfDescribing.parse({"schema": SCHEMA, "data": {"a": 0}}), account({"a": 1}), account({"a": 2})]
    )
    attached(build(f"{web.url}/users", method="POST", inputs=[inside("$.a")]), event)
    assert json.loads(web.asked[0].body) == {"plan": "1"}


@pytest.mark.parametrize(
    "inputs",
    [
        [USER, GONE],
        [GONE, {**USER, "key": "gone"}],
        [USER, inside("$.a")],
        [USER, inside("$.a", field="unstruct_event")],
    ],
)
def test_nothing_is_asked_when_any_input_is_missing(web, build, inputs):
    assert attached(build(f"{web.url}/users?id={{{{user}}}}", inputs=inputs)) == []
    assert web.asked == []


def test_of_two_inputs_with_one_key_the_last_counts(web, build):
    inputs = [USER, {"key": "user", "pojo": {"field": "domain_userid"}}]
    attached(build(f"{web.url}/users?id={{{{user}}}}", inputs=inputs), EnrichedEvent(user_id="u", domain_userid="d"))
    assert web.asked[0].query == {"id": "d"}


@pytest.mark.parametrize("rest", ["?id={{nobody}}", "?id={user}", "?id={{user}}}"])
def test_nothing_is_asked_while_braces_are_left(web, build, rest):
    assert attached(build(f"{web.url}/users{rest}")) == []
    assert web.asked == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("$.gone", "API Request enrichment:Value not found Error: no values were found by JSON Path [$.gone] in [JSON]"),
        ("$.empty", "API Request enrichment:Value not found Error: no values were found by JSON Path [$.empty] in [JSON]"),
        ("$.a[b]", "API Request enrichment:JSONPath error ':' expected but 'b' found"),
    ],
)  # fmt: skip
def test_each_output_that_finds_nothing_is_a_failure(web, build, path, message):
    text = '{"record":{"name":"Ann","tags":["a","b"]},"empty":[],"none":null}'
    assert (
        messages(build(f"{web.url}/users", paths=[path, "$.record", path]))
        == [message.replace("JSON]", f"{text}]")] * 2
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, b""), "Request failed with status 404"),
        ((500, {"record": {}}), "Request failed with status 500"),
        ((302, b""), "Request failed with status 302"),
        ((200, b""), "invalid json: exhausted input"),
        ((200, b"[" * 200 + b"]" * 200), "invalid json: maximum allowed JSON depth exceeded"),
        ((200, b"[" * 100_000), "invalid json: "),
    ],
)
def test_an_answer_that_is_none_is_a_failure_and_remembered(web, build, answer, message):
    web.answers["/bad"] = answer
    enrichment = build(f"{web.url}/bad")
    for _ in range(2):
        (found,) = messages(enrichment)
        assert found.startswith(message)
    assert len(web.asked) == 1


def test_the_last_good_answer_goes_on_when_the_service_fails(web, build):
    enrichment = build(f"{web.url}/users", cache=(10, 0))
    before = attached(enrichment)
    web.answers["/users"] = (500, b"")
    assert attached(enrichment) == before


def test_unknown_columns_and_broken_paths_fail_each_event(web, build):
    enrichment = build(
        f"{web.url}/users", inputs=[{"key": "a", "pojo": {"field": "nope"}}, inside(".x"), {"key": "c", **GONE}]
    )
    assert messages(enrichment) == [
        "Error accessing POJO input field [a]: [the event has no field nope]",
        "API Request enrichment:JSONPath error '$' expected but '.' found",
    ]
    assert web.asked == []


def test_an_address_that_is_none(build):
    assert messages(build("nowhere/{{user}}")) == ["uri [nowhere/u] is not valid: it names no scheme or no host"]
    assert messages(build("http:// bad/{{user}}")) == [
        "uri [http:// bad/u] is not valid: it holds a space or a control character"
    ]


def test_errors_can_be_ignored(web, build):
    assert attached(build(f"{web.url}/nowhere", ignoreOnError=True)) == []
    assert attached(build(f"{web.url}/users", paths=["$.gone"], ignoreOnError=True)) == []
    assert attached(build(f"{web.url}/users", inputs=[inside(".x")], ignoreOnError=True)) == []
    assert messages(build(f"{web.url}/nowhere", ignoreOnError=None)) == ["Request failed with status 404"]


def test_a_service_that_is_away_fails_the_event_and_is_left_alone(build):
    with serving() as web:
        away = web.url
    enrichment = build(f"{away}/{{{{user}}}}")
    texts = {messages(enrichment, EnrichedEvent(user_id=str(n)))[0] for n in range(5)}
    assert all("no connection" in text for text in texts)
    assert len(texts) == 3


def test_a_private_host_is_refused_unless_allowed(web):
    http = HttpClient(timeout=1.0, retries=0)
    parameters = deepcopy(ApiRequest.sample["data"]["parameters"])
    parameters["inputs"].pop()
    parameters["api"]["http"]["uri"] = f"{web.url}/users"
    assert "is not a public address" in messages(ApiRequest.create(parameters, means_with(http=http)))[0]
    assert web.asked == []
    http.close()


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (["api", "http", "method"], "DELETE", "parameters.api.http.method: expected one of GET, POST, PUT, found 'DELETE'"),
        (["api", "http", "timeout"], 0, "parameters.api.http.timeout: expected a whole number from 1 to 60000, found 0"),
        (["inputs", 0, "key"], "a b", r"parameters.inputs\[0\].key: expected letters, digits, '_' and '-', found 'a b'"),
        (["inputs", 0, "pojo"], None, r"parameters.inputs\[0\]: expected either 'pojo' or 'json', found key, pojo"),
        (["inputs", 1, "json", "schemaCriterion"], "x", "expected a schema criterion such as .* found 'x'"),
        (["outputs"], [], r"parameters.outputs: expected at least one output, found \[\]"),
        (["cache", "ttl"], 86_401, "parameters.cache.ttl: expected a whole number from 0 to 86400, found 86401"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_named(path, value, text):
    parameters = deepcopy(ApiRequest.sample["data"]["parameters"])
    place = parameters
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=text):
        ApiRequest.create(parameters, means_with())
