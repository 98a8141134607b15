"""Someone who may see one application gets the answers that there would be if it were the only one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from snowgauge.api.v1.routers import PREFIX, ROUTERS
from snowgauge.store.base import Store
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.events import web_page_view
from snowgauge.testing.figures.filling import fill

NOON = 1_773_144_000_000  # 2026-03-10T12:00:00Z
DAY = {"date_range": ["2026-03-10", "2026-03-10"], "traffic": "all"}
SCOPES = ["read:aggregates", "read:persons", "read:events"]
PAGE = {"kind": "page"}
STEPS = [{"kind": "page", "name": "/a"}, {"kind": "page", "name": "/b"}]
A = "/api/v1/analytics"
QUESTION = json.dumps({**DAY, "metrics": ["visitors"], "dimensions": ["event:page"]})
VISITS = {**DAY, "metrics": ["visits", "visitors", "pageviews"], "dimensions": ["app"]}

Case = tuple[str, str, dict[str, Any]]
ASKED: dict[tuple[str, str], list[Case]] = {}
"""By route: the requests whose answers are compared."""


def asked(method: str, path: str, at: str = "", **more: Any) -> None:
    ASKED.setdefault((method, path), []).append((method, at or path, more))


asked("POST", f"{A}/query", json=VISITS)
asked("POST", f"{A}/query", json={**VISITS, "dimensions": ["event:page"], "date_range": "all"})
asked("POST", f"{A}/query", json={**VISITS, "filters": [["has_done", ["is", "event:page", ["/b"]]]]})
asked("GET", f"{A}/csv", params={"question": QUESTION})
asked("POST", f"{A}/files", json={"files": [{"name": "x", "question": json.loads(QUESTION)}]})
asked("GET", f"{A}/values", params={"dimension": "event:page", "question": json.dumps(DAY)})
asked("GET", f"{A}/live")
asked("POST", f"{A}/visits", json=DAY)
asked("GET", f"{A}/persons/{{person_id}}", f"{A}/persons/p1", params={"question": json.dumps(DAY)})
asked("POST", f"{A}/funnel", json={**DAY, "steps": STEPS})
asked("POST", f"{A}/funnel/people", params={"step": 2}, json={**DAY, "steps": STEPS})
asked("POST", f"{A}/retention", json={**DAY, "start": PAGE, "interval": "day"})
asked("POST", f"{A}/lifecycle", json={**DAY, "event": PAGE, "interval": "day"})
asked("POST", f"{A}/stickiness", json={**DAY, "event": PAGE})
asked("POST", f"{A}/journeys", json={**DAY, "anchor": {"kind": "page", "name": "/a"}, "steps": 3})
asked("POST", f"{A}/attribution", json={**DAY, "goal": "buy"})
asked("POST", f"{A}/trends", json={**DAY, "series": [PAGE]})
asked("GET", "/api/v1/events", params={"columns": "app_id,page_urlpath"})
asked("GET", "/api/v1/events", params={"columns": "app_id,page_urlpath", "search": "hidden"})
asked("GET", "/api/v1/events", params={"columns": "app_id", "where": "app_id:hidden"})
asked("GET", "/api/v1/events/export", params={"columns": "app_id,page_urlpath"})
asked("GET", "/api/v1/events/export", params={"format": "json"})
asked("GET", "/api/v1/events/{kind}/{event_id}", "/api/v1/events/good/HIDDEN")
asked("GET", "/api/v1/timeline")
asked("GET", "/api/v1/count")
asked("GET", "/api/v1/columns/nested")
asked("GET", "/api/v1/columns/{column:path}/values", "/api/v1/columns/page_urlpath/values")

NOTHING_OF_EVENTS = {
    ("GET", f"{A}/definitions"),
    ("GET", f"{A}/reports/definitions"),
    ("GET", "/api/v1/columns"),
}
_TIMES = ("at", "until", "now", "start")
SAVED = {
    (method, f"{A}/{path}")
    for method, path in (
        ("GET", "segments"), ("POST", "segments"), ("PATCH", "segments/{segment_id}"),
        ("DELETE", "segments/{segment_id}"),
        ("GET", "annotations"), ("POST", "annotations"), ("PATCH", "annotations/{annotation_id}"),
        ("DELETE", "annotations/{annotation_id}"),
        ("GET", "saved-reports"), ("POST", "saved-reports"), ("GET", "saved-reports/{report_id}"),
        ("PATCH", "saved-reports/{report_id}"), ("DELETE", "saved-reports/{report_id}"),
        ("POST", "saved-reports/{report_id}/answer"), ("GET", "saved-reports/{report_id}/csv"),
        ("GET", "dashboards"), ("POST", "dashboards"), ("GET", "dashboards/{dashboard_id}"),
        ("PATCH", "dashboards/{dashboard_id}"), ("DELETE", "dashboards/{dashboard_id}"),
        ("POST", "dashboards/{dashboard_id}/tiles"), ("GET", "applications/{app_id}"),
    )
}  # fmt: skip
"""What people save: the caller's own and what is shared, see below."""


