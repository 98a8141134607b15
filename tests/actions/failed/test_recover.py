"""Failed events become good once, whatever happens in between."""

from __future__ import annotations

import json

import msgspec
import pytest

from snowgauge.actions.failed import groups as grouping
from snowgauge.actions.failed.cures import cure_of
from snowgauge.actions.failed.diagnosis import Fault
from snowgauge.actions.failed.instances import instances_of_group, schema_of_group
from snowgauge.actions.failed.recovery_config import config_of
from snowgauge.actions.failed.retry import curable, retry
from snowgauge.actions.failed.where import Choice
from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.errors import StoreUnavailable
from snowgauge.events import payload_record
from snowgauge.events.failed import FailedEvent
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.infer import infer
from snowgauge.store.base import StoreBatch
from snowgauge.testing.failing import ALL, CART, NOON, b64, cart_schema, entities, pixel, request, tracked, ue

WEB_PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"


def test_mixed_bad_events_are_diagnosed_fixed_by_a_new_schema_and_recovered_once(any_pipeline):
    p = any_pipeline
    quantities = [3, 7, 11]
    p.take(
        tracked({"e": "pv", "url": "https://shop.example.com/"}, *({"ue_pr": ue({"quantity": q})} for q in quantities)),
        tracked({"ue_px": b64(ue({"quantity": 4, "note": "x"}))}),
        pixel({"e": "pv", "p": "web", "tv": "js-4.0.0", "aid": "shop", "tr_tt": "dear"}),
        request("/wp-login.php"),
        request("/com.snowplowanalytics.snowplow/tp2", "{not json"),
    )
    assert len(p.good()) == 1
    found = grouping.groups(p.store, Choice())
    assert sum(group.count for group in found) == len(p.failed()) == 7
    top = found[0]
    assert (top.count, top.schema, top.app_id) == (4, CART, "shop")
    shown = grouping.show(p.store, p.resolver, top.examples[0], p.validator)
    assert shown.faults[0].kind == "resolution"
    assert any("schema infer --from-failed" in command for command in shown.cures[0].commands)

    assert schema_of_group(p.store, top.id) == CART
    draft = infer(SchemaKey.parse(CART), instances_of_group(p.store, top.id, CART))
    p.publish(draft)
    before = p.recover(Choice(group=[top.id]), dry_run=True)
    assert (before.recovered, before.events) == (4, 4)
    assert len(p.good()) == 1

    done = p.recover(Choice(group=[top.id]))
    assert (done.rows, done.recovered, done.failed, done.events) == (4, 4, 0, 4)
    good = p.good()
    failed_ids = {row.id: row for row in p.failed()}
    recovered = [row for row in failed_ids.values() if row.status == "recovered"]
    assert {row.recovered_into for row in recovered} <= {event["event_id"] for event in good}
    assert all(row.event_id == row.recovered_into and row.recovery_run for row in recovered)
    assert len(failed_ids) == 7

    again = p.recover(Choice(group=[top.id], status=[]), run="20240501-130000-000002")
    assert (again.recovered, again.events, again.already) == (4, 0, 4)
    assert p.good() == good
    assert p.recover(Choice(group=[top.id])).rows == 0


def test_what_fails_again_stays_one_row_with_the_reason_of_now(pipeline):
    pipeline.take(tracked({"ue_pr": ue({"quantity": "3"})}))
    first = pipeline.failed()[0]
    assert pipeline.recover().failed == 1
    pipeline.publish(cart_schema())
    assert pipeline.recover(run="20240501-130000-000002").failed == 1
    row = pipeline.failed()[0]
    assert len(pipeline.failed()) == 1
    assert (row.id, row.status, row.attempts) == (first.id, "open", 2)
    assert row.message == row.attempt_message == "$.quantity: string found, integer expected"
    assert row.cause != first.cause
    # an edit that does not help says so and leaves the cause as it is
    assert pipeline.recover(run="20240501-130000-000003", set=["event.data.quantity=-1"]).failed == 1
    row = pipeline.failed()[0]
    assert row.message == "$.quantity: string found, integer expected"
    assert "minimum" in row.attempt_message
    assert pipeline.recover(run="20240501-130000-000004", cast=["event.data.quantity=integer"]).recovered == 1
    event = pipeline.good()[0]
    assert event["event_id"] == first.event_id
    assert event["unstruct_event"]["data"]["data"] == {"quantity": 3}
    assert event["etl_tags"] == "recovery 20240501-130000-000004"
    assert pipeline.failed()[0].data == first.data


