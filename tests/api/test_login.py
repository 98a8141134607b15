"""Invitations and second factors over HTTP and on the command line."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from typer.testing import CliRunner

from snowgauge.actions.access.book import AccessBook
from snowgauge.cli.main import app
from snowgauge.testing.console import Browser, PrivatePort

PASSWORD = "correct horse battery"
ACCESS = "/api/v1/access"
NOW = time.time_ns() // 1_000_000
"""The time of every register here, so that no code becomes old while a test runs."""


def code_of(secret: str, steps: int = 0) -> str:
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)
    return totp.generate(NOW // 1000 + steps * 30).decode()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PrivatePort]:
    made = PrivatePort(tmp_path, clock=lambda: NOW)
    yield made
    made.close()


def logged_in(port: PrivatePort, name: str, **more: str) -> tuple[Browser, dict[str, str]]:
    """A browser with a session, and the headers of what changes something."""
    client = Browser(port.app)
    me = client.post(f"{ACCESS}/login", json={"name": name, "password": PASSWORD, **more}).json()
    return client, {"X-CSRF-Token": me["csrf"]}


def test_an_invitation_is_made_opened_and_accepted_once(port: PrivatePort) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    admin, headers = logged_in(port, "ada")
    made = admin.post(f"{ACCESS}/invitations", json={"name": "grace", "role": "viewer"}, headers=headers).json()
    path, _, secret = made["path"].partition("#")
    assert path == "/invitation"
    listed = admin.get(f"{ACCESS}/invitations")
    assert [one["name"] for one in listed.json()] == ["grace"]
    assert secret not in listed.text
    invited = Browser(port.app)
    assert invited.post(f"{ACCESS}/invitations/open", json={"secret": secret}).json()["name"] == "grace"
    accepted = {"secret": secret, "password": "chosen by grace"}
    assert invited.post(f"{ACCESS}/invitations/accept", json=accepted).json()["role"] == "viewer"
    assert invited.get(f"{ACCESS}/me").json()["name"] == "grace"
    assert Browser(port.app).post(f"{ACCESS}/invitations/accept", json=accepted).status_code == 401
    actions = [(entry.who, entry.action) for entry in port.access.audit()]
    assert ("grace", "login") in actions
    assert ("ada", "invite person") in actions


def test_an_invitation_is_revoked(port: PrivatePort) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    admin, headers = logged_in(port, "ada")
    made = admin.post(f"{ACCESS}/invitations", json={"name": "grace", "role": "viewer"}, headers=headers).json()
    assert admin.delete(f"{ACCESS}/invitations/{made['invitation']['id']}", headers=headers).status_code == 204
    secret = made["path"].partition("#")[2]
    assert Browser(port.app).post(f"{ACCESS}/invitations/open", json={"secret": secret}).status_code == 401


def test_a_second_factor_is_set_up_used_and_removed(port: PrivatePort) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    client, headers = logged_in(port, "ada")
    begun = client.post(f"{ACCESS}/second-factor", json={"password": PASSWORD}, headers=headers).json()
    drawn = ElementTree.fromstring(begun["qr"])
    assert drawn.tag.endswith("svg")
    confirmed = client.post(
        f"{ACCESS}/second-factor/confirm", json={"code": code_of(begun["secret"], -1)}, headers=headers
    ).json()
    assert client.get(f"{ACCESS}/second-factor").json() == {"on": True, "required": False, "recovery_codes": 10}
    assert len(confirmed["codes"]) == 10
    other = Browser(port.app)
    asked = other.post(f"{ACCESS}/login", json={"name": "ada", "password": PASSWORD})
    assert (asked.status_code, asked.json()["code_needed"], asked.json()["known"]) == (200, True, False)
    assert "set-cookie" not in asked.headers
    again, headers = logged_in(port, "ada", code=code_of(begun["secret"], 1))
    assert again.get(f"{ACCESS}/people").json()[0]["second_factor"] is True
    _, headers = logged_in(port, "ada", code=confirmed["codes"][0])
    assert again.get(f"{ACCESS}/second-factor").json()["recovery_codes"] == 9


def test_a_program_has_no_second_factor(port: PrivatePort) -> None:
    port.access.add_person("ada", PASSWORD, "admin")
    _, secret = port.access.add_key("k", ["admin"], created_by="ada")
    client = Browser(port.app, headers={"Authorization": f"Bearer {secret}"})
    assert client.get(f"{ACCESS}/second-factor").json()["on"] is False
    assert client.post(f"{ACCESS}/second-factor", json={"password": PASSWORD}).status_code == 400
    assert client.post(f"{ACCESS}/second-factor/confirm", json={"code": "000000"}).status_code == 400


def test_who_owes_one_is_refused_everywhere_else(tmp_path: Path) -> None:
    port = PrivatePort(tmp_path, clock=lambda: NOW, second_factor_required_for="admins")
    port.access.add_person("ada", PASSWORD, "admin")
    client, headers = logged_in(port, "ada")
    assert client.get(f"{ACCESS}/me").json()["owes_second_factor"] is True
    assert client.get("/api/v1/columns").status_code == 403
    assert client.get(f"{ACCESS}/people").status_code == 403
    begun = client.post(f"{ACCESS}/second-factor", json={"password": PASSWORD}, headers=headers).json()
    client.post(f"{ACCESS}/second-factor/confirm", json={"code": code_of(begun["secret"])}, headers=headers)
    assert client.get(f"{ACCESS}/people").status_code == 200
    port.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in (("COMMON__DATA_DIR", str(tmp_path)), ("CONSOLE__PORT", "8001")):
        monkeypatch.setenv(f"SNOWPLOW_{name}", value)
    return tmp_path


def run(*words: str, stdin: str = "") -> str:
    done = CliRunner().invoke(app, ["access", *words], input=stdin)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_line_invites_and_revokes_and_resets(folder: Path) -> None:
    run("add-admin", "ada", "--password-stdin", stdin=f"{PASSWORD}\n")
    link = run("invite", "grace", "--role", "analyst", "--days", "2").split()[-1]
    address, _, secret = link.partition("#")
    assert address == "http://127.0.0.1:8001/invitation"
    assert "grace" in run("list")
    assert (
        run("invite", "lin", "--url", "https://console.example/")
        .split()[-1]
        .startswith("https://console.example/invitation#")
    )
    run("revoke-invitation", "lin")
    book = AccessBook(folder / "console.sqlite", clock=lambda: NOW)
    assert [one.name for one in book.invitations.listed()] == ["grace"]
    session = book.accept_invitation(secret, "chosen by grace")
    grace = book.by_session(session.token)
    assert grace is not None
    book.confirm_second_factor(grace, code_of(book.begin_second_factor(grace, "chosen by grace").secret))
    run("reset-second-factor", "grace")
    assert book.log_in("grace", "chosen by grace").person.second_factor is False
    book.close()
