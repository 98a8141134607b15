"""Who gets through the private door, for every route and role."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from snowgauge.actions.access.roles import ROLES, SCOPES
from snowgauge.api.v1.routers import PREFIX, ROUTERS
from snowgauge.testing.console import Browser, PrivatePort

PASSWORD = "correct horse battery"
OPEN = {
    ("GET", "/api/v1/access/me"),
    ("POST", "/api/v1/access/login"),
    ("POST", "/api/v1/access/invitations/open"),
    ("POST", "/api/v1/access/invitations/accept"),
    ("GET", "/api/v1/access/oidc/start"),
    ("GET", "/api/v1/access/oidc/callback"),
    ("POST", "/api/v1/shared/{share_id}/open"),
    ("GET", "/api/v1/email-reports/unsubscribe"),
    ("POST", "/api/v1/email-reports/unsubscribe"),
}
TICKET = {
    ("POST", "/api/v1/shared/{share_id}/query"),
    ("GET", "/api/v1/shared/{share_id}/csv"),
    ("GET", "/api/v1/shared/{share_id}/dashboard"),
    ("POST", "/api/v1/shared/{share_id}/files"),
    ("POST", "/api/v1/shared/{share_id}/tiles/{tile_id}"),
    ("GET", "/api/v1/shared/{share_id}/values"),
    ("GET", "/api/v1/shared/{share_id}/live"),
    ("GET", "/api/v1/shared/{share_id}/definitions"),
}
KNOWN = {
    ("POST", "/api/v1/access/logout"),
    ("GET", "/api/v1/access/rules"),
    ("POST", "/api/v1/access/password"),
    ("GET", "/api/v1/access/sessions"),
    ("DELETE", "/api/v1/access/sessions/{session_id}"),
    ("GET", "/api/v1/access/second-factor"),
    ("POST", "/api/v1/access/second-factor"),
    ("POST", "/api/v1/access/second-factor/confirm"),
    ("POST", "/api/v1/access/second-factor/remove"),
}


def scope_of(route: APIRoute) -> str | None:
    """What a route asks for, read from its dependencies."""
    for dependency in route.dependant.dependencies:
        for cell in getattr(dependency.call, "__closure__", None) or ():
            if cell.cell_contents in SCOPES:
                return str(cell.cell_contents)
    return None


def routes() -> Iterator[tuple[str, str, str | None]]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods):
                yield method, PREFIX + route.path, scope_of(route)


def concrete(path: str) -> str:
    import re

    return re.sub(r"\{[^}]+\}", "x", path)


@pytest.fixture
def crowd(port: PrivatePort) -> PrivatePort:
    for role in ("admin", "editor", "analyst", "viewer"):
        port.access.add_person(f"{role}-person", PASSWORD, role)
    return port


def test_every_route_asks_for_a_scope_or_is_open_on_purpose() -> None:
    listed = list(routes())
    assert len(listed) > 15
    bare = {(method, path) for method, path, scope in listed if scope is None}
    assert bare == OPEN | KNOWN | TICKET


def test_no_route_lets_a_stranger_in_once_somebody_is_registered(crowd: PrivatePort) -> None:
    client = Browser(crowd.app)
    for method, path, _ in routes():
        if (method, path) not in OPEN:
            assert client.request(method, concrete(path), json={}).status_code == 401, (method, path)


@pytest.mark.parametrize("role", list(ROLES))
def test_each_role_reaches_its_routes_and_no_others(crowd: PrivatePort, role: str) -> None:
    client = Browser(crowd.app)
    me = client.post("/api/v1/access/login", json={"name": f"{role}-person", "password": PASSWORD}).json()
    headers = {"X-CSRF-Token": me["csrf"]}
    for method, path, scope in routes():
        if scope is None:
            continue
        status = client.request(method, concrete(path), json={}, headers=headers).status_code
        assert (status == 403) is (scope not in ROLES[role]), (method, path, status)


@pytest.mark.parametrize("scope", list(SCOPES))
def test_a_key_opens_its_scope_only(crowd: PrivatePort, scope: str) -> None:
    _, secret = crowd.access.add_key("program", [scope], created_by="test")
    client = Browser(crowd.app, headers={"Authorization": f"Bearer {secret}"})
    for method, path, wanted in routes():
        if wanted is None:
            continue
        status = client.request(method, concrete(path), json={}).status_code
        assert (status == 403) is (wanted != scope), (method, path, status)


def test_a_wrong_key_is_not_taken_for_nobody_on_an_open_port(client: Browser) -> None:
    answer = client.get("/api/v1/columns", headers={"Authorization": "Bearer sg_wrong"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_loopback_port_with_nobody_registered_is_open(client: Browser) -> None:
    assert client.get("/api/v1/columns").status_code == 200
    assert client.get("/api/v1/access/me").json()["login_needed"] is False


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8001", "10.0.0.7", ""])
def test_a_strange_host_name_is_refused_on_loopback(client: Browser, host: str) -> None:
    assert client.get("/api/v1/columns", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8001", "127.0.0.1", "[::1]:8001", "console.localhost"])
def test_loopback_names_are_known(client: Browser, host: str) -> None:
    assert client.get("/api/v1/columns", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_cannot_change_anything_on_an_open_port(client: Browser, headers: dict[str, str]) -> None:
    answer = client.post("/api/v1/access/keys", json={"name": "x", "scopes": ["admin"]}, headers=headers)
    assert answer.status_code == 403


def test_a_session_changes_nothing_without_its_token(crowd: PrivatePort) -> None:
    client = Browser(crowd.app)
    me = client.post("/api/v1/access/login", json={"name": "admin-person", "password": PASSWORD}).json()
    key = {"name": "grafana", "scopes": ["read:aggregates"]}
    assert client.post("/api/v1/access/keys", json=key).status_code == 403
    assert client.post("/api/v1/access/keys", json=key, headers={"X-CSRF-Token": "x"}).status_code == 403
    made = client.post("/api/v1/access/keys", json=key, headers={"X-CSRF-Token": me["csrf"]})
    assert made.status_code == 201


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(tmp_path: Path) -> None:
    port = PrivatePort(tmp_path, host="0.0.0.0")
    port.access.add_person("ada", PASSWORD, "admin")
    client = Browser(port.app, base_url="https://console.example")
    answer = client.post("/api/v1/access/login", json={"name": "ada", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "secure", "samesite=strict", "path=/"))
    assert client.get("/api/v1/access/me").json()["name"] == "ada"
    port.close()


def test_off_loopback_nothing_is_open_even_with_nobody_registered(tmp_path: Path) -> None:
    port = PrivatePort(tmp_path, host="0.0.0.0")
    client = Browser(port.app, base_url="http://10.0.0.7:8001")
    assert client.get("/api/v1/columns").status_code == 401
    port.close()


def test_logging_out_ends_the_session(crowd: PrivatePort) -> None:
    client = Browser(crowd.app)
    me = client.post("/api/v1/access/login", json={"name": "viewer-person", "password": PASSWORD}).json()
    token = client.cookies["snowgauge_session"]
    assert client.post("/api/v1/access/logout", headers={"X-CSRF-Token": me["csrf"]}).status_code == 204
    client.cookies.set("snowgauge_session", token)
    assert client.get("/api/v1/columns").status_code == 401


def test_answers_carry_safety_headers_and_are_not_kept(client: Browser) -> None:
    headers = client.get("/api/v1/columns").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("believed", [True, False])
def test_behind_a_trusted_proxy_each_visitor_guesses_alone(tmp_path: Path, believed: bool) -> None:
    proxies = [ip_network("127.0.0.0/8")] if believed else []
    port = PrivatePort(tmp_path, proxies=proxies, clock=lambda: 1_000_000_000_000)
    try:
        port.access.add_person("ada", PASSWORD, "admin")

        def log_in(password: str, visitor: str) -> httpx.Response:
            forwarded = {"X-Forwarded-For": visitor}
            return Browser(port.app, headers=forwarded).post(
                "/api/v1/access/login", json={"name": "ada", "password": password}
            )

        assert [log_in(f"guess number {n}", "203.0.113.9").status_code for n in range(11)] == [401] * 10 + [429]
        late = log_in(PASSWORD, "203.0.113.9")
        assert late.headers["retry-after"] == "10"
        # a visitor who is not behind a trusted proxy writes what they like there
        assert log_in(PASSWORD, "198.51.100.1").status_code == (200 if believed else 429)
        if believed:
            assert port.access.audit()[0].ip == "198.51.100.1"
    finally:
        port.close()
