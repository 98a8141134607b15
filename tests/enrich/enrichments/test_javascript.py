"""JavaScript enrichments: what a script sees, what it may change, how it fails, and its limits."""

# ruff: noqa: E501 (scripts and messages read better in one line)
import base64
import json
import threading

import pytest

from snowgauge.enrich.enrichments.base import DropEvent
from snowgauge.enrich.enrichments.javascript import JavaScript
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.testing.enriching import means_with, source_with

ENTITY = {"schema": "iglu:com.acme/thing/jsonschema/1-0-0", "data": {"a": 1}}
THING = json.dumps(ENTITY)
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"


def javascript(script, config=None, **limits):
    encoded = base64.urlsafe_b64encode(script.encode()).decode().rstrip("=")
    parameters = {"script": encoded} if config is None else {"script": encoded, "config": config}
    return JavaScript.create(parameters, means_with(**limits))


def seen(expression, event=None, source=None, config=None):
    """What a script sees: the value of one expression."""
    script = f"function process(event, params, headers) {{ return [{{...{THING}, data: {{seen: {expression}}}}}] }}"
    (entity,) = javascript(script, config).enrich(event or EnrichedEvent(), source or source_with())
    return entity.data["seen"]


def changed(statement, event=None, source=None):
    event = event or EnrichedEvent()
    source = source or source_with()
    javascript(f"function process(event) {{ {statement} }}").enrich(event, source)
    return event


def failure(script, event=None, source=None, **limits):
    with pytest.raises(EnrichmentFailure) as caught:
        javascript(script, **limits).enrich(event or EnrichedEvent(), source or source_with())
    return caught.value.message


@pytest.mark.parametrize(
    ("columns", "expression", "value"),
    [
        ({}, "event.getApp_id()", None),
        ({"app_id": "shop"}, "event.getApp_id()", "shop"),
        ({"app_id": 'a"\\\u2028é😀'}, "event.getApp_id()", 'a"\\\u2028é😀'),
        ({"txn_id": 5}, "event.getTxn_id() + 1", 6),
        ({"br_features_pdf": True}, "event.getBr_features_pdf()", 1),
        ({"dvce_ismobile": False}, "event.getDvce_ismobile()", 0),
        ({"geo_latitude": 12.5}, "event.getGeo_latitude() * 2", 25),
        ({"se_value": "12.50"}, "event.getSe_value() + 1", 13.5),
        ({"collector_tstamp": 1_700_000_000_123}, "event.getCollector_tstamp()", "2023-11-14 22:13:20.123"),
        ({"refr_dvce_tstamp": 0}, "event.getRefr_dvce_tstamp()", "1970-01-01 00:00:00.000"),
        ({}, "event.getContexts()", None),
        ({}, "event.getUnstruct_event()", None),
        ({}, "event.getDerived_contexts()", None),
        ({}, "event.getPii()", None),
        ({}, "headers.length", 2),
        ({}, "headers[0] + headers.get(1) + headers.size() + headers.isEmpty()", "A: bC: d2false"),
        ({}, "[...headers].join() + headers.map(h => h.length).join() + headers.contains('C: d')", "A: b,C: d4,4true"),
        ({}, "params.key.inner", [1]),
        ({}, "(() => { let n = 0; for (const i in headers) n++; return n })()", 2),
        ({}, "[1, [2, [3]]].flat(2).at(-1) ?? class { static #x = 1 }.name", 3),
        ({}, "typeof setTimeout + typeof require + typeof Java + typeof std + typeof os", "undefined" * 5),
    ],
)
def test_a_script_sees(columns, expression, value):
    source = source_with(headers=["A: b", "C: d"])
    assert seen(expression, EnrichedEvent(**columns), source, {"key": {"inner": [1]}}) == value


def test_every_column_has_a_getter_and_a_setter():
    titles = [field.name[0].upper() + field.name[1:] for field in ATOMIC_FIELDS]
    missing = seen(f"{json.dumps(titles)}.filter(x => !event['get' + x] || !event['set' + x])")
    assert missing == []


