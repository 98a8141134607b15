"""Micro's questions put to a store: the same answers as far as a store knows them."""

from __future__ import annotations

import json

import pytest

from snowgauge.actions.micro.stored import StoredMicroEvents
from snowgauge.api.micro.app import MicroApp
from snowgauge.store.base import StoreBatch
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.asgi import Client
from snowgauge.testing.events import NOON, schema_violation, web_page_view

WEB_PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"


@pytest.fixture
def ask(iglu):
    store = MemoryStore()
    events = [web_page_view(number, app_id="shop" if number % 2 else "blog") for number in range(10)]
    store.write(StoreBatch("1", events, [schema_violation(3)], [web_page_view(20, app_id="broken")]))
    with Client(MicroApp(StoredMicroEvents(store), iglu[0])) as client:

        def ask(path, body=None, status=200):
            sent = b"" if body is None else json.dumps(body).encode()
            answer = client.request("GET" if body is None else "POST", f"/micro/{path}", (), sent)
            assert answer.status == status
            return json.loads(answer.body) if answer["content-type"] == "application/json" else answer.body.decode()

        yield ask


def ids(events):
    return [event["app_id"] for event in events]


def test_the_summary_counts_the_whole_store(ask) -> None:
    assert ask("all") == {"total": 11, "good": 10, "bad": 1}


def test_good_events_come_newest_first_without_their_raw_event(ask) -> None:
    events = ask("good", {"limit": 2})
    assert [event["event"]["page_urlquery"] for event in events] == ["ref=mail&n=9", "ref=mail&n=8"]
    assert events[0]["rawEvent"] is None
    assert events[0]["event"]["collector_tstamp"] == "2024-05-01T12:00:09Z"
    assert events[0]["contexts"][0] == WEB_PAGE


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"event_type": "page_view"}, 10),
        ({"event_type": "struct"}, 0),
        ({"schema": "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0"}, 10),
        ({"schema": "nonsense"}, 0),
        ({"contexts": [WEB_PAGE]}, 10),
        ({"contexts": ["iglu:com.acme/none/jsonschema/1-0-0"]}, 0),
        ({"limit": 0}, 0),
    ],
)
def test_good_events_are_filtered(ask, wanted, count) -> None:
    assert len(ask("good", wanted)) == count


def test_failures_are_shown_with_their_bad_row(ask) -> None:
    (bad,) = ask("bad")
    assert bad["collectorPayload"] is None, "the record of this one cannot be read"
    assert json.loads(bad["errors"][1])["schema"].startswith("iglu:com.snowplowanalytics.snowplow.badrows/")


def test_pages_join_good_and_incomplete_events(ask) -> None:
    query = {"filters": [], "page": 1, "pageSize": 3}
    page = ask("events", query)
    assert ids(page["events"]) == ["broken", "shop", "blog"]
    assert (page["totalItems"], page["totalPages"]) == (11, 4)
    assert ids(ask("events", {**query, "page": 4})["events"]) == ["shop", "blog"]
    assert ids(ask("events", {**query, "validEvents": False})["events"]) == ["broken"]
    assert ids(ask("events", {**query, "validEvents": True, "page": 2})["events"]) == ["blog", "shop", "blog"]
    oldest = {**query, "sorting": {"column": "collector_tstamp", "desc": False}}
    assert ids(ask("events", oldest)["events"]) == ["blog", "shop", "blog"]


def test_filters_are_exact_and_on_plain_text_columns(ask) -> None:
    def total(column, *values):
        return ask("events", {"filters": [{"column": column, "values": values}], "page": 1, "pageSize": 1})[
            "totalItems"
        ]

    assert total("app_id", "shop") == 5
    assert total("app_id", "shop", "blog") == 10
    assert total("app_id", "SHOP") == 0
    assert total("contexts_x", "1") == 11
    assert total("collector_tstamp", "1") == 11


def test_columns_and_their_values(ask) -> None:
    assert "contexts_org_w3_performance_timing_1.fetchStart" in ask("columns")
    assert ask("columnStats", {"columns": ["app_id", "collector_tstamp", "no_such"]}) == {
        "app_id": {"sortable": False, "filterable": True, "values": ["blog", "shop"]},
        "collector_tstamp": {"sortable": True, "filterable": False, "values": None},
        "no_such": {"sortable": False, "filterable": False, "values": None},
    }


@pytest.mark.parametrize("fraction", ["", ".001"], ids=["on a grid", "off it"])
def test_the_timeline_counts_valid_and_failed_events(ask, fraction) -> None:
    assert NOON == 1_714_564_800_000
    spans = [
        (f"2024-05-01T12:00:00{fraction}Z", "2024-05-01T12:00:05Z"),
        ("2024-05-01T12:00:05Z", "2024-05-01T13:00:00Z"),
    ]
    points = ask("timeline", {"buckets": [{"start": start, "end": end} for start, end in spans]})["points"]
    assert [(point["validEvents"], point["failedEvents"]) for point in points] == [(4 if fraction else 5, 0), (5, 1)]
    assert ask("timeline", {"buckets": []}) == {"points": []}


def test_a_deployments_events_cannot_be_reset_nor_read_from_other_sites(ask, iglu) -> None:
    assert ask("reset", status=404).startswith("Supported endpoints")
    assert ask("all")["total"] == 11
    with Client(MicroApp(StoredMicroEvents(MemoryStore()), iglu[0])) as client:
        answer = client.request("GET", "/micro/all", [("origin", "http://evil.example")])
        assert answer["access-control-allow-origin"] is None
        assert client.request("OPTIONS", "/micro/all", [("origin", "http://evil.example")]).status == 404
