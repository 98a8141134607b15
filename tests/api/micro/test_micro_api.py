"""Requests and answers of Micro 4.5, and the older forms that test suites still use."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from snowgauge.events.enriched import ATOMIC_FIELDS

NOT_FOUND = (
    "Supported endpoints: /micro/all, /micro/good, /micro/bad, /micro/events, /micro/reset, /micro/columns, "
    "/micro/columnStats, /micro/timeline, /micro/iglu, /micro/ui"
)
WEB_PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
EVENT_ID = "bee0a6d7-fc17-4392-b2bc-2208e8e944f3"


def contexts(*entities):
    return json.dumps({"schema": CONTEXTS, "data": [{"schema": uri, "data": data} for uri, data in entities]})


def web_page(number=1):
    return (WEB_PAGE, {"id": f"bee0a6d7-fc17-4392-b2bc-2208e8e944f{number}"})


# ---- summary and reset ------------------------------------------------------------------------------------------


def test_the_summary_is_compact_and_in_order(micro) -> None:
    assert micro.request("GET", "/micro/all").body == b'{"total":0,"good":0,"bad":0}'
    micro.track()
    assert micro.request("POST", "/micro/all").body == b'{"total":1,"good":1,"bad":0}'
    assert micro.request("GET", "/micro/all")["content-type"] == "application/json"


def test_an_event_is_visible_once_the_tracking_request_is_answered(micro) -> None:
    for number in range(20):
        micro.track(aid=f"a{number}")
        assert micro.get("good")[1][0]["event"]["app_id"] == f"a{number}"


def test_reset_forgets_everything(micro) -> None:
    micro.track()
    micro.track(eid="bad")
    answer = micro.request("GET", "/micro/reset")
    assert (answer.status, answer.body, answer["content-type"]) == (
        200,
        b"Reset completed",
        "text/plain; charset=UTF-8",
    )
    assert micro.get("all") == (200, {"total": 0, "good": 0, "bad": 0})
    assert micro.get("good") == (200, [])
    assert micro.get("bad") == (200, [])
    assert micro.get("columns") == (200, [])


def test_reset_answers_those_who_take_only_json_as_micro_3_did(micro) -> None:
    answer = micro.request("POST", "/micro/reset", headers=[("accept", "application/json")])
    assert answer.body == b'{"total":0,"good":0,"bad":0}'


# ---- good -------------------------------------------------------------------------------------------------------


def test_a_good_event_has_six_keys_in_order(micro) -> None:
    micro.track_many({"aid": "shop", "eid": EVENT_ID, "vid": "3", "co": contexts(web_page(), web_page(2))})
    (event,) = micro.get("good")[1]
    assert list(event) == ["rawEvent", "eventType", "schema", "contexts", "event", "incomplete"]
    assert event["eventType"] == "page_view"
    assert event["schema"] == "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0"
    assert event["contexts"] == [WEB_PAGE, WEB_PAGE]
    assert event["incomplete"] is False


def test_a_raw_event_is_the_request_with_one_events_parameters(micro) -> None:
    sent = contexts(web_page())
    micro.track_many({"aid": "shop", "eid": EVENT_ID, "co": sent})
    raw = micro.get("good")[1][0]["rawEvent"]
    assert list(raw) == ["api", "parameters", "contentType", "source", "context"]
    assert raw["api"] == {"vendor": "com.snowplowanalytics.snowplow", "version": "tp2"}
    assert raw["parameters"]["co"] == sent, "as sent, not decoded"
    assert raw["parameters"]["eid"] == EVENT_ID
    assert raw["contentType"] == "application/json"
    assert raw["source"]["hostname"] is None, "as Snowplow's collector 3 keeps it"
    assert raw["source"]["encoding"] == "UTF-8"
    context = raw["context"]
    assert list(context) == ["timestamp", "ipAddress", "useragent", "refererUri", "headers", "userId"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", context["timestamp"])
    assert "content-language: de-de, en-ca" in [header.lower() for header in context["headers"]]
    assert context["headers"][-1] == "application/json"
    assert context["ipAddress"] == "203.0.113.7"
    assert re.fullmatch(r"[0-9a-f-]{36}", context["userId"])


def test_a_pixel_request_is_tracker_protocol_1(micro) -> None:
    micro.track(aid="shop")
    raw = micro.get("good")[1][0]["rawEvent"]
    assert raw["api"] == {"vendor": "com.snowplowanalytics.snowplow", "version": "tp1"}
    assert raw["parameters"] == {"e": "pv", "p": "web", "tv": "js-4.6.8", "aid": "shop"}
    assert raw["contentType"] is None


def test_the_event_is_the_sdks_json_with_all_fields(micro) -> None:
    micro.track(
        e="se", se_ca="shop", se_ac="add", se_va="10", aid="shop", dtm="1000", stm="1120", vid="3", cookie="1",
        res="1280x720", url="https://acme.com/a?b=c", tid="17", eid=EVENT_ID, co=contexts(web_page()),
    )  # fmt: skip
    event = micro.get("good")[1][0]["event"]
    assert list(event) == [field.name for field in ATOMIC_FIELDS]
    assert {name: event[name] for name in (
        "app_id", "event_id", "dvce_created_tstamp", "dvce_sent_tstamp", "domain_sessionidx", "br_cookies", "se_value",
        "dvce_screenwidth", "page_urlport", "txn_id", "unstruct_event", "derived_contexts", "user_id",
    )} == {
        "app_id": "shop", "event_id": EVENT_ID, "dvce_created_tstamp": "1970-01-01T00:00:01Z",
        "dvce_sent_tstamp": "1970-01-01T00:00:01.120Z", "domain_sessionidx": 3, "br_cookies": True, "se_value": 10.0,
        "dvce_screenwidth": 1280, "page_urlport": 443, "txn_id": 17, "unstruct_event": None, "derived_contexts": {},
        "user_id": None,
    }  # fmt: skip
    assert event["contexts"] == {"schema": CONTEXTS, "data": [{"schema": WEB_PAGE, "data": web_page()[1]}]}
    assert b'"se_value":10.0,' in micro.request("GET", "/micro/good").body, "doubles keep their decimal point"


def test_a_self_describing_event_has_its_schema_and_wrapper(micro) -> None:
    micro.track_cart({"sku": "1", "price": 1.5})
    (event,) = micro.get("good")[1]
    assert event["eventType"] == "unstruct"
    assert event["schema"] == "iglu:com.acme/addToCart/jsonschema/1-0-0"
    assert event["event"]["unstruct_event"] == {
        "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
        "data": {"schema": "iglu:com.acme/addToCart/jsonschema/1-0-0", "data": {"sku": "1", "price": 1.5}},
    }


def test_the_newest_event_comes_first_within_a_request_too(micro) -> None:
    micro.track_many({"aid": "a"}, {"aid": "b"}, {"aid": "c"})
    micro.track_many({"aid": "d"})
    assert [event["event"]["app_id"] for event in micro.get("good")[1]] == ["d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["cart", "struct", "plain", "page"]),
        ({"event_type": "page_view"}, ["plain", "page"]),
        ({"event_type": "pv"}, []),
        ({"event_type": "unstruct"}, ["cart"]),
        ({"schema": "iglu:com.acme/addToCart/jsonschema/1-0-0"}, ["cart"]),
        ({"schema": "com.acme/addToCart/jsonschema/1-0-0"}, []),
        ({"schema": "iglu:com.google.analytics/event/jsonschema/1-0-0"}, ["struct"]),
        ({"contexts": [WEB_PAGE]}, ["page"]),
        ({"contexts": []}, ["cart", "struct", "plain", "page"]),
        ({"contexts": [WEB_PAGE.removeprefix("iglu:")]}, []),
        ({"event_type": "page_view", "limit": 1}, ["plain"]),
        ({"limit": 0}, []),
        ({"limit": -1}, []),
        ({"limit": None, "unknown": 1}, ["cart", "struct", "plain", "page"]),
    ],
)
def test_good_events_are_filtered(micro, wanted, found) -> None:
    micro.track(aid="page", co=contexts(web_page()))
    micro.track(aid="plain")
    micro.track(aid="struct", e="se", se_ca="a", se_ac="b")
    micro.track_cart({"sku": "1"}, aid="cart")
    status, events = micro.post("good", wanted)
    assert (status, [event["event"]["app_id"] for event in events]) == (200, found)


# ---- bad --------------------------------------------------------------------------------------------------------


def test_an_event_that_fails_validation_is_bad_and_incomplete(micro) -> None:
    micro.track_cart({"price": 1}, aid="shop")
    assert micro.get("all")[1] == {"total": 1, "good": 0, "bad": 1}
    assert micro.get("good")[1] == []
    (bad,) = micro.get("bad")[1]
    assert list(bad) == ["collectorPayload", "rawEvent", "errors"]
    assert bad["errors"][0] == "Error while validating the event."
    row = json.loads(bad["errors"][1])
    assert row["schema"] == "iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/2-0-1"
    assert row["data"]["processor"]["artifact"] == "snowplow-micro"
    assert bad["rawEvent"]["parameters"]["aid"] == "shop"
    payload = bad["collectorPayload"]
    assert list(payload) == ["api", "querystring", "contentType", "body", "source", "context"]
    assert "aid=shop" in payload["querystring"]
    assert payload["context"] == bad["rawEvent"]["context"]
    incomplete = micro.post("events", {"filters": [], "page": 1, "pageSize": 10, "validEvents": False})[1]["events"]
    assert len(incomplete[0]["contexts_com_snowplowanalytics_snowplow_failure_1"]) == 1


def test_each_failed_event_of_a_request_is_one_bad_event(micro) -> None:
    micro.track_many({"aid": "a", "eid": "x"}, {"aid": "b"}, {"aid": "c", "eid": "y"})
    assert micro.get("all")[1] == {"total": 3, "good": 1, "bad": 2}
    assert [bad["rawEvent"]["parameters"]["aid"] for bad in micro.get("bad")[1]] == ["c", "a"]


def test_a_request_with_several_things_wrong_is_one_bad_event(micro) -> None:
    micro.request("GET", "/i/?e=pv&nuid=me")
    assert micro.get("all")[1] == {"total": 1, "good": 0, "bad": 1}
    _, [bad] = micro.get("bad")
    assert (bad["collectorPayload"], bad["rawEvent"]) == (None, None)
    assert bad["errors"][0] == "Can't deserialize Thrift bytes."
    messages = [json.loads(row)["data"]["failure"]["message"]["payloadField"] for row in bad["errors"][1:]]
    assert messages == ["path", "networkUserId"]


def test_a_request_that_cannot_be_split_is_one_bad_event(micro) -> None:
    micro.request("POST", "/com.snowplowanalytics.snowplow/tp2", b"not json", [("content-type", "application/json")])
    (bad,) = micro.get("bad")[1]
    assert bad["errors"][0] == ("Error while extracting event(s) from collector payload and validating it/them.")
    assert bad["rawEvent"] is None
    assert bad["collectorPayload"]["body"] == "not json"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["com.acme", "com.snowplowanalytics.snowplow"]),
        ({"vendor": "com.acme"}, ["com.acme"]),
        ({"version": "tp1"}, ["com.snowplowanalytics.snowplow"]),
        ({"vendor": "com.acme", "version": "tp1"}, []),
        ({"limit": 1}, ["com.acme"]),
    ],
)
def test_bad_events_are_filtered(micro, wanted, found) -> None:
    micro.track(eid="x")
    micro.request("GET", "/com.acme/v7?a")
    status, events = micro.post("bad", wanted)
    assert (status, [event["collectorPayload"]["api"]["vendor"] for event in events]) == (200, found)


def test_a_parameter_without_a_value_prints_as_null(micro) -> None:
    micro.request("GET", "/com.acme/v7?a&b=1")
    assert micro.get("bad")[1][0]["collectorPayload"]["querystring"] == ["a=null", "b=1"]


# ---- events, columns, stats, timeline ---------------------------------------------------------------------------


def page_of(micro, **query):
    status, page = micro.post("events", {"filters": [], "page": 1, "pageSize": 50, **query})
    assert status == 200
    return page


def test_events_are_shredded(micro) -> None:
    micro.track_cart({"sku": "1"}, co=contexts(web_page(1), web_page(2)))
    event = page_of(micro)["events"][0]
    assert not {"contexts", "derived_contexts", "unstruct_event"} & event.keys()
    assert event["unstruct_event_com_acme_add_to_cart_1"] == {"sku": "1"}
    assert event["contexts_com_snowplowanalytics_snowplow_web_page_1"] == [
        {**web_page(1)[1], "_schema_version": WEB_PAGE},
        {**web_page(2)[1], "_schema_version": WEB_PAGE},
    ]
    assert event["user_id"] is None


def test_pages(micro) -> None:
    assert page_of(micro) == {"events": [], "totalPages": 1, "totalItems": 0}
    for name in "abcde":
        micro.track(aid=name)
    second = page_of(micro, page=2, pageSize=2)
    assert [event["app_id"] for event in second["events"]] == ["c", "b"]
    assert (second["totalPages"], second["totalItems"]) == (3, 5)
    assert page_of(micro, page=9, pageSize=2)["events"] == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([{"column": "app_id", "values": ["SHOP"]}], ["shop"]),
        ([{"column": "app_id", "values": ["sho"]}], []),
        ([{"column": "app_id", "values": ["shop", "blog"]}], ["blog", "shop"]),
        ([{"column": "app_id", "values": []}], ["blog", "shop"]),
        ([{"column": "app_id", "values": [""]}], ["blog", "shop"]),
        ([{"column": "user_id", "values": ["null"]}], ["blog"]),
        ([{"column": "domain_sessionidx", "values": ["12"]}], ["shop"]),
        ([{"column": "br_cookies", "values": ["true"]}], ["shop"]),
        ([{"column": "no_such", "values": ["x"]}], []),
        ([{"column": "contexts_x", "values": ["x"]}], ["blog", "shop"]),
        ([{"column": "app_id", "values": ["shop"]}, {"column": "user_id", "values": ["anna"]}], ["shop"]),
        ([{"column": "app_id", "values": ["shop"]}, {"column": "user_id", "values": ["bert"]}], []),
        ([{"column": "app_id", "value": "shop"}], ["shop"]),
    ],
)
def test_events_are_filtered(micro, filters, found) -> None:
    micro.track(aid="shop", uid="anna", vid="12", cookie="1")
    micro.track(aid="blog")
    assert [event["app_id"] for event in page_of(micro, filters=filters)["events"]] == found


def test_sorting_is_by_text(micro) -> None:
    for visit in ("9", "10", "1"):
        micro.track(vid=visit)

    def visits(**sorting):
        return [event["domain_sessionidx"] for event in page_of(micro, sorting=sorting)["events"]]

    assert visits(column="domain_sessionidx", desc=False) == [1, 10, 9]
    assert visits(column="domain_sessionidx", desc=True) == [9, 10, 1]
    assert visits(column="contexts_x", desc=True) == [1, 10, 9], "newest first"


def test_events_lacking_the_column_come_last_or_first(micro) -> None:
    micro.events.add(b"", [])
    micro.track(aid="none")
    micro.track(aid="some")
    some = micro.events._newest_first()[0]
    some.columns["geo_location"] = "1.0,2.0"
    for desc, order in ((False, ["some", "none"]), (True, ["none", "some"])):
        page = page_of(micro, sorting={"column": "geo_location", "desc": desc})
        assert [event["app_id"] for event in page["events"]] == order


def test_valid_and_failed_events_can_be_asked_for_apart(micro) -> None:
    micro.track(aid="valid")
    micro.track(aid="failed", eid="x")
    asked = {flag: page_of(micro, validEvents=flag)["events"] for flag in (True, False, None)}
    assert [[event["app_id"] for event in events] for events in asked.values()] == [
        ["valid"],
        ["failed"],
        ["failed", "valid"],
    ]


def test_the_time_range_includes_its_start_and_not_its_end(micro) -> None:
    micro.track()
    at = page_of(micro)["events"][0]["collector_tstamp"]
    for times, count in (({"start": at}, 1), ({"end": at}, 0), ({"start": at, "end": at}, 0), (None, 1), ({}, 1)):
        assert page_of(micro, timeRange=times)["totalItems"] == count


def test_micro_3_gave_all_events_in_one_list(micro) -> None:
    micro.track(aid="a")
    micro.track(aid="b", eid="x")
    assert [event["app_id"] for event in micro.get("events")[1]] == ["b", "a"]


def test_columns_are_sorted_and_reach_one_level_into_schemas(micro) -> None:
    micro.track_cart({"sku": "1"}, co=contexts(web_page()))
    columns = micro.get("columns")[1]
    assert columns == sorted(columns)
    assert {
        "app_id",
        "unstruct_event_com_acme_add_to_cart_1",
        "unstruct_event_com_acme_add_to_cart_1.sku",
        "contexts_com_snowplowanalytics_snowplow_web_page_1.id",
        "contexts_com_snowplowanalytics_snowplow_web_page_1._schema_version",
    } <= set(columns)


def test_column_statistics(micro) -> None:
    for number in range(25):
        micro.track(aid=f"app{number}")
    asked = ["app_id", "derived_tstamp", "contexts_x_1", "no_such", "user_id"]
    status, stats = micro.post("columnStats", {"columns": asked})
    assert status == 200
    assert stats == {
        "app_id": {"sortable": True, "filterable": True, "values": [f"app{number}" for number in range(24, 4, -1)]},
        "derived_tstamp": {"sortable": True, "filterable": False, "values": None},
        "contexts_x_1": {"sortable": False, "filterable": False, "values": None},
        "no_such": {"sortable": True, "filterable": True, "values": []},
        "user_id": {"sortable": True, "filterable": True, "values": ["null"]},
    }


def test_the_timeline_has_a_point_per_bucket(micro) -> None:
    micro.track()
    micro.track(eid="x")
    buckets = [
        {"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00.500Z"},
        {"start": "2020-01-01T00:00:00.000Z", "end": "2100-01-01T01:00:00+01:00"},
    ]
    assert micro.post("timeline", {"buckets": buckets}) == (
        200,
        {
            "points": [
                {"validEvents": 0, "failedEvents": 0, "bucket": buckets[0]},
                {
                    "validEvents": 1,
                    "failedEvents": 1,
                    "bucket": {"start": "2020-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"},
                },
            ]
        },
    )
    assert micro.post("timeline", {"buckets": []}) == (200, {"points": []})


# ---- schemas, page, the rest ------------------------------------------------------------------------------------


def test_schemas_are_looked_up_in_all_registries(micro) -> None:
    assert micro.get("iglu/com.acme/addToCart/jsonschema/1-0-0")[1]["self"]["name"] == "addToCart"
    status, told = micro.get("iglu/com.acme/nothing/jsonschema/1-0-0")
    assert status == 404
    assert list(told) == ["value"]
    assert list(told["value"]) == sorted(told["value"])
    embedded = told["value"]["Iglu Client Embedded"]
    assert list(embedded) == ["errors", "attempts", "lastAttempt"]
    assert embedded["errors"] == [{"error": "NotFound"}]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("iglu/com.acme/addToCart/jsonschema/1-0", None),
        ("iglu/com.acme/addToCart/jsonschema/x-y-z", None),
        ("iglu/com.acme/addToCart/avro/1-0-0", NOT_FOUND),
        ("iglu/com.acme/addToCart/jsonschema", NOT_FOUND),
        ("iglu/com.acme/addToCart/jsonschema/1-0-0/x", NOT_FOUND),
    ],
)
def test_a_look_up_has_one_form(micro, path, text) -> None:
    form = "Schema lookup should be in format iglu/{vendor}/{schemaName}/jsonschema/{model}-{revision}-{addition}"
    assert micro.get(path) == (404, text or form)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/"), ("GET", "/nope"), ("PUT", "/all"), ("DELETE", "/reset"), ("GET", "/timeline"),
     ("POST", "/columns"), ("POST", "/auth-config"), ("GET", "/all/more"), ("GET", "/iglu")],
)  # fmt: skip
def test_everything_else_below_micro_is_not_found(micro, method, path) -> None:
    answer = micro.request(method, f"/micro{path}")
    assert (answer.status, answer.body.decode()) == (404, NOT_FOUND)
    assert micro.get("all")[1]["total"] == 0, "and never reaches the collector"


def test_the_collector_has_the_other_paths(micro) -> None:
    assert micro.request("GET", "/health").body == b"ok"
    assert micro.request("GET", "/microscope").status == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("good", b"", 400, "The request body was malformed."),
        ("good", b"{", 400, "The request body was malformed."),
        ("good", b"[]", 422, "The request body was invalid."),
        ("good", b'{"limit":"1"}', 422, "The request body was invalid."),
        ("bad", b'{"vendor":1}', 422, "The request body was invalid."),
        ("events", b'{"page":1,"pageSize":1}', 422, "The request body was invalid."),
        ("events", b'{"filters":[{"column":"a"}],"page":1,"pageSize":1}', 422, "The request body was invalid."),
        ("events", b'{"filters":[],"page":1,"pageSize":1,"timeRange":{"start":"yesterday"}}', 422,
         "The request body was invalid."),
        ("events", b'{"filters":[],"page":1,"pageSize":1,"timeRange":{"start":"2020-01-01"}}', 422,
         "The request body was invalid."),
        ("columnStats", b"{}", 422, "The request body was invalid."),
        ("timeline", b'{"buckets":[{"start":"2020-01-01T00:00:00Z"}]}', 422, "The request body was invalid."),
        ("timeline", b"nonsense", 400, "The request body was malformed."),
    ],
)  # fmt: skip
def test_bodies_that_are_wrong(micro, path, body, status, text) -> None:
    assert micro.post(path, body) == (status, text)


def test_the_content_type_of_a_body_is_not_checked(micro) -> None:
    assert micro.request("POST", "/micro/good", b"{}", [("content-type", "text/plain")]).status == 200


def test_answers_are_compressed_for_those_who_ask(micro) -> None:
    micro.track()
    answer = micro.request("GET", "/micro/good", headers=[("accept-encoding", "gzip, deflate")])
    assert answer["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body))[0]["eventType"] == "page_view"
    assert micro.request("GET", "/micro/good", headers=[("accept-encoding", "gzip;q=0")])["content-encoding"] is None


def test_other_origins_may_read_as_in_micro_2(micro) -> None:
    answer = micro.request("GET", "/micro/all", headers=[("origin", "http://localhost:3000")])
    assert answer["access-control-allow-origin"] == "http://localhost:3000"
    preflight = micro.request("OPTIONS", "/micro/good", headers=[("origin", "http://localhost:3000")])
    assert preflight.status == 200
    assert "Content-Type" in (preflight["access-control-allow-headers"] or "")


def test_no_login_is_needed(micro) -> None:
    assert micro.get("auth-config") == (200, {"domain": "", "audience": "", "clientId": "", "enabled": False})


def test_the_page_is_served_and_nothing_beside_it(micro) -> None:
    for path in ("ui", "ui/"):
        answer = micro.request("GET", f"/micro/{path}")
        assert (answer.status, answer["content-type"]) == (200, "text/html; charset=UTF-8")
    for path in ("ui/none.js", "ui/../app.py", "ui/..%2Fapp.py", "ui//app.py"):
        assert micro.request("GET", f"/micro/{path}").status == 404


def test_without_storage_nothing_is_found(make_micro) -> None:
    micro = make_micro(store=False)
    micro.track()
    for path in ("all", "good", "reset", "ui", "auth-config"):
        answer = micro.request("GET", f"/micro/{path}")
        assert (answer.status, answer.body) == (404, b"")


def test_the_lists_can_be_bounded(make_micro) -> None:
    micro = make_micro(most=2)
    for name in "abc":
        micro.track(aid=name)
    assert [event["event"]["app_id"] for event in micro.get("good")[1]] == ["c", "b"]


def test_an_invented_schema_is_a_failure_at_once(micro) -> None:
    wrapper = {
        "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
        "data": {"schema": "iglu:com.acme/unknown/jsonschema/1-0-0", "data": {}},
    }
    micro.track(e="ue", ue_pr=json.dumps(wrapper))
    assert "ResolutionError" in micro.get("bad")[1][0]["errors"][1]