def test_entities_are_seen_as_wrapped_json_with_numbers_as_they_were_written():
    event = EnrichedEvent()
    event.contexts = [SelfDescribing.parse(ENTITY)]
    event.contexts[0].literal = '{"a":1.10}'
    event.unstruct_event = SelfDescribing.parse(ENTITY)
    source = source_with(entities=[SelfDescribing.parse(ENTITY)])
    assert seen("event.getContexts()", event, source) == (
        f'{{"schema":"{CONTEXTS}","data":[{{"schema":"{ENTITY["schema"]}","data":{{"a":1.10}}}}]}}'
    )
    assert json.loads(seen("event.getUnstruct_event()", event, source)) == {"schema": UNSTRUCT, "data": ENTITY}
    assert json.loads(seen("event.getDerived_contexts()", event, source)) == {"schema": CONTEXTS, "data": [ENTITY]}


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("event.setApp_id('b')", {"app_id": "b"}),
        ("event.setApp_id(null)", {}),
        ("event.setApp_id(undefined)", {}),
        ("event.setApp_id('')", {}),
        ("event.setApp_id('a\\tb\\n')", {"app_id": "a    b"}),
        ("event.setApp_id('\\ud800x')", {"app_id": "\ufffdx"}),
        ("event.setApp_id('a\\u0000b')", {"app_id": "ab"}),
        ("event.setUser_id(12)", {"app_id": "a", "user_id": "12"}),
        ("event.setTxn_id('7')", {"app_id": "a", "txn_id": 7}),
        ("event.setTxn_id(7.9)", {"app_id": "a", "txn_id": 7}),
        ("event.setBr_cookies(1)", {"app_id": "a", "br_cookies": True}),
        ("event.setDvce_ismobile(false)", {"app_id": "a", "dvce_ismobile": False}),
        ("event.setGeo_latitude(0.1)", {"app_id": "a", "geo_latitude": 0.1}),
        ("event.setTr_total('12.50')", {"app_id": "a", "tr_total": "12.50"}),
        ("event.setTr_total(12.5)", {"app_id": "a", "tr_total": "12.5"}),
        ("event.setSe_value(1e21)", {"app_id": "a", "se_value": "1" + "0" * 21}),
        ("event.setDerived_tstamp('2020-01-02 03:04:05.006')", {"app_id": "a", "derived_tstamp": 1577934245006}),
        ("event.setDerived_tstamp('2020-01-02T03:04:05Z')", {"app_id": "a", "derived_tstamp": 1577934245000}),
        (
            "event.setEvent_id('C6EF3124-B53A-4B13-A233-0088F79DCBCB')",
            {"app_id": "a", "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb"},
        ),
        ("event.setDerived_contexts('x'); event.setPii('x')", {"app_id": "a"}),
        ("event.setApp_id('b'); event.setUser_id(event.getApp_id())", {"app_id": "b", "user_id": "b"}),
    ],
)
def test_a_script_changes_columns(statement, columns):
    assert changed(statement, EnrichedEvent(app_id="a")) == EnrichedEvent(**columns)


def test_changed_entities_are_new_objects():
    event = changed(f"event.setContexts(JSON.stringify({{schema: '{CONTEXTS}', data: [{THING}]}}))")
    assert [entity.as_json() for entity in event.contexts] == [ENTITY]

    event = changed(f"event.setUnstruct_event(JSON.stringify({{schema: '{UNSTRUCT}', data: {THING}}}))", event)
    assert event.unstruct_event.as_json() == ENTITY

    event = changed("event.setContexts(null); event.setUnstruct_event(null)", event)
    assert (event.contexts, event.unstruct_event) == ([], None)


def test_entities_set_to_what_they_were_stay_the_same_objects():
    """The caller validates once more what is a new object."""
    context, unstruct = SelfDescribing.parse(ENTITY), SelfDescribing.parse(ENTITY)
    event = EnrichedEvent(contexts=[context], unstruct_event=unstruct)
    changed("event.setContexts(event.getContexts()); event.setUnstruct_event(event.getUnstruct_event())", event)
    assert event.contexts[0] is context
    assert event.unstruct_event is unstruct


@pytest.mark.parametrize(
    "text",
    ["'x'", "'{}'", "5", "'[]'", f'\'{{"schema":"{CONTEXTS}","data":[{{}}]}}\'', '\'{"schema":"x","data":[]}\''],
)
def test_entities_that_are_none_throw(text):
    assert "[Error: invalid contexts json" in failure(f"function process(event) {{ event.setContexts({text}) }}")
    message = failure(f"function process(event) {{ event.setUnstruct_event({text}) }}")
    assert "[Error: invalid unstruct_event json" in message


def test_a_throw_can_be_caught_and_what_was_changed_before_a_throw_stays():
    assert changed("try { event.setContexts('x') } catch (e) { event.setApp_id(e.message) }").app_id == (
        "invalid contexts json"
    )
    event = EnrichedEvent()
    failure("function process(event) { event.setApp_id('new'); throw new Error('later') }", event)
    assert event.app_id == "new"