@pytest.mark.parametrize(
    ("rule", "cast"),
    [("number", "number"), (["null", "string"], "string"), ("object", "json"), ({}, "TYPE")],
    ids=str,
)
def test_the_suggested_cast_is_to_what_the_schema_wants(rule, cast):
    fault = Fault("data", "", keyword="type", place="event.data.price", rule={"type": rule} if rule else None)
    assert any(f"--cast event.data.price={cast} " in command for command in cure_of(fault, "g").commands)


def test_show_names_path_value_rule_and_a_command(pipeline):
    pipeline.publish(cart_schema())
    pipeline.take(tracked({"ue_pr": ue({"quantity": "3", "extra": 1}), "co": entities((CART, {"quantity": 5000}))}))
    shown = grouping.show(pipeline.store, pipeline.resolver, pipeline.failed()[0].id, pipeline.validator)
    by_keyword = {fault.keyword: fault for fault in shown.faults}
    assert by_keyword["type"].place == "event.data.quantity"
    assert (by_keyword["type"].value, by_keyword["type"].rule) == ("3", {"type": "integer"})
    assert by_keyword["additionalProperties"].place == "event.data.extra"
    assert by_keyword["maximum"].place == "contexts[0].data.quantity"
    assert by_keyword["maximum"].rule == {"maximum": 1000}
    commands = [command for cure in shown.cures for command in cure.commands]
    assert any("--cast event.data.quantity=integer" in command for command in commands)
    assert shown.request.body is not None
    assert shown.document["event"]["data"] == {"quantity": "3", "extra": 1}


# ---- the weaknesses of Snowplow's event recovery (section 8.3 of what is known of it) ----------------------------


def test_properties_are_removed_renamed_and_filled_without_regular_expressions(pipeline):
    pipeline.publish(cart_schema(sku={"type": "string", "maxLength": 10}))
    pipeline.take(
        tracked(
            {"ue_pr": ue({"quantity": 1, "extra": True})}, {"ue_pr": ue({"Quantity": 2})}, {"ue_pr": ue({"sku": "a"})}
        ),
        tracked({"e": "pv", "cx": b64(entities((WEB_PAGE, {"id": "x"}), (CART, {"quantity": 1, "extra": 2})))}),
    )
    done = pipeline.recover(
        unset=[
            "event.data.extra",
            "contexts[com.acme/cart].data.extra",
            "contexts[com.snowplowanalytics.snowplow/web_page]",
        ],
        rename=["event.data.Quantity=quantity"],
        default=["event.data.quantity=9"],
    )
    assert (done.recovered, done.failed) == (4, 0)
    carts = [e["unstruct_event"]["data"]["data"] for e in pipeline.good() if e["unstruct_event"]]
    assert sorted(c["quantity"] for c in carts) == [1, 2, 9]
    entity = next(e["contexts"]["data"] for e in pipeline.good() if e["contexts"])
    assert entity == [{"schema": CART, "data": {"quantity": 1}}]


def test_a_schema_version_is_rewritten_and_a_condition_looks_at_another_field(pipeline):
    pipeline.publish(cart_schema("1-0-1", note={"type": "string"}))
    pipeline.take(*(tracked({"aid": a, "ue_pr": ue({"quantity": 1, "note": a})}) for a in ("shop", "blog")))
    done = pipeline.recover(
        Choice(where=["event.data.note=shop"]),
        schema=["iglu:com.acme/cart/jsonschema/1-0-*=iglu:com.acme/cart/jsonschema/1-0-1"],
    )
    assert (done.recovered, done.left) == (1, 1)
    assert [e["event_version"] for e in pipeline.good()] == ["1-0-1"]
    assert sorted(row.attempts for row in pipeline.failed()) == [0, 1]


