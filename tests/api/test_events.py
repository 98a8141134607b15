"""Events over the API: lists, filters, timelines, columns."""

import itertools
import time
from typing import Any

import pytest

from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.events import described, schema_violation, web_page_view


@pytest.fixture(autouse=True)
def stored(port: PrivatePort) -> int:
    """Ten page views of two apps and three failures in the last minutes; the newest time."""
    now = time.time_ns() // 1_000_000
    good = [
        web_page_view(n, collector_tstamp=now - n * 1000, app_id="shop" if n % 2 else "blog", page_title=f"Tea {n}")
        for n in range(10)
    ]
    failed = [
        schema_violation(n, collector_tstamp=now - n * 1000 - 500, failed_at=now, app_id="shop") for n in range(3)
    ]
    port.store.write(StoreBatch("b1", good, failed))
    return now


def rows(client: Browser, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/events", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def test_good_and_failed_come_in_one_list_newest_first(client: Browser) -> None:
    found = rows(client)
    assert [row["kind"] for row in found[:6]] == ["good", "failed", "good", "failed", "good", "failed"]
    assert [row["at"] for row in found] == sorted((row["at"] for row in found), reverse=True)
    assert len(found) == 13


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status": "good"}, 10),
        ({"status": "failed"}, 3),
        ({"status": "incomplete"}, 0),
        ({"where": "app_id:blog"}, 5),
        ({"where": "app_id:blog~shop"}, 13),
        ({"where": "app_id:!blog"}, 8),
        ({"where": ["app_id:shop", "status:open"]}, 3),
        ({"where": "page_title:*tea 3"}, 1),
        ({"where": "v_tracker:js-4.6.9"}, 13),
        ({"where": "page_urlhost:shop.example.com"}, 10),
        ({"where": "user_id:-"}, 10),
        ({"where": "app_id:sh%6Fp", "status": "good"}, 5),
        ({"range": "30m"}, 13),
        ({"range": "2001-01-01~2002-01-01"}, 0),
        ({"range": "2001-01-01T00:00:00Z~"}, 13),
        ({"search": "Tea 7"}, 1),
        ({"search": "quantity"}, 3),
    ],
)
def test_filters_choose(client: Browser, query: dict[str, Any], count: int) -> None:
    assert len(rows(client, **query)) == count


def test_an_id_is_found_by_search(client: Browser) -> None:
    wanted = rows(client, status="good")[4]["id"]
    assert [row["id"] for row in rows(client, search=wanted)] == [wanted]


def test_pages_stay_stable_while_events_arrive(client: Browser, port: PrivatePort, stored: int) -> None:
    first = client.get("/api/v1/events", params={"limit": 5}).json()
    port.store.write(StoreBatch("b2", [web_page_view(99, collector_tstamp=first["until"] + 1)]))
    second = client.get("/api/v1/events", params={"limit": 5, "offset": 5, "until": first["until"]}).json()
    ids = [row["id"] for row in first["rows"] + second["rows"]]
    assert len(set(ids)) == 10
    assert first["more"] is True


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"where": "no_such:1"}, "no_such"),
        ({"where": "app_id"}, "column:value"),
        ({"range": "yesterday"}, "yesterday"),
        ({"range": "x~y"}, "'x'"),
        ({"status": "fine"}, "fine"),
        ({"offset": 20000}, "narrow"),
        ({"where": "br_viewwidth:wide"}, "wide"),
    ],
)
def test_what_cannot_be_read_is_named(client: Browser, query: dict[str, Any], words: str) -> None:
    answer = client.get("/api/v1/events", params=query)
    assert answer.status_code in (400, 422)
    assert words in answer.json()["detail"]


def test_one_event_is_given_whole(client: Browser) -> None:
    good, failed = rows(client, status="good")[0], rows(client, status="failed")[0]
    assert client.get(f"/api/v1/events/good/{good['id']}").json()["page_title"] == "Tea 0"
    assert client.get(f"/api/v1/events/failed/{failed['id']}").json()["bad_row"]["schema"].startswith("iglu:")
    assert client.get("/api/v1/events/good/nothing").status_code == 404
    assert client.get("/api/v1/events/odd/nothing").status_code == 422


def test_a_timeline_has_every_interval(client: Browser) -> None:
    points = client.get("/api/v1/timeline", params={"seconds": 60, "buckets": 30}).json()["points"]
    assert len(points) == 30
    assert sum(point["good"] for point in points) == 10
    assert sum(point["failed"] for point in points) == 3
    assert {b["at"] - a["at"] for a, b in itertools.pairwise(points)} == {60_000}


def test_counts_and_values(client: Browser) -> None:
    assert client.get("/api/v1/count").json() == {"good": 10, "failed": 3}
    found = client.get("/api/v1/columns/app_id/values").json()
    assert [(value["value"], value["count"]) for value in found] == [("shop", 8), ("blog", 5)]
    assert client.get("/api/v1/columns/nonsense/values").status_code == 404


def test_columns_name_their_kinds(client: Browser) -> None:
    listed = {column["name"]: column for column in client.get("/api/v1/columns").json()}
    assert listed["app_id"]["kinds"] == ["good", "incomplete", "failed"]
    assert listed["message"]["kinds"] == ["failed"]
    assert len(listed) > 131