@pytest.mark.parametrize("result", ["", "return null", "return undefined", "return []"])
def test_nothing_is_attached(result):
    assert javascript(f"function process() {{ {result} }}").enrich(EnrichedEvent(), source_with()) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "\n  throw new TypeError('boo')",
            "Error during execution of JavaScript function: [TypeError: boo in <eval> at line number 2 at column number 13]",
        ),
        ("throw 'text'", "Error during execution of JavaScript function: [text]"),
        ("return () => 1", "Could not parse output JSON of Javascript function. Error: [invalid json: expected json value got 'undefi...' (line 1, column 1)]"),
        ("return {a: 1}", 'Output of JavaScript function [{"a":1}] could be parsed as JSON but is not read as an array'),
        ("return 'x'", 'Output of JavaScript function ["x"] could be parsed as JSON but is not read as an array'),
        (
            f"return [{THING}, {{foo: 'é'}}, {{schema: 'iglu:x', data: 1}}, {{schema: 'iglu:a/b/c/1-0-01', data: 1}}]",
            "Resulting contexts are not self-desribing. Error(s): [error code:[INVALID_DATA_PAYLOAD],json:[{\"foo\":\"é\"}];"
            'error code:[INVALID_IGLUURI],json:[{"schema":"iglu:x","data":1}];'
            'error code:[INVALID_SCHEMAVER],json:[{"schema":"iglu:a/b/c/1-0-01","data":1}]]',
        ),
    ],
)  # fmt: skip
def test_failures_are_worded_as_snowplows(body, message):
    assert failure(f"function process(event) {{{body}}}") == message


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("event.setTxn_id('x')", 'TypeError: txn_id: expected a whole number, found "x"'),
        ("event.setTxn_id(2147483648)", "TypeError: txn_id: expected a number of 32 bits, found 2147483648"),
        ("event.setApp_id({})", "TypeError: app_id: expected a string, found an object"),
        ("event.setBr_cookies(2)", "TypeError: br_cookies: expected 1 or 0, found 2"),
        ("event.setSe_value('0x10')", 'TypeError: se_value: expected a number, found "0x10"'),
        ("event.setSe_value(NaN)", "TypeError: se_value: expected a number, found NaN"),
        ("event.setTrue_tstamp(1)", "TypeError: true_tstamp: expected a time as yyyy-MM-dd HH:mm:ss.SSS, found 1"),
        ("event.setTrue_tstamp('2020-13-01 00:00:00')", "'2020-13-01 00:00:00' is no date and time"),
        ("event.setEvent_id('x')", 'TypeError: event_id: expected a UUID, found "x"'),
        ("event.setEvent_id(null)", "TypeError: event_id: expected a value, because every event has one, found null"),
        ("event.setNothing(1)", "TypeError: not a function"),
        ("return process(event)", "RangeError: Maximum call stack size exceeded"),
        ("const a = {}; a.a = a; return a", "TypeError: circular reference"),
        ("throw { toString() { throw 1 } }", "an error that has no text"),
        ("throw null", "[null]"),
    ],
)
def test_a_wrong_call_fails_the_event(statement, words):
    message = failure(f"function process(event) {{ {statement} }}")
    assert message.startswith("Error during execution of JavaScript function: [")
    assert words in message


def test_output_nested_too_deep_is_refused():
    deep = "let a = []; for (let i = 0; i < 60; i++) a = [a]; return [{...THING, data: {a}}]".replace("THING", THING)
    assert failure(f"function process() {{ {deep} }}") == (
        "Could not parse output JSON of Javascript function. Error: [invalid json: maximum allowed JSON depth exceeded]"
    )


def test_a_script_without_process_fails_each_event():
    assert "process is not defined" in failure("const x = 1")


def test_drop_removes_the_event_and_can_be_caught():
    with pytest.raises(DropEvent):
        javascript("function process(event) { event.drop() }").enrich(EnrichedEvent(), source_with())
    assert changed("try { event.drop() } catch (e) { event.setApp_id('kept') }").app_id == "kept"


def test_erasing_keeps_only_what_this_script_returns_unless_it_fails():
    source = source_with(entities=[SelfDescribing.parse(ENTITY)])
    (entity,) = javascript(f"function process(event) {{ event.eraseDerived_contexts(); return [{THING}] }}").enrich(
        EnrichedEvent(), source
    )
    assert source.entities == []
    assert entity.as_json() == ENTITY

    source = source_with(entities=[SelfDescribing.parse(ENTITY)])
    failure("function process(event) { event.eraseDerived_contexts(); throw 1 }", source=source)
    assert len(source.entities) == 1