def test_webhook_events_are_replayed_without_the_adapter(pipeline):
    body = json.dumps([{"event": "open", "sg_event_id": "m1", "timestamp": 1}])
    pipeline.take(request("/com.sendgrid/v3", body, querystring="aid=mail"))
    row = pipeline.failed()[0]
    assert row.failure_type == "schema_violations"
    assert pipeline.recover(set=["event.data.sg_event_id=abcdefghijklmnopqrstuv"]).recovered == 1
    event = pipeline.good()[0]
    assert (event["event_id"], event["app_id"]) == (row.event_id, "mail")


def test_headers_cookies_and_times_are_those_of_the_first_try(pipeline):
    pipeline.take(tracked({"ue_pr": ue({"quantity": 1})}, headers=["Cookie: sp=abc", "X-Forwarded-For: 198.51.100.7"]))
    pipeline.publish(cart_schema())
    seen = []
    live = pipeline.enricher.process_tracker_event
    pipeline.enricher.process_tracker_event = lambda tracker, *a, **k: (seen.append(tracker), live(tracker, *a, **k))[1]
    assert pipeline.recover().recovered == 1
    assert seen[0].payload.headers == ["Cookie: sp=abc", "X-Forwarded-For: 198.51.100.7"]
    assert seen[0].payload.body is not None
    event = pipeline.good()[0]
    assert event["user_ipaddress"] == "198.51.100.7"
    assert event["collector_tstamp"] == "2024-05-01 12:00:00.000"


def test_an_event_that_broke_off_after_storing_is_not_stored_again(any_pipeline):
    p = any_pipeline
    p.take(*(tracked({"ue_pr": ue({"quantity": n})}, timestamp=NOON + n) for n in range(5)))
    p.publish(cart_schema())
    mark = p.store.mark_failed

    def away(updates):
        raise StoreUnavailable("gone")

    p.store.mark_failed = away
    with pytest.raises(StoreUnavailable):
        p.recover()
    p.store.mark_failed = mark
    assert len(p.good()) == 5
    done = p.recover()
    assert (done.recovered, done.events, done.already) == (5, 0, 5)
    assert p.store.count("good", ALL) == 5
    assert len(p.good()) == 5


def test_a_second_batch_with_fewer_events_is_no_repetition_of_the_first(any_pipeline):
    p = any_pipeline
    p.take(*(tracked({"ue_pr": ue({"quantity": n})}, timestamp=NOON + n) for n in range(4)))
    p.publish(cart_schema())
    p.recover(Choice(id=[p.failed()[0].id, p.failed()[1].id]))
    assert p.recover().events == 2
    assert len(p.good()) == 4


def test_good_items_of_a_payload_keep_their_ids_when_a_bad_one_is_mended(pipeline):
    items = [{"event": "open", "timestamp": 1}, {"event": "moved"}, {"event": "click", "timestamp": 2}]
    pipeline.take(request("/com.sendgrid/v3", json.dumps(items)))
    before = {event["event_id"] for event in pipeline.good()}
    assert len(before) == 2
    row = pipeline.failed()[0]
    assert (row.failure_type, row.event_index) == ("adapter_failures", 1)
    done = pipeline.recover(set=['payload.body[1]={"event":"bounce","timestamp":3}'])
    assert (done.recovered, done.events) == (1, 1)
    after = {event["event_id"]: event["event_name"] for event in pipeline.good()}
    assert before < after.keys()
    assert sorted(after.values()) == ["bounce", "click", "open"]
    assert (
        pipeline.recover(
            Choice(status=[]), run="20240501-130000-000002", set=['payload.body[1]={"event":"bounce","timestamp":3}']
        ).events
        == 0
    )


def test_a_batch_refused_for_one_event_is_recovered_whole(pipeline):
    body = json.loads(tracked({"e": "pv"}, {"e": "pv", "aid": "blog"}).body)
    del body["data"][1]["p"]
    pipeline.take(request("/com.snowplowanalytics.snowplow/tp2", json.dumps(body)))
    assert pipeline.good() == []
    done = pipeline.recover(default=["payload.body.data[*].p=web"])
    assert (done.recovered, done.events) == (1, 2)
    row = pipeline.failed()[0]
    assert sorted(row.recovered_into.split()) == sorted(e["event_id"] for e in pipeline.good())


