"""Logging in to the console through an identity provider, against a real small one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from snowgauge.api.oidc.login import local_path
from snowgauge.api.settings import ConsoleSettings
from snowgauge.errors import SettingsError
from snowgauge.pipeline.private_port import open_doors
from snowgauge.settings.model import Settings
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.issuer import Provider, rsa_key
from snowgauge.testing.web import serving

CALLBACK = "/api/v1/access/oidc/callback"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving() as web:
        yield Provider(web)


class Console:
    """A private port that logs people in through the provider."""

    def __init__(self, folder: Path, provider: Provider, **oidc: Any) -> None:
        settings = {
            "issuer": provider.url, "client_id": provider.client_id, "client_secret": provider.secret,
            "allow_private_hosts": True, "allowed_domains": ["acme.example"], **oidc,
        }  # fmt: skip
        self.port = PrivatePort(folder, oidc=settings)
        self.access = self.port.access
        self.provider = provider
        self.browser = Browser(self.port.app)

    def depart(self, to: str = "/live") -> dict[str, str]:
        """What the provider is asked for."""
        answer = self.browser.get("/api/v1/access/oidc/start", params={"to": to})
        assert answer.status_code == 303
        there = urlsplit(answer.headers["location"])
        assert f"{there.scheme}://{there.netloc}{there.path}" == f"{self.provider.web.url}/authorization"
        return dict(parse_qsl(there.query))

    def come_back(self, address: str) -> httpx.Response:
        parts = urlsplit(address)
        return self.browser.get(f"{parts.path}?{parts.query}")

    def log_in(self, to: str = "/live") -> httpx.Response:
        return self.come_back(self.provider.consent(self.depart(to)))

    def me(self) -> dict[str, Any]:
        found: dict[str, Any] = self.browser.get("/api/v1/access/me").json()
        return found

    def refused(self, answer: httpx.Response, reason: str) -> None:
        """The browser is back at the login page, with this reason and without a session."""
        assert answer.status_code == 303
        assert answer.headers["location"].endswith(f"refused={reason}")
        assert "snowgauge_session" not in self.browser.cookies
        assert not self.me()["known"]


@pytest.fixture
def console(tmp_path: Path, provider: Provider) -> Iterator[Console]:
    made = Console(tmp_path, provider)
    yield made
    made.port.close()


@pytest.fixture
def made_with(tmp_path: Path, provider: Provider) -> Iterator[Any]:
    made: list[Console] = []

    def make(**oidc: Any) -> Console:
        made.append(Console(tmp_path / str(len(made)), provider, **oidc))
        return made[-1]

    yield make
    for one in made:
        one.port.close()


def test_a_person_of_the_provider_gets_a_session_like_any_other(console: Console) -> None:
    answer = console.log_in("/live?status=good")
    assert (answer.status_code, answer.headers["location"]) == (303, "/live?status=good")
    cookies = answer.headers.get_list("set-cookie")
    session = next(one for one in cookies if one.startswith("snowgauge_session=")).lower()
    assert {"httponly", "samesite=strict"} <= set(session.split("; "))
    me = console.me()
    assert (me["name"], me["role"], me["kind"]) == ("ada@acme.example", "viewer", "person")
    assert console.browser.get("/api/v1/count").status_code == 200
    assert console.browser.get("/api/v1/access/people").status_code == 403
    assert console.browser.post("/api/v1/access/logout").status_code == 403, "no CSRF token"
    assert console.browser.post("/api/v1/access/logout", headers={"X-CSRF-Token": me["csrf"]}).status_code == 204
    assert not console.me()["known"]
    entry = console.access.audit()[0]
    assert (entry.who, entry.action, entry.detail) == ("ada@acme.example", "login", f"through {console.provider.url}")


def test_the_request_asks_for_a_code_with_pkce_state_and_nonce(console: Console) -> None:
    first, second = console.depart(), console.depart()
    assert first["redirect_uri"] == f"http://127.0.0.1:8001{CALLBACK}"
    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


def test_a_provider_closes_the_open_door(console: Console) -> None:
    me = console.me()
    assert (me["login_needed"], me["known"], me["login_through"]) == (True, False, "single sign-on")
    assert console.browser.get("/api/v1/columns").status_code == 401


def test_without_a_provider_there_is_nothing_to_start(tmp_path: Path) -> None:
    port = PrivatePort(tmp_path)
    browser = Browser(port.app)
    assert browser.get("/api/v1/access/oidc/start").status_code == 404
    assert browser.get(CALLBACK).status_code == 404
    assert browser.get("/api/v1/access/me").json()["login_through"] is None
    port.close()


def test_a_wrong_state_is_refused_and_no_code_is_exchanged(console: Console) -> None:
    address = console.provider.consent(console.depart())
    console.refused(console.come_back(address.replace("state=", "state=x")), "mismatch")
    assert not [asked for asked in console.provider.web.asked if asked.path == "/token"]


def test_a_code_of_another_browser_is_refused(console: Console) -> None:
    address = console.provider.consent(console.depart())
    console.browser = Browser(console.port.app)
    console.refused(console.come_back(address), "mismatch")


def test_a_login_can_be_finished_once(console: Console) -> None:
    address = console.provider.consent(console.depart())
    assert console.come_back(address).headers["location"] == "/live"
    assert console.come_back(address).headers["location"].endswith("refused=mismatch")


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another login's"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": None},
        {"aud": ["snowgauge", "another client"]},
        {"aud": ["snowgauge", "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"sub": None},
    ],
    ids=json.dumps,
)
def test_an_id_token_for_something_else_is_refused(console: Console, claims: dict[str, Any]) -> None:
    console.provider.overrides = claims
    console.refused(console.log_in(), "invalid")
    assert console.access.people() == []


def test_an_id_token_with_several_audiences_names_its_party(console: Console) -> None:
    console.provider.overrides = {"aud": ["snowgauge", "another client"], "azp": "snowgauge"}
    assert console.log_in().headers["location"] == "/live"


def test_an_id_token_of_another_key_is_refused(console: Console) -> None:
    console.provider.signed_with = rsa_key("another's")
    console.refused(console.log_in(), "invalid")


def test_a_wrong_client_secret_lets_nobody_in(made_with: Any) -> None:
    console = made_with(client_secret="not the provider's")
    console.refused(console.log_in(), "invalid")


def test_a_declined_login_comes_back_to_the_page(console: Console) -> None:
    asked = console.depart("/sql?q=SELECT 1")
    answer = console.come_back(f"http://x{CALLBACK}?error=access_denied&state={asked['state']}")
    assert answer.headers["location"] == "/sql?q=SELECT%201&refused=declined"


def test_an_answer_of_another_issuer_is_refused(console: Console) -> None:
    address = console.provider.consent(console.depart())
    console.refused(console.come_back(f"{address}&iss=https://elsewhere.example"), "mismatch")


@pytest.mark.parametrize(
    "person",
    [
        {"email": "eve@elsewhere.example"},
        {"email": "eve@evil-acme.example"},
        {"email_verified": False},
        {"email_verified": None},
        {"email": None},
        {"email": "ada@acme.example@elsewhere.example"},
    ],
    ids=json.dumps,
)
def test_only_allowed_people_get_in(console: Console, person: dict[str, Any]) -> None:
    console.provider.overrides = person
    console.refused(console.log_in(), "not_allowed")
    entry = console.access.audit()[0]
    assert (entry.action, console.access.people()) == ("login refused", [])


@pytest.mark.parametrize(
    "oidc",
    [
        {"allowed_domains": [], "allowed_emails": ["Ada@acme.example"]},
        {"allowed_domains": [], "allowed_subjects": ["248289"]},
        {"allowed_domains": [], "allowed_subjects": ["*"]},
        {"allowed_domains": ["elsewhere.example"], "allowed_emails": ["ada@acme.example"]},
    ],
)
def test_people_are_allowed_by_address_or_subject(made_with: Any, oidc: dict[str, Any]) -> None:
    assert made_with(**oidc).log_in().headers["location"] == "/live"


ROLES = {"role_claim": "realm_access.roles", "roles": {"gauge-admin": "admin", "gauge-analyst": "analyst"}}


@pytest.mark.parametrize(
    ("groups", "role"),
    [(["gauge-analyst"], "analyst"), (["gauge-analyst", "gauge-admin"], "admin"), (["x"], "viewer"), (None, "viewer")],
)
def test_a_claim_gives_the_role(made_with: Any, groups: Any, role: str) -> None:
    console = made_with(**ROLES)
    console.provider.overrides = {"realm_access": {"roles": groups}}
    console.log_in()
    assert console.me()["role"] == role


def test_the_claim_counts_anew_at_each_login(made_with: Any) -> None:
    console = made_with(role_claim="groups", roles={"a": "admin"}, default_role="none", allowed_domains=[])
    console.provider.overrides = {"groups": "a"}
    console.log_in()
    assert console.me()["role"] == "admin"
    console.browser = Browser(console.port.app)
    console.provider.overrides = {"groups": ["b"]}
    console.refused(console.log_in(), "not_allowed")


def test_what_the_token_lacks_comes_from_userinfo(made_with: Any) -> None:
    console = made_with(role_claim="groups", roles={"a": "analyst"})
    console.provider.overrides = {"email": None, "email_verified": None}
    console.provider.userinfo = {"email": "ada@acme.example", "email_verified": True, "groups": ["a"]}
    console.log_in()
    assert (console.me()["name"], console.me()["role"]) == ("ada@acme.example", "analyst")
    console.browser = Browser(console.port.app)
    console.provider.userinfo |= {"sub": "somebody else"}
    console.refused(console.log_in(), "not_allowed")


def test_a_role_that_an_admin_gave_stays_without_a_claim(console: Console) -> None:
    console.log_in()
    (person,) = console.access.people()
    console.access.change_person(person.id, role="analyst")
    console.browser = Browser(console.port.app)
    console.log_in()
    assert console.me()["role"] == "analyst"
    assert len(console.access.people()) == 1


def test_a_name_is_not_a_person(console: Console) -> None:
    """Somebody with the name of a local account does not become it, and no password opens a provider's account."""
    console.access.add_person("ada@acme.example", "correct horse battery", "admin")
    console.log_in()
    me = console.me()
    assert me["role"] == "viewer"
    assert me["name"] != "ada@acme.example"
    through = next(one for one in console.access.people() if one.issuer)
    for password in ("", "correct horse battery"):
        answer = console.browser.post("/api/v1/access/login", json={"name": through.name, "password": password})
        assert answer.status_code == 401
    assert console.browser.post(
        "/api/v1/access/login", json={"name": "ada@acme.example", "password": "correct horse battery"}
    ).json()["role"] == "admin"  # fmt: skip


