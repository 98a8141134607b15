"""The query over HTTP: answers, refusals, CSV, suggestions, live figures, and who may see people."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snowgauge.store.base import Store
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.events import web_page_view
from snowgauge.testing.figures.filling import fill

NOON = 1_773_144_000_000  # 2026-03-10T12:00:00Z
DAY = {"date_range": ["2026-03-10", "2026-03-10"]}
ROWS = {
    "sessions": [
        {
            "session_id": f"s{n}", "unit": f"s{n}", "app_id": "web", "person_id": f"p{n % 3}", "start_tstamp": NOON + n,
            "end_tstamp": NOON + n, "views": 1, "source": source, "entry_path": "/", "geo_country": "DE",
        }
        for n, source in enumerate(["Google", "=cmd|' /C calc'!A0", "Google", "", "gooseberry.example"])
    ],
    "page_views": [
        {
            "view_id": f"v{n}", "event_id": f"00000000-0000-4000-8000-00000000000{n}", "unit": f"s{n}",
            "session_id": f"s{n}", "app_id": "web", "person_id": f"p{n % 3}", "start_tstamp": NOON + n,
            "end_tstamp": NOON + n, "page_path": "/", "page_title": "Home",
        }
        for n in range(5)
    ],
}  # fmt: skip


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[Browser]:
    now = time.time_ns() // 1_000_000
    events = [
        web_page_view(n, collector_tstamp=now - n * 60_000, derived_tstamp=now - n * 60_000, page_urlpath="/live",
                      domain_userid=f"00000000-0000-4000-8000-00000000000{n % 2}", domain_sessionid="")
        for n in range(8)
    ]  # fmt: skip
    fill(store, ROWS, events)
    port = PrivatePort(tmp_path, store=store)
    yield Browser(port.app)
    port.access.close()


def query(client: Browser, **asked: Any) -> Any:
    return client.post("/api/v1/analytics/query", json={**DAY, **asked})


def test_a_question_is_answered(client: Browser) -> None:
    answer = query(client, metrics=["visits"], dimensions=["visit:source"], include={"total_rows": True}).json()
    assert answer["results"][0] == {"dimensions": ["Google"], "metrics": [2], "comparison": None, "imported": None}
    assert answer["meta"]["total_rows"] == 4
    assert {row["dimensions"][0] for row in answer["results"]} >= {None, "Google"}
    assert answer["query"]["metrics"] == ["visits"]
    assert [one["code"] for one in answer["meta"]["warnings"]] == ["not_modelled"]


@pytest.mark.parametrize(
    ("asked", "where", "says"),
    [
        ({"metrics": ["visitrs"]}, "metrics[0]", "visitors"),
        ({"metrics": []}, "metrics", "at least one"),
        ({"metrics": ["visits"], "dimensions": ["visit:sauce"]}, "dimensions[0]", "visit:source"),
        ({"metrics": ["visits"], "filters": [["is", "visit:source"]]}, "filters[0]", "is"),
        ({"metrics": ["visits"], "filters": [["matches", "event:page", ["(?=a)"]]]}, "filters[0][2][0]", "(?:"),
        ({"metrics": ["visits"], "filters": [["greater", "visit:source", [1]]]}, "filters[0][0]", "text"),
        ({"metrics": ["visit_duration"], "dimensions": ["event:goal"]}, "metrics[0]", "event:goal"),
        ({"metrics": ["views_per_visit"], "filters": [["is", "event:page", ["/"]]]}, "metrics[0]", "whole visits"),
        ({"metrics": ["exit_rate"]}, "metrics[0]", "event:page"),
        ({"metrics": ["visits"], "date_range": "8d"}, "date_range", "7d"),
        ({"metrics": ["visits"], "timezone": "Mars/Olympus"}, "timezone", "Europe/Berlin"),
        ({"metrics": ["visits"], "date_range": ["2026-02-30", "2026-03-01"]}, "date_range", "2026-02-30"),
        ({"metrics": ["visits"], "dimensions": ["time:minute"], "date_range": "year"}, "dimensions[0]",
         "longer interval"),
        ({"metrics": ["visits"], "filters": [["same_event", [["is", "event:goal", ["a"]],
                                                        ["is", "event:name", ["b"]]]]]},
         "filters[0]", "same_visit"),
        ({"metrics": ["visits"], "oder_by": []}, "", "order_by"),
        ({"metrics": ["visits"], "pagination": {"limit": 10**9}}, "pagination.limit", "100,000"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_place(
    client: Browser, asked: dict[str, Any], where: str, says: str
) -> None:
    answer = client.post("/api/v1/analytics/query", json=asked)
    assert answer.status_code == 422, answer.text
    detail = answer.json()["detail"]
    assert detail.startswith(where)
    assert says in detail


HOSTILE = (
    "'; DROP TABLE derived.sessions; --", "{p0:String}", "%(x)s %s %%", "\\", "a\nb\t'\"`", "😀 مرحبا", "x" * 10_000,
)  # fmt: skip


@pytest.mark.parametrize("operator", ["is", "contains", "starts_with", "matches_wildcard"])
def test_hostile_values_are_values(client: Browser, operator: str) -> None:
    for value in HOSTILE:
        given = value[:400] if operator == "matches_wildcard" else value
        filters = [[operator, dimension, [given]] for dimension in ("visit:source", "event:page")]
        answer = query(client, metrics=["visits"], filters=filters, explain=True)
        assert answer.status_code == 200, answer.text
        assert answer.json()["results"][0]["metrics"] == [0], value
    assert query(client, metrics=["visits"]).json()["results"][0]["metrics"] == [5]


def test_csv_has_all_rows_and_no_formula(client: Browser) -> None:
    question = {**DAY, "metrics": ["visits"], "dimensions": ["visit:source"], "order_by": [["visit:source", "asc"]]}
    answer = client.get("/api/v1/analytics/csv", params={"question": json.dumps(question)})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines() == [
        "visit:source,visits", ",1", "'=cmd|' /C calc'!A0,1", "Google,2", "gooseberry.example,1",
    ]  # fmt: skip


def test_several_answers_come_as_one_zip(client: Browser) -> None:
    files = [
        {"name": "sources-visit_source", "question": {**DAY, "metrics": ["visits"], "dimensions": ["visit:source"]}},
        {"name": "nonsense", "question": {**DAY, "metrics": ["bounce_rate"], "dimensions": ["event:goal"]}},
    ]
    answer = client.post("/api/v1/analytics/files", json={"files": files})
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    assert packed.namelist() == ["sources-visit_source.csv", "left-out.txt"]
    assert "Google,2" in packed.read("sources-visit_source.csv").decode()
    assert packed.read("left-out.txt").decode().startswith("nonsense: ")
    assert client.post("/api/v1/analytics/files", json={"files": [{**files[0], "name": "../x"}]}).status_code == 422


def test_values_are_suggested_while_someone_types(client: Browser) -> None:
    answer = client.get(
        "/api/v1/analytics/values", params={"dimension": "visit:source", "search": "GOO", "question": json.dumps(DAY)}
    )
    assert answer.json() == [{"value": "Google", "count": 2}, {"value": "gooseberry.example", "count": 1}]


def test_definitions_say_what_goes_together(client: Browser) -> None:
    found = client.get("/api/v1/analytics/definitions").json()
    bounce = next(one for one in found["measures"] if one["name"] == "bounce_rate")
    assert "event:page" in bounce["dimensions"]
    assert "event:goal" not in bounce["dimensions"]
    assert {one["name"] for one in found["operators"]} >= {"is", "contains", "matches"}


def test_live_visitors_need_no_modelling(client: Browser) -> None:
    found = client.get("/api/v1/analytics/live").json()
    assert found["visitors"] == 2
    assert len(found["minutes"]) == 30
    assert sum(one["pageviews"] for one in found["minutes"]) == 8
    assert found["pages"] == [{"value": "/live", "visitors": 2}]
    assert client.get("/api/v1/analytics/live", params={"app": "other"}).json()["visitors"] == 0


def test_visits_and_what_one_person_did(client: Browser) -> None:
    visits = client.post(
        "/api/v1/analytics/visits", json={**DAY, "metrics": ["visits"], "filters": [["is", "visit:source", ["Google"]]]}
    ).json()
    assert [one["session_id"] for one in visits] == ["s2", "s0"]
    person = client.get("/api/v1/analytics/persons/p0", params={"question": json.dumps(DAY)}).json()
    assert [one["session_id"] for one in person["visits"]] == ["s3", "s0"]
    assert [one["what"] for one in person["steps"]] == ["/", "/"]


def test_a_viewer_sees_figures_and_no_people(store: Store, tmp_path: Path) -> None:
    port = PrivatePort(tmp_path, store=store)
    _, secret = port.access.add_key("figures", ["read:aggregates"], created_by="test")
    client = Browser(port.app, headers={"Authorization": f"Bearer {secret}"})
    assert query(client, metrics=["visits"]).status_code == 200
    assert client.get("/api/v1/analytics/persons/p0").status_code == 403
    assert client.post("/api/v1/analytics/visits", json={"metrics": ["visits"]}).status_code == 403
    port.access.close()


def test_a_store_without_modelled_tables_says_so(tmp_path: Path) -> None:
    port = PrivatePort(tmp_path)
    answer = query(Browser(port.app), metrics=["visits"])
    assert answer.status_code == 400
    assert "ClickHouse or PostgreSQL" in answer.json()["detail"]
    port.close()
