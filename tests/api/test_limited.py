"""People and keys that may see some applications only: what is refused, and that nobody can widen their own limit."""

from __future__ import annotations

import time

import pytest
from tests.analytics.test_limited_access import routes
from tests.api.test_doors import concrete

from snowgauge.actions.access.roles import BY_APPLICATION, ROLES, Role
from snowgauge.errors import AccessRefused
from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.events import schema_violation, web_page_view

PASSWORD = "correct horse battery"


def logged_in(port: PrivatePort, name: str) -> tuple[Browser, dict[str, str]]:
    client = Browser(port.app)
    me = client.post("/api/v1/access/login", json={"name": name, "password": PASSWORD}).json()
    return client, {"X-CSRF-Token": me["csrf"]}


@pytest.mark.parametrize("role", ["viewer", "analyst", "editor"])
def test_every_route_that_does_not_limit_is_refused(port: PrivatePort, role: Role) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    port.access.add_person("grace", PASSWORD, role, ["web"])
    client, headers = logged_in(port, "grace")
    refused = 0
    for (method, path), scoped, limiting in routes():
        if scoped and not limiting:
            status = client.request(method, concrete(path), json={}, headers=headers).status_code
            assert status == 403, (method, path, status)
            refused += 1
    assert refused > 50


def test_no_scope_but_those_that_can_be_limited_is_left(port: PrivatePort) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    grace = port.access.add_person("grace", PASSWORD, "editor", ["web", "blog"])
    client, _ = logged_in(port, "grace")
    me = client.get("/api/v1/access/me").json()
    assert (set(me["scopes"]), me["apps"]) == (set(BY_APPLICATION), ["blog", "web"])
    port.access.change_person(grace.id, apps=[])
    me = client.get("/api/v1/access/me").json()
    assert (set(me["scopes"]), me["apps"]) == (set(ROLES["editor"]), None)


def test_events_of_every_kind_are_limited(port: PrivatePort) -> None:
    now = time.time_ns() // 1_000_000
    good = [web_page_view(n, collector_tstamp=now - n, app_id="web" if n % 2 else "hidden") for n in range(6)]
    failed = [
        schema_violation(n, collector_tstamp=now - n, failed_at=now, app_id=app)
        for n, app in enumerate(["web", "hidden", None])
    ]
    port.store.write(StoreBatch("seed", good, failed))
    port.access.add_person("ada", PASSWORD, "admin")
    port.access.add_person("grace", PASSWORD, "analyst", ["web"])
    client, _ = logged_in(port, "grace")
    rows = client.get("/api/v1/events", params={"columns": "app_id"}).json()["rows"]
    assert sorted((one["kind"], one["event"]["app_id"]) for one in rows) == [("failed", "web")] + [("good", "web")] * 3
    assert client.get("/api/v1/count").json() == {"good": 3, "failed": 1}
    values = client.get("/api/v1/columns/app_id/values").json()
    assert [one["value"] for one in values] == ["web"]
    statuses = {event.app_id: client.get(f"/api/v1/events/good/{event.event_id}").status_code for event in good} | {
        one.app_id: client.get(f"/api/v1/events/failed/{one.id}").status_code for one in failed
    }
    assert statuses == {"web": 200, "hidden": 404, None: 404}


def test_an_admin_sets_and_lifts_limits_and_has_none(port: PrivatePort) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    grace = port.access.add_person("grace", PASSWORD, "viewer")
    client, headers = logged_in(port, "ada")
    address = f"/api/v1/access/people/{grace.id}"
    assert client.patch(address, json={"apps": ["web"]}, headers=headers).json()["apps"] == ["web"]
    assert client.patch(address, json={"role": "analyst"}, headers=headers).json()["apps"] == ["web"]
    refused = client.patch(address, json={"role": "admin"}, headers=headers)
    assert (refused.status_code, "every application" in refused.text) == (400, True)
    assert port.access.people()[1].role == "analyst"
    assert client.patch(address, json={"role": "admin", "apps": []}, headers=headers).json()["role"] == "admin"
    ada = port.access.people()[0]
    assert client.patch(f"/api/v1/access/people/{ada.id}", json={"apps": ["web"]}, headers=headers).status_code == 400
    assert "applications web" in {entry.detail for entry in port.access.audit()}


def test_keys_and_invitations_carry_a_limit(port: PrivatePort) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    _, secret = port.access.add_key("k", ["read:events"], created_by="ada", apps=["web"])
    who = port.access.by_key(secret)
    assert who is not None
    assert (who.apps, port.access.keys()[0].apps) == (("web",), ["web"])
    with pytest.raises(AccessRefused, match="query:sql is about all applications"):
        port.access.add_key("k", ["query:sql"], created_by="ada", apps=["web"])
    with pytest.raises(AccessRefused, match="every application"):
        port.access.invitations.add("lin", "admin", "ada", apps=["web"])
    _, link = port.access.invitations.add("lin", "editor", "ada", apps=["web"])
    lin = port.access.by_session(port.access.accept_invitation(link, "chosen by lin").token)
    assert lin is not None
    assert (lin.apps, lin.scopes) == (("web",), BY_APPLICATION)


@pytest.mark.parametrize("apps", [[""], ["a" * 256], ["a\nb"], [f"app{n}" for n in range(51)]])
def test_a_limit_has_to_make_sense(port: PrivatePort, apps: list[str]) -> None:
    with pytest.raises(AccessRefused, match=r"app id|at most 50"):
        port.access.add_person("grace", PASSWORD, "admin", apps)