def test_a_removed_person_loses_the_session_at_once(console: Console) -> None:
    console.log_in()
    (person,) = console.access.people()
    console.access.add_person("ada", "correct horse battery", "admin")  # the last admin cannot be removed
    console.access.remove_person(person.id)
    assert not console.me()["known"]


def test_a_provider_that_is_away_says_so(console: Console) -> None:
    console.provider.web.answers["/pool/.well-known/openid-configuration"] = (500, b"")
    answer = console.browser.get("/api/v1/access/oidc/start?to=/live")
    assert answer.headers["location"] == "/live?refused=unavailable"


def test_a_provider_inside_the_network_needs_leave(tmp_path: Path, provider: Provider) -> None:
    with pytest.raises(ValidationError, match="allow_private_hosts"):
        Console(tmp_path, provider, allow_private_hosts=False)
    port = PrivatePort(tmp_path, oidc={"issuer": "https://127.0.0.1:1", "client_id": "c", "allowed_subjects": ["*"]})
    answer = Browser(port.app).get("/api/v1/access/oidc/start")
    assert answer.headers["location"] == "/?refused=unavailable"
    port.close()


def test_an_endpoint_in_the_clear_is_not_used(made_with: Any) -> None:
    console = made_with()
    console.provider.description["authorization_endpoint"] = "javascript:alert(1)"
    answer = console.browser.get("/api/v1/access/oidc/start")
    assert answer.headers["location"] == "/?refused=unavailable"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\\b", "/x\r\ny", "", "/api/v1/count"]
)
def test_a_login_leads_to_a_page_of_the_console_only(target: str) -> None:
    assert local_path(target) == "/"