def test_of_a_recovered_request_what_still_fails_is_a_row_of_its_own(pipeline):
    pipeline.publish(cart_schema())
    body = json.loads(tracked({"e": "pv"}, {"ue_pr": ue({"quantity": "x"})}).body)
    del body["data"][0]["p"]
    pipeline.take(request("/com.snowplowanalytics.snowplow/tp2", json.dumps(body)))
    done = pipeline.recover(default=["payload.body.data[*].p=web"])
    assert (done.recovered, done.events, done.new_failures) == (1, 1, 1)
    assert sorted(row.status for row in pipeline.failed()) == ["open", "recovered"]
    assert pipeline.recover(run="20240501-130000-000002", set=["event.data.quantity=1"]).recovered == 1
    assert len(pipeline.good()) == 2


def test_an_illegal_querystring_is_written_anew(pipeline):
    pipeline.take(request("/i", querystring='e=pv&p=web&tv=js-4&url=https://x.example/?a={"b"}'))
    assert pipeline.failed()[0].failure_type == "collector_payload_format_violation"
    assert pipeline.recover().recovered == 1
    assert pipeline.good()[0]["page_url"] == "https://x.example/?a=%7B%22b%22%7D"


def test_a_bad_row_of_another_pipeline_without_a_record(pipeline):
    pipeline.take(tracked({"ue_pr": ue({"quantity": 1})}, {"e": "pv", "tr_tt": "x"}), request("/com.sendgrid/v3", "[]"))
    foreign = [
        FailedEvent(id=row.id, failure_type=row.failure_type, failed_at=NOON, data=row.data, message="m")
        for row in pipeline.failed()
    ]
    ids = {row.event_id for row in pipeline.failed() if row.event_id}
    pipeline.store.clear()
    nested = {"schema": "iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/1-0-0"}
    old = msgspec.json.decode(msgspec.json.encode(foreign[0].data))
    raw = old["payload"]["raw"]
    raw["parameters"] = {pair["name"]: pair["value"] for pair in raw["parameters"]}
    wrapped = FailedEvent(
        id="00000000-0000-4000-8000-000000000001",
        failure_type="recovery_error",
        failed_at=NOON,
        message="m",
        data={"payload": {**nested, "data": old}},
    )
    pipeline.store.write(StoreBatch("import", failed=[*foreign, wrapped]))
    pipeline.publish(cart_schema())
    done = pipeline.recover(unset=["parameters.tr_tt"], set=['payload.body=[{"event":"open","timestamp":1}]'])
    assert (done.recovered, done.failed) == (4, 0)
    assert ids <= {event["event_id"] for event in pipeline.good()}
    assert done.events == 3 + (1 if len(pipeline.good()) == 4 else 0)


def test_failures_for_want_of_a_schema_cure_themselves(any_pipeline):
    p = any_pipeline
    other = "iglu:com.acme/other/jsonschema/1-0-0"
    p.take(
        tracked({"ue_pr": ue({"quantity": 1})}),
        tracked({"ue_pr": ue({"quantity": "x"})}),
        tracked({"ue_pr": ue({}, other)}),
    )
    assert curable(p.store, p.resolver) == []
    asked = []

    def enricher():
        asked.append(1)
        return p.enricher

    assert retry(p.store, p.resolver, enricher, run="r0", at=NOON)[0] == []
    assert asked == []
    p.publish(cart_schema())
    schemas, totals = retry(p.store, p.resolver, enricher, run="r1", at=NOON)
    assert (schemas, totals.recovered, totals.failed) == ([CART], 1, 1)
    # what fails for another reason now is not tried for ever
    assert retry(p.store, p.resolver, enricher, run="r2", at=NOON) == ([], type(totals)())
    assert sorted(row.attempts for row in p.failed()) == [0, 1, 1]