def test_globals_and_parameters_live_on_from_event_to_event():
    script = "let n = 0; const process = (event, params) => { n++; params.n = n; event.setApp_id(`${params.n}`) }"
    enrichment = javascript(script, {})
    event = EnrichedEvent()
    for number in range(1, 4):
        enrichment.enrich(event, source_with())
        assert event.app_id == str(number)


def test_a_script_cannot_break_the_machinery_by_replacing_globals():
    script = (
        "JSON.parse = JSON.stringify = () => 'broken'; Object.create = null; RegExp.prototype.test = null;"
        "globalThis.Error = null; Array.prototype.push = null; Number.isFinite = null; globalThis.String = null;"
        "function process(event) { event.setTxn_id(5); print('x', {}); }"
    )
    event = EnrichedEvent()
    enrichment = javascript(script)
    enrichment.enrich(event, source_with())
    enrichment.enrich(event, source_with())
    assert event.txn_id == 5


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        ("while (true) {}", "took longer than 0.05 s"),
        ("try { while (true) {} } finally { while (true) {} }", "took longer than 0.05 s"),
        ("/(a+)+$/.test('a'.repeat(40) + 'b')", "took longer than 0.05 s"),
        ("const a = []; while (true) a.push(new Array(10000).fill(1))", "needs more than 8192 KiB of memory"),
        ("let a = 'x'; while (true) a += a + Math.random()", "Error during execution"),
    ],
)
def test_a_script_over_its_limits_fails_that_event_only(loop, words):
    script = (
        f"let n = 0; function process(event) {{ event.setUser_id('u' + ++n); if (event.getApp_id()) {{ {loop} }} }}"
    )
    enrichment = javascript(script, script_seconds=0.05, script_memory=8 * 1024 * 1024)
    event = EnrichedEvent(app_id="loop")
    with pytest.raises(EnrichmentFailure, match=words):
        enrichment.enrich(event, source_with())
    event = EnrichedEvent()
    for _ in range(2):
        enrichment.enrich(event, source_with())
    assert event.user_id.startswith("u")


def test_a_script_runs_on_whatever_thread_calls_it():
    enrichment = javascript("const process = e => { const f = n => n ? f(n - 1) + 1 : 0; e.setTxn_id(f(500)) }")
    events = [EnrichedEvent() for _ in range(4)]
    for event in events:
        thread = threading.Thread(target=enrichment.enrich, args=(event, source_with()))
        thread.start()
        thread.join()
    assert [event.txn_id for event in events] == [500] * 4


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("", "Provided script for JS enrichment is empty"),
        ("function (", "Error compiling JavaScript function: [SyntaxError: function name expected in <eval> at line number 1"),
        ("let a;\nthrow new Error('top')", "Error compiling JavaScript function: [Error: top in <eval> at line number 2"),
        ("while (true) {}", "Error compiling JavaScript function: [the script took longer than 0.05 s]"),
    ],
)  # fmt: skip
def test_a_script_that_does_not_compile_stops_the_start(script, words):
    with pytest.raises(ValueError, match="J") as caught:
        javascript(script, script_seconds=0.05)
    assert words in str(caught.value)


def test_a_script_that_does_not_compile_may_fail_events_instead():
    message = failure("function (", exit_on_compile_error=False)
    assert message.startswith("Error compiling JavaScript function: [SyntaxError: function name expected")


@pytest.mark.parametrize("length", [100, 1_000, 10_000, 1_000_000])
def test_answers_of_any_length_arrive(length):
    text = seen(f"'x'.repeat({length})")
    assert text == "x" * length


def test_a_long_text_put_together_from_pieces_arrives():
    event = changed("let text = ''; for (let i = 0; i < 1000; i++) text += i; event.setPage_title(text)")
    assert event.page_title == "".join(map(str, range(1000)))


def test_a_coordinate_has_the_digits_of_a_32_bit_number():
    assert changed("event.setGeo_latitude(43.88)").geo_latitude == 43.88


def test_the_sample_does_what_it_says():
    enrichment = JavaScript.create(JavaScript.sample["data"]["parameters"], means_with())
    event = EnrichedEvent(app_id="shop-2019")
    enrichment.enrich(event, source_with())
    assert event.app_id == "new"