def limits(route: APIRoute) -> bool:
    """Does the route say that it limits its answer to applications?"""
    return any(
        cell.cell_contents is True
        for dependency in route.dependant.dependencies
        for cell in getattr(dependency.call, "__closure__", None) or ()
    )


def routes() -> Iterator[tuple[tuple[str, str], bool, bool]]:
    """Every route of the console's API: method and path, whether it asks for a scope, whether it limits."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            scoped = any(
                getattr(one.call, "__qualname__", "").startswith("needs.") for one in route.dependant.dependencies
            )
            for method in route.methods:
                yield (method, PREFIX + route.path), scoped, limits(route)


def test_every_route_that_limits_by_application_is_tested_here() -> None:
    assert {route for route, _, limiting in routes() if limiting} == set(ASKED) | NOTHING_OF_EVENTS | SAVED


def rows(app: str, pages: list[str], people: list[str]) -> dict[str, list[dict[str, Any]]]:
    """A visit of each person, with a view of each page."""
    sessions, views = [], []
    for n, person in enumerate(people):
        at = NOON + n * 60_000
        common = {"unit": f"{app}-{n}", "session_id": f"{app}-{n}", "app_id": app, "person_id": person}
        sessions.append({**common, "start_tstamp": at, "end_tstamp": at + 1000, "views": len(pages),
                         "source": f"{app}.example", "entry_path": pages[0]})  # fmt: skip
        for m, page in enumerate(pages):
            number = f"{n}{m}{'9' if app == 'hidden' else '1'}"
            views.append({**common, "view_id": f"{app}-{n}-{m}", "event_id": f"00000000-0000-4000-8000-{number:0>12}",
                          "start_tstamp": at + m * 100, "end_tstamp": at + m * 100, "page_path": page,
                          "page_title": f"{app} {page}"})  # fmt: skip
    return {"sessions": sessions, "page_views": views}


class World:
    """A port over a store that holds one application or two."""

    def __init__(self, port: PrivatePort, store: Store) -> None:
        self.port = port
        self._store = store
        now = time.time_ns() // 60_000_000_000 * 60_000
        self._events = {
            app: [
                web_page_view(n + start, app_id=app, collector_tstamp=now - n * 1000, derived_tstamp=now - n * 1000,
                              page_urlpath=f"/{app}", page_url=f"https://{app}.example/{app}")
                for n in range(5)
            ]
            for app, start in (("web", 0), ("hidden", 100))
        }  # fmt: skip
        self.hidden_event = self._events["hidden"][0].event_id

    def fill(self, *apps: str) -> None:
        held: dict[str, list[dict[str, Any]]] = {"sessions": [], "page_views": []}
        for app in apps:
            pages = ["/a", "/b", "/hidden"] if app == "hidden" else ["/a", "/b"]
            for table, made in rows(app, pages, ["p1", "p2", "p3"] if app == "hidden" else ["p1", "p4"]).items():
                held[table] += made
        fill(self._store, held, [event for app in apps for event in self._events[app]])

    def key(self, *apps: str) -> Browser:
        _, secret = self.port.access.add_key("test", SCOPES, created_by="test", apps=apps)  # type: ignore[arg-type]
        return Browser(self.port.app, headers={"Authorization": f"Bearer {secret}"})

    def answers(self, client: Browser) -> dict[str, Any]:
        given = {}
        for cases in ASKED.values():
            for n, (method, path, more) in enumerate(cases):
                answer = client.request(method, path.replace("HIDDEN", str(self.hidden_event)), **more)
                given[f"{method} {path} {n}"] = (answer.status_code, stable(answer.content, answer.headers))
        return given


def stable(body: bytes, headers: Any) -> Any:
    """An answer without what depends on when it was asked."""
    if "json" in headers.get("content-type", "") and "nd" not in headers["content-type"]:
        answer = json.loads(body)
        if isinstance(answer, dict) and "minutes" in answer:
            del answer["visitors"]  # of the last five minutes, which a busy machine may need; the lists are of thirty
        return without(answer)
    return len(body) if "zip" in headers["content-type"] else sorted(body.decode().splitlines())


def without(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: without(value) for name, value in found.items() if name not in _TIMES}
    if isinstance(found, list):  # without the intervals in which nothing was: they move on with the clock
        return [without(one) for one in found if not isinstance(one, dict) or any(without(one).values())]
    return found


@pytest.fixture
def world(store: Store, tmp_path: Path) -> Iterator[World]:
    port = PrivatePort(tmp_path, store=store)
    port.access.add_person("ada", "correct horse battery", "admin")
    yield World(port, store)
    port.access.close()


def test_the_answers_are_those_of_the_application_alone(world: World) -> None:
    world.fill("web")
    alone = world.answers(world.key())
    world.fill("web", "hidden")
    everything, limited = world.answers(world.key()), world.answers(world.key("web"))
    for case, answer in limited.items():
        assert answer == alone[case], case
        # else it would say nothing that they are the same
        assert answer != everything[case] or "attribution" in case, case


def test_another_application_is_refused_wherever_it_is_named(world: World) -> None:
    world.fill("web", "hidden")
    client = world.key("web")
    for method, path, more in (case for cases in ASKED.values() for case in cases):
        if path.startswith(A) and method == "POST" and "json" in more and "files" not in more["json"]:
            refused = client.request(method, path, **{**more, "json": {**more["json"], "app": ["web", "hidden"]}})
            assert refused.status_code == 422, (path, refused.text)
            assert "no access" in refused.text
    assert client.get(f"{A}/live", params={"app": "hidden"}).status_code == 422
    assert client.get(f"{A}/applications/hidden").status_code == 403
    assert client.get(f"{A}/applications/web").status_code == 200
    one = client.post(f"{A}/query", json={**VISITS, "app": "web"}).json()
    assert [row["dimensions"] for row in one["results"]] == [["web"]]


def test_what_is_shared_is_answered_within_the_limit(world: World) -> None:
    world.fill("web", "hidden")
    admin = Browser(world.port.app)
    me = admin.post("/api/v1/access/login", json={"name": "ada", "password": "correct horse battery"}).json()
    headers = {"X-CSRF-Token": me["csrf"]}

    def make(path: str, body: dict[str, Any]) -> Any:
        made = admin.post(f"{A}/{path}", json={**body, "shared": True}, headers=headers)
        assert made.status_code == 201, made.text
        return made.json()

    report = make("saved-reports", {"name": "all", "kind": "query", "question": VISITS})
    of_hidden = make("saved-reports", {"name": "hidden", "kind": "query", "question": {**VISITS, "app": "hidden"}})
    sql = make("saved-reports", {"name": "sql", "kind": "sql", "question": {"sql": "SELECT 1"}})
    for app in ("", "web", "hidden"):
        make("segments", {"name": f"of {app}", "app": app, "filters": [["is", "event:page", ["/a"]]]})
        make("annotations", {"app": app, "at": NOON, "text": f"of {app}"})
    client = world.key("web")
    assert [one["app"] for one in client.get(f"{A}/segments").json()] == ["", "web"]
    assert sorted(one["app"] for one in client.get(f"{A}/annotations").json()) == ["", "web"]
    answered = client.post(f"{A}/saved-reports/{report['id']}/answer", json={}).json()
    assert [row["dimensions"] for row in answered["answer"]["results"]] == [["web"]]
    assert "hidden" not in client.get(f"{A}/saved-reports/{report['id']}/csv").text
    scoped = {"scope": {"app": "hidden"}}
    assert client.post(f"{A}/saved-reports/{report['id']}/answer", json=scoped).status_code == 422
    assert client.post(f"{A}/saved-reports/{of_hidden['id']}/answer", json={}).status_code == 422
    assert client.post(f"{A}/saved-reports/{sql['id']}/answer", json={}).status_code in (403, 404)
    own = {"name": "x", "kind": "query", "question": {**VISITS, "app": "hidden"}}
    assert client.post(f"{A}/saved-reports", json=own).status_code == 422
    assert client.post(f"{A}/dashboards", json={"name": "x", "shared": True}).status_code == 403