def test_first_run_ticks_and_snippets(client: Browser) -> None:
    ticks = client.get("/api/v1/first-run/ticks").json()
    assert (ticks["installed"], ticks["ready"], ticks["receiving"]) == (True, True, True)
    assert ticks["events"] == 10
    snippets = client.get("/api/v1/first-run/snippets").json()
    assert {"javascript", "node", "python", "ios", "android", "gtm", "pixel"} <= {one["id"] for one in snippets}
    assert all("127.0.0.1:1" in one["code"] for one in snippets)


def test_a_snippet_says_what_is_missing_until_the_script_is_there(port: PrivatePort, client: Browser) -> None:
    def where() -> str:
        snippets = client.get("/api/v1/first-run/snippets").json()
        return str(next(snippet["where"] for snippet in snippets if snippet["id"] == "javascript"))

    assert client.get("/api/v1/first-run/ticks").json()["script"] is False
    assert "snowgauge scripts download" in where()
    folder = port.deployment.surroundings.scripts
    assert folder is not None
    folder.mkdir(parents=True)
    (folder / "sp.js").write_text("//")
    assert client.get("/api/v1/first-run/ticks").json()["script"] is True
    assert "snowgauge scripts download" not in where()


def test_a_test_event_that_the_collector_does_not_take_says_why(client: Browser) -> None:
    answer = client.post("/api/v1/first-run/test-event")
    assert answer.status_code >= 400
    assert "http://127.0.0.1:1: the collector could not be reached" in answer.json()["detail"]


CLICK = "unstruct_event/com.snowplowanalytics.snowplow/link_click/1"
CART = "contexts/com.acme/cart/1"


@pytest.fixture
def clicked(port: PrivatePort, stored: int) -> None:
    """Three link clicks: two with carts, one of them with two."""
    uri = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1"
    carts = [[{"total": 12.5}], [{"total": 3}, {"total": 12.5}], []]
    clicks = [
        web_page_view(
            100 + n, collector_tstamp=stored - 20_000 - n, event="unstruct", event_name="link_click",
            unstruct_event=described(uri, {"targetUrl": f"https://acme.example/{n}", "elementClasses": ["a", f"c{n}"]}),
            contexts=[described("iglu:com.acme/cart/jsonschema/1-0-0", cart) for cart in some],
        )
        for n, some in enumerate(carts)
    ]  # fmt: skip
    port.store.write(StoreBatch("clicks", clicks))


@pytest.mark.usefixtures("clicked")
def test_properties_are_columns_and_filters(client: Browser) -> None:
    columns = f"app_id,{CLICK}/targetUrl,{CART}/total,{CART}/none"
    found = rows(client, where=f"{CLICK}/targetUrl:+", columns=columns)
    assert [row["event"][f"{CLICK}/targetUrl"] for row in found] == [f"https://acme.example/{n}" for n in range(3)]
    assert [row["event"][f"{CART}/total"] for row in found] == [[12.5], [3, 12.5], None]
    assert len(rows(client, where=f"{CART}/total:12.5~7")) == 2
    assert len(rows(client, where=[f"{CART}/total:3", f"{CLICK}/elementClasses:c1"])) == 1
    assert rows(client, where=f"{CART}/total:3", status="failed") == []
    assert client.get("/api/v1/count", params={"where": f"{CART}/total:12.5"}).json() == {"good": 2, "failed": 0}
    points = client.get("/api/v1/timeline", params={"where": f"{CART}/total:12.5", "buckets": 5}).json()["points"]
    assert sum(point["good"] for point in points) == 2
    found = client.get(f"/api/v1/columns/{CART}/total/values").json()
    assert [(one["value"], one["count"]) for one in found] == [(None, 11), ("12.5", 2), ("3", 1)]
    assert client.get(f"/api/v1/columns/{CART}/total/values", params={"status": "failed"}).json() == []
    assert client.get("/api/v1/columns/contexts/com.acme/values").status_code == 404


@pytest.mark.usefixtures("clicked")
def test_columns_inside_of_events_come_from_the_schemas_that_they_carry(client: Browser) -> None:
    found = client.get("/api/v1/columns/nested").json()
    by_schema = {(one["kind"], one["schema"], one["count"]): one["columns"] for one in found}
    assert ("entity", "web_page", 10) in by_schema
    version = by_schema["entity", "web_page", 10][0]
    assert version == {
        "name": "contexts/com.snowplowanalytics.snowplow/web_page/1", "label": "schema version", "type": "version",
        "filterable": True,
    }  # fmt: skip
    assert len(rows(client, where=f"{version['name']}:+", limit=100)) == 10
    assert not any(schema == "cart" for _, schema, _ in by_schema), "a schema that no registry has"
    properties = {one["name"]: one for one in by_schema["event", "link_click", 3]}
    assert properties[f"{CLICK}/targetUrl"] == {
        "name": f"{CLICK}/targetUrl", "label": "targetUrl", "type": "string", "filterable": True,
    }  # fmt: skip
    assert properties[f"{CLICK}/elementClasses"]["filterable"]
    assert client.get("/api/v1/columns/nested", params={"range": "2001-01-01~2001-01-02"}).json() == []


def test_the_oldest_can_come_first(client: Browser) -> None:
    newest, oldest = rows(client), rows(client, order="oldest")
    assert oldest == newest[::-1]
    assert rows(client, order="oldest", limit=3, offset=2) == oldest[2:5]
