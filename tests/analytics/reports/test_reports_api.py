"""Reports over HTTP: answers, refusals with their place, and who may see people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from snowgauge.store.base import Store
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.figures.asking import START
from snowgauge.testing.figures.filling import fill
from snowgauge.testing.figures.people import people

SPAN = {"date_range": ["2026-03-02", "2026-03-08"]}
STEPS = [{"kind": "page", "name": "/"}, {"kind": "goal", "name": "buy"}]


@pytest.fixture(scope="module")
def port(any_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePort]:
    made = people(3, start=START, moments=100, step=3_600_000)
    fill(any_store, made.rows, made.stored)
    found = PrivatePort(tmp_path_factory.mktemp("port"), store=any_store)
    yield found
    found.access.close()


@pytest.fixture
def client(port: PrivatePort) -> Browser:
    return Browser(port.app)


def ask(client: Browser, report: str, **asked: Any) -> Any:
    return client.post(f"/api/v1/analytics/{report}", json={**SPAN, **asked})


def test_a_funnel_and_who_stopped(client: Browser) -> None:
    funnel = {"steps": STEPS, "breakdown": "visit:country", "explain": True,
              "include": {"comparisons": {"mode": "previous_period"}}}  # fmt: skip
    answer = ask(client, "funnel", **funnel)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    first, second = found["results"][0]["steps"]
    assert first["count"] > second["count"] > 0
    assert first["count"] == second["count"] + second["dropped"]
    assert found["comparison"][0]["steps"][0]["count"] == 0
    assert "SELECT" in found["meta"]["sql"]
    assert set(found["meta"]["definitions"]) >= {"count", "of_first", "open"}
    people = client.post("/api/v1/analytics/funnel/people", params={"step": 1}, json={**SPAN, "steps": STEPS}).json()
    assert len(people) == second["dropped"]
    assert {one["unit"] for one in people} == {one["person"] for one in people}


def test_who_comes_back(client: Browser) -> None:
    answer = ask(client, "retention", start={"kind": "page"}, interval="day", mode="recurring").json()
    assert [one["label"] for one in answer["results"][0]["cohorts"]][:1] == ["2026-03-02"]
    assert all(one["rates"][0] == 100 for one in answer["results"][0]["cohorts"] if one["size"])
    points = ask(client, "lifecycle", event={"kind": "page"}, interval="day").json()["results"]
    assert sum(one["new"] for one in points) > 0
    assert all(one["active"] == one["new"] + one["returning"] + one["resurrecting"] for one in points)
    sticky = ask(client, "stickiness", event={"kind": "page"}).json()["results"]
    assert len(sticky) == 7
    assert sticky[0]["at_least"] == sum(one["people"] for one in sticky)


def test_what_comes_after_a_page(client: Browser) -> None:
    answer = ask(client, "journeys", anchor=STEPS[0], steps=3, limit=2).json()
    first = answer["nodes"][0]
    assert (first["id"], first["what"], first["name"]) == ("0:page:/", "page", "/")
    assert first["people"] == answer["people"] > 0
    ids = {one["id"] for one in answer["nodes"]}
    assert all({one["source"], one["target"]} <= ids for one in answer["links"])
    before = ask(client, "journeys", anchor=STEPS[0], direction="backwards", group="folder").json()
    assert before["people"] == answer["people"]


@pytest.mark.parametrize(
    ("report", "asked", "where", "says"),
    [
        ("funnel", {}, "steps", "list of 2 to 20"),
        ("funnel", {"steps": STEPS[:1]}, "steps", "1 of them"),
        ("funnel", {"steps": [*STEPS, {"kind": "screen"}]}, "steps[2].kind", "page, event, goal"),
        ("funnel", {"steps": [*STEPS, {"kind": "page", "nam": "/"}]}, "steps[2]", "name"),
        ("funnel", {"steps": [{**STEPS[0], "filters": [["is", "event:goal", ["buy"]]]}, STEPS[1]]},
         "steps[0].filters[0]", "event:goal"),
        ("funnel", {"steps": [STEPS[0], STEPS[0]], "order": "strict"}, "steps[1]", "twice"),
        ("funnel", {"steps": STEPS, "window_seconds": 5}, "window_seconds", "60"),
        ("funnel", {"steps": STEPS, "breakdown": "event:goal"}, "breakdown", "page views"),
        ("funnel", {"steps": STEPS, "breakdown": "time:day"}, "breakdown", "time"),
        ("funnel", {"steps": STEPS, "filters": [["is", "visit:sauce", ["a"]]]}, "filters[0]", "visit:source"),
        ("funnel", {"steps": [STEPS[0], {"kind": "event"}], "order": "any", "breakdown": "event:query"}, "breakdown",
         "any order"),
        ("funnel", {"steps": STEPS, "metrics": ["visits"]}, "", "metrics"),
        ("retention", {}, "start", "kind"),
        ("retention", {"start": STEPS[0], "interval": "hour"}, "interval", "month"),
        ("retention", {"start": STEPS[0], "interval": "day", "date_range": "12mo"}, "interval", "100"),
        ("retention", {"start": STEPS[0], "include": {"comparisons": {"mode": "previous_period"}}},
         "include.comparisons", "compared"),
        ("retention", {"start": STEPS[0], "breakdown": "event:goal"}, "breakdown", "page views"),
        ("lifecycle", {"event": STEPS[0], "breakdown": "app"}, "", "breakdown"),
        ("stickiness", {"event": "page"}, "event", "object"),
        ("journeys", {"anchor": STEPS[0], "kinds": ["goal"]}, "kinds", "page"),
        ("journeys", {"kinds": ["page", "page"]}, "kinds", "once"),
        ("journeys", {"kinds": ["goal"], "group": "folder"}, "group", "pages"),
        ("journeys", {"steps": 40}, "steps", "10"),
        ("trends", {}, "series", "1 to 10"),
        ("trends", {"series": [{**STEPS[0], "measure": "sum"}]}, "series[0].property", "property"),
        ("trends", {"series": [{**STEPS[0], "measure": "sum", "property": "visit:source"}]}, "series[0].property",
         "no number"),
        ("trends", {"series": [{**STEPS[0], "property": "visit:views"}]}, "series[0].property", "count"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_place(
    client: Browser, report: str, asked: dict[str, Any], where: str, says: str
) -> None:
    answer = ask(client, report, **asked)
    assert answer.status_code == 422, answer.text
    detail = answer.json()["detail"]
    assert detail.startswith(where)
    assert says in detail


HOSTILE = ("'; DROP TABLE derived.sessions; --", "{p0:String}", "%(x)s %s %%", "\\", "a\nb\t'\"`", "😀", "**" * 40)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_names_are_names(client: Browser, value: str) -> None:
    steps = [{"kind": kind, "name": value, "label": value} for kind in ("page", "event", "goal")]
    answer = ask(client, "funnel", steps=steps, explain=True)
    assert answer.status_code == 200, answer.text


def test_figures_are_not_people(port: PrivatePort) -> None:
    _, secret = port.access.add_key("figures", ["read:aggregates"], created_by="test")
    client = Browser(port.app, headers={"Authorization": f"Bearer {secret}"})
    assert ask(client, "funnel", steps=STEPS).status_code == 200
    refused = client.post("/api/v1/analytics/funnel/people", params={"step": 1}, json={**SPAN, "steps": STEPS})
    assert refused.status_code == 403