def test_a_python_function(pipeline, tmp_path):
    pipeline.publish(cart_schema())
    pipeline.take(
        *(tracked({"ue_pr": ue({"quantity": q})}, timestamp=NOON + i) for i, q in enumerate(["two", "three", "four"]))
    )
    file = tmp_path / "mend.py"
    file.write_text(
        "WORDS = {'two': 2, 'three': 3}\n"
        "def recover(event):\n"
        "    word = event['event']['data']['quantity']\n"
        "    if word == 'three':\n        return False\n"
        "    event['event']['data']['quantity'] = WORDS[word]\n"
    )
    reports = []
    done = pipeline.recover(python=str(file), reports=reports)
    assert (done.recovered, done.left, done.failed) == (1, 1, 1)
    assert any("KeyError" in report.reason for report in reports)


def test_what_was_too_large_for_enrich_is_replayed(pipeline):
    pipeline.enricher = Enricher(pipeline.validator, EnrichSettings(max_record_size=2000))
    pipeline.take(
        tracked({"e": "pv", "page": "x" * 1900}, {"e": "pv"}),
        tracked({"e": "pv", "vid": "one"}),  # a bad row that is too large
    )
    large, bad = sorted(pipeline.failed(), key=lambda row: "resulting bad row" in row.message)
    assert [large.failure_type, bad.failure_type] == ["size_violation"] * 2
    shown = grouping.show(pipeline.store, pipeline.resolver, large.id, pipeline.validator)
    assert not shown.not_replayable
    assert "enrich.max_record_size" in shown.cures[0].text
    again = pipeline.recover(run="20240501-120000-000000")
    assert (again.rows, again.failed, again.lost) == (2, 2, 0)
    pipeline.refresh()  # with the usual limit
    assert pipeline.recover(unset=["parameters.vid"]).recovered == 2
    assert sorted(len(event["page_title"] or "") for event in pipeline.good()) == [0, 0, 1900]
    assert large.event_id in {event["event_id"] for event in pipeline.good()}


def test_rows_of_which_nothing_is_left_are_told_and_kept(pipeline):
    lost = FailedEvent(
        id="00000000-0000-4000-8000-000000000002",
        failure_type="size_violation",
        failed_at=NOON,
        data={"payload": "Coll"},
    )
    pipeline.store.write(StoreBatch("b", failed=[lost]))
    reports = []
    done = pipeline.recover(reports=reports)
    assert (done.rows, done.lost) == (1, 1)
    assert reports[0].reason == "only the beginning of an oversized request is kept; raise the limits for the next ones"
    assert pipeline.failed()[0].status == "open"


def test_snowplows_configuration_recovers_the_same_events(pipeline):
    pipeline.publish({**cart_schema(), "properties": {"quantity": {"type": "number"}}})
    pipeline.take(
        tracked({"ue_px": b64(ue({"quantity": "5"}))}), tracked({"aid": "blog", "ue_pr": ue({"quantity": "x"})})
    )

    def flow(name, matcher, path, *steps):
        return {"name": name, "conditions": [{"op": "Test", "path": path, "value": matcher}], "steps": list(steps)}

    quantity = "$.raw.parameters.ue_px.data.data.quantity"
    flows = [
        flow(
            "main",
            {"value": "shop"},
            "$.payload.raw.parameters.aid",
            {"op": "Cast", "path": quantity, "from": "String", "to": "Numeric"},
        ),
        flow(
            "second",
            {"regex": "sho"},
            "$.payload.enriched.app_id",
            {"op": "Replace", "path": "$.raw.parameters.aid", "match": "(?U)^.*$", "value": "shop2"},
        ),
    ]
    schema = "iglu:com.snowplowanalytics.snowplow/recoveries/jsonschema/4-0-0"
    key = "iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/2-0-*"
    config = config_of({"schema": schema, "data": {key: flows}})
    done = pipeline.recover(config=config)
    assert (done.recovered, done.left) == (1, 1)
    assert pipeline.good()[0]["app_id"] == "shop2"


def test_a_record_of_a_row_is_what_came_in(pipeline):
    payload = tracked({"ue_pr": ue({"quantity": 1})})
    pipeline.take(payload)
    assert payload_record.decode(pipeline.failed()[0].record) == payload