@pytest.mark.parametrize(
    ("given", "about"),
    [
        ({"client_id": ""}, "client_id"),
        ({"allowed_domains": []}, "who may log in"),
        ({"role_claim": "groups"}, "belong together"),
        ({"scopes": ["email"]}, "openid"),
        ({"algorithms": ["HS256"]}, "HS256"),
        ({"issuer": "accounts.example"}, "https address"),
        ({"issuer": "http://accounts.example"}, "plain http"),
        ({"clock_skew": "5 minutes"}, "60 seconds"),
        ({"timeout": "0 s"}, "60 seconds"),
        ({"issuer": ""}, "needs console.oidc.issuer"),
        ({"roles": {"x": "king"}, "role_claim": "g"}, "viewer"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given: dict[str, Any], about: str) -> None:
    good = {"issuer": "https://accounts.example", "client_id": "c", "allowed_domains": ["acme.example"]}
    assert ConsoleSettings.model_validate({"oidc": good}).oidc.configured
    with pytest.raises(ValidationError, match=about):
        ConsoleSettings.model_validate({"oidc": {**good, **given}})


def test_a_port_that_others_reach_needs_somebody_who_can_become_an_admin(tmp_path: Path) -> None:
    oidc = {
        "issuer": "https://accounts.example", "client_id": "c", "allowed_domains": ["acme.example"],
        "role_claim": "groups", "roles": {"platform": "admin"},
    }  # fmt: skip
    for roles, starts in (({"platform": "admin"}, True), ({"platform": "analyst"}, False)):
        console = {"host": "0.0.0.0", "oidc": {**oidc, "roles": roles}}
        settings = Settings.model_validate({"common": {"data_dir": str(tmp_path)}, "console": console})
        if starts:
            open_doors(settings).access.close()
        else:
            with pytest.raises(SettingsError, match="there is no admin yet"):
                open_doors(settings)
