"""Cohorts over HTTP: made of rules, files and funnels; whose they are; and what they show to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from snowgauge.actions.analytics.saved.cohorts import take_out
from snowgauge.actions.lifetime.marks import Finder, person
from snowgauge.modelling.store import Change
from snowgauge.modelling.tables.cohorts import MEMBERS
from snowgauge.pipeline.personal_places import CohortsPlace
from snowgauge.store.base import Store
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.figures.asking import START
from snowgauge.testing.figures.filling import fill
from snowgauge.testing.figures.people import people

BASE = "/api/v1/analytics/cohorts"
PASSWORD = "correct horse battery"
SPAN = {"date_range": ["2026-03-02", "2026-03-08"]}
EVERYONE = {"rules": [{"event": {"kind": "page"}, "date_range": "all"}]}
FEW = {"rules": [{"event": {"kind": "goal", "name": "buy"}, "times": {"at_least": 2}, "date_range": "all"}]}
FUNNEL = {**SPAN, "steps": [{"kind": "page", "name": "/"}, {"kind": "goal", "name": "buy"}]}


@pytest.fixture(scope="module")
def port(any_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePort]:
    made = people(3, start=START, moments=100, step=3_600_000)
    fill(any_store, made.rows, made.stored)
    found = PrivatePort(tmp_path_factory.mktemp("port"), store=any_store)
    for role, name in (("admin", "ada"), ("analyst", "ann"), ("viewer", "vic")):
        found.access.add_person(name, PASSWORD, role)  # type: ignore[arg-type]
    yield found
    found.access.close()


def member(port: PrivatePort, name: str) -> Browser:
    browser = Browser(port.app)
    me = browser.post("/api/v1/access/login", json={"name": name, "password": PASSWORD}).json()
    browser._headers["X-CSRF-Token"] = me["csrf"]
    return browser


@pytest.fixture
def ann(port: PrivatePort) -> Browser:
    return member(port, "ann")


@pytest.fixture
def vic(port: PrivatePort) -> Browser:
    return member(port, "vic")


def add(browser: Browser, **given: Any) -> Any:
    answer = browser.post(BASE, json={"name": "Cohort", **given})
    assert answer.status_code == 201, answer.text
    return answer.json()


def visitors(browser: Browser, *filters: Any) -> Any:
    asked = {**SPAN, "metrics": ["visitors"], "filters": list(filters), "traffic": "all"}
    return browser.post("/api/v1/analytics/query", json=asked)


def test_by_rule(ann: Browser, vic: Browser) -> None:
    size = ann.post(f"{BASE}/count", json={"rule": EVERYONE}).json()
    made = add(ann, rule=EVERYONE)
    assert made["people"] == size["people"] > 20
    assert made["counted_at"] >= size["at"]
    figures = [visitors(ann, [operator, "cohort", [made["id"]]]).json()["results"][0]["metrics"][0]
               for operator in ("is", "is_not")]  # fmt: skip
    assert figures[0] > 0
    assert sum(figures) == visitors(ann).json()["results"][0]["metrics"][0]
    # another's until it is shared
    assert made["id"] not in [one["id"] for one in vic.get(BASE).json()]
    assert visitors(vic, ["is", "cohort", [made["id"]]]).status_code == 422
    assert ann.patch(f"{BASE}/{made['id']}", json={"shared": True}).json()["shared"]
    assert visitors(vic, ["is", "cohort", [made["id"]]]).status_code == 200
    changed = ann.patch(f"{BASE}/{made['id']}", json={"rule": FEW, "name": "Buyers"}).json()
    assert (changed["name"], changed["people"] < made["people"]) == ("Buyers", True)
    assert ann.delete(f"{BASE}/{made['id']}").status_code == 204
    assert visitors(ann, ["is", "cohort", [made["id"]]]).status_code == 422


def test_too_few_people_are_shown_to_nobody_without_the_right(ann: Browser, vic: Browser) -> None:
    made = add(ann, rule=FEW, shared=True)
    assert 0 < made["people"] < 10
    mine = next(one for one in vic.get(BASE).json() if one["id"] == made["id"])
    assert (mine["people"], mine["counted_at"]) == (None, made["counted_at"])
    refused = visitors(vic, ["is", "cohort", [made["id"]]])
    assert refused.status_code == 422
    assert "read:persons" in refused.json()["detail"]
    assert visitors(vic, ["is_not", "cohort", [made["id"]]]).status_code == 422
    few = vic.post(f"{BASE}/count", json={"rule": FEW}).json()
    assert (few["people"], few["fewer_than"]) == (None, 10)
    assert visitors(ann, ["is", "cohort", [made["id"]]]).status_code == 200
    ann.delete(f"{BASE}/{made['id']}")


def test_of_a_file(ann: Browser, vic: Browser, port: PrivatePort) -> None:
    text = "name,Person_ID\nAnn,p3-0\nBob, p3-1 \nCy,p3-1\nDee,nobody\n"
    made = add(ann, csv=text)
    assert (made["ids"], made["people"], made["rule"]) == (3, 2, None)
    seen = ann.get(f"{BASE}/{made['id']}/people").json()
    assert {one["person_id"] for one in seen} == {"p3-0", "p3-1"}
    exported = ann.get(f"{BASE}/{made['id']}/csv").text.splitlines()
    assert exported[0] == "person_id,visits,first_seen,last_seen"
    assert {line.split(",")[0] for line in exported[1:]} == {"p3-0", "p3-1"}
    assert vic.get(f"{BASE}/{made['id']}/people").status_code == 403
    assert vic.post(BASE, json={"name": "x", "csv": "p3-0"}).status_code == 403
    assert ann.patch(f"{BASE}/{made['id']}", json={"rule": EVERYONE}).status_code == 422
    # an erasure takes the person off the list, and nobody else
    place = CohortsPlace(port.store.modelling())  # type: ignore[attr-defined]
    finder = Finder(person([("email", "P3-0@example.com"), ("user_id", "p3-0")]), ())
    assert [one.id for one in place.find(finder)] == [f"{made['id']} p3-0"]
    assert place.take_out(finder, lambda _where, _count: None).removed == 1
    assert list(place.find(finder)) == []
    assert ann.post(f"{BASE}/{made['id']}/count").json()["people"] == 1
    assert ann.delete(f"{BASE}/{made['id']}").status_code == 204
    assert take_out(port.store.modelling(), "cohort_id", [made["id"]]) == 0  # type: ignore[attr-defined]


def test_lists_without_a_cohort_are_swept_when_the_next_is_made(ann: Browser, port: PrivatePort) -> None:
    model = port.store.modelling()  # type: ignore[attr-defined]
    for name, at in (("gone", model.now() - 2 * 3_600_000), ("under way", model.now())):
        row = {"cohort_id": name, "id": "p3-0", "folded": "p3-0", "at": at}
        model.replace([Change(MEMBERS, [], [row])], at * 1000)
    made = add(ann, csv="p3-0")
    assert {row["cohort_id"] for row in model.rows(MEMBERS, "folded", ["p3-0"])} == {"under way", made["id"]}
    ann.delete(f"{BASE}/{made['id']}")
    take_out(model, "cohort_id", ["under way"])


def test_of_a_funnel(ann: Browser) -> None:
    dropped = ann.post("/api/v1/analytics/funnel/people", params={"step": 1, "limit": 200}, json=FUNNEL).json()
    made = add(ann, funnel={"question": FUNNEL, "step": 1})
    assert made["people"] == made["ids"] == len(dropped) > 1
    seen = ann.get(f"{BASE}/{made['id']}/people?limit=200").json()
    assert {one["person_id"] for one in seen} == {one["person"] for one in dropped}
    assert [one["last_seen"] for one in seen] == sorted((one["last_seen"] for one in seen), reverse=True)
    beyond = ann.post(BASE, json={"name": "x", "funnel": {"question": FUNNEL, "step": 3}})
    assert beyond.status_code == 422


def test_a_segment_and_a_saved_report_may_name_it(ann: Browser) -> None:
    made = add(ann, rule=EVERYONE)
    filters = [["is", "cohort", [made["id"]]]]
    segment = ann.post("/api/v1/analytics/segments", json={"name": "s", "filters": filters})
    assert segment.status_code == 201, segment.text
    assert visitors(ann, ["is", "segment", [segment.json()["id"]]]).status_code == 200
    given = {"name": "r", "kind": "funnel", "question": {**FUNNEL, "filters": filters}}
    assert ann.post("/api/v1/analytics/saved-reports", json=given).status_code == 201


@pytest.mark.parametrize(
    "given",
    [{}, {"rule": EVERYONE, "csv": "a"}, {"rule": {"rules": []}}, {"csv": " \n"}, {"csv": "a\x07"}, {"csv": "x" * 256},
     {"name": " ", "rule": EVERYONE}, {"csv": 'id\n"a'}],
)  # fmt: skip
def test_what_is_no_cohort(ann: Browser, given: dict[str, Any]) -> None:
    assert ann.post(BASE, json={"name": "Cohort", **given}).status_code == 422


def test_a_share_link_asks_for_none(port: PrivatePort, ann: Browser) -> None:
    made = add(ann, rule=EVERYONE, shared=True)
    share = ann.post("/api/v1/analytics/shares", json={"name": "Board"}).json()
    opened = Browser(port.app).post(f"/api/v1/shared/{share['share']['id']}/open", json={"secret": share["secret"]})
    guest = Browser(port.app, headers={"Authorization": f"Share {opened.json()['ticket']}"})
    asked = {**SPAN, "metrics": ["visitors"], "filters": [["is", "cohort", [made["id"]]]]}
    answer = guest.post(f"/api/v1/shared/{share['share']['id']}/query", json=asked)
    assert answer.status_code == 422
    assert "who someone is" in answer.json()["detail"]
