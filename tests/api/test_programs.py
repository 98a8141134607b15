"""Who may use what the private port serves for programs."""

from __future__ import annotations

import json

import pytest

from snowgauge.actions.access.roles import ROLES
from snowgauge.api.agent.settings import AgentSettings
from snowgauge.api.app import create_app
from snowgauge.api.iglu.settings import RegistrySettings
from snowgauge.api.programs import programs
from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import Browser
from snowgauge.testing.events import web_page_view

TOKEN = "0123456789abcdef0123456789abcdef"
SUPER = "5f2b8d7e-4d3f-4c8e-9a52-0d6a0c7f3b11"


def application(port, agent=None, **registry):
    return create_app(
        port.deployment,
        port.doors,
        programs=programs(port.deployment, port.doors, RegistrySettings(**registry), agent or AgentSettings()),
    )


@pytest.fixture
def ask(port):
    app = application(port, AgentSettings(static_token=TOKEN), super_api_key=SUPER)
    port.store.write(StoreBatch("1", [web_page_view(1)]))

    def ask(method, path, **more):
        return Browser(app).request(method, path, **more)

    return ask


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def test_micro_shows_the_deployments_events(ask) -> None:
    assert ask("GET", "/micro/all").json() == {"total": 1, "good": 1, "bad": 0}
    assert ask("POST", "/micro/good", content=b"{}").json()[0]["event"]["app_id"] == "shop"
    assert ask("GET", "/micro/iglu/com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0").status_code == 200
    assert ask("GET", "/micro/ui").status_code == 200
    assert ask("POST", "/micro/reset").status_code == 404
    assert ask("GET", "/micro/all").json()["total"] == 1


def test_once_somebody_is_registered_micro_needs_the_right_to_read_events(ask, port) -> None:
    port.access.add_person("anna", "a long enough password", "admin")
    for path in ("/micro/all", "/micro/good", "/micro/ui", "/micro/nothing"):
        assert ask("GET", path).status_code == 401
        assert ask("GET", path, headers=bearer("wrong")).status_code == 401
    may, may_not = (
        port.access.add_key("key", scopes, created_by="test")[1]
        for scopes in (["read:events"], sorted(ROLES["viewer"] - {"read:events"}))
    )
    assert ask("GET", "/micro/all", headers=bearer(may)).status_code == 200
    assert ask("GET", "/micro/all", headers=bearer(may_not)).status_code == 403


def test_the_registry_has_keys_of_its_own(ask, port) -> None:
    schema = {
        "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
        "self": {"vendor": "com.acme", "name": "cart", "format": "jsonschema", "version": "1-0-0"},
        "type": "object",
        "properties": {},
    }
    path = "/iglu/api/schemas/com.acme/cart/jsonschema/1-0-0"
    assert ask("PUT", path, json=schema).status_code == 403
    assert ask("PUT", path, json=schema, headers={"apikey": SUPER}).status_code == 201
    assert ask("GET", path).status_code == 404
    assert ask("GET", path, headers={"apikey": SUPER}).json()["self"] == schema["self"]
    assert json.loads((port.deployment.data_dir / "schemas/com.acme/cart/jsonschema/1-0-0").read_text()) == schema


def test_the_registry_can_be_switched_off(port) -> None:
    assert Browser(application(port, enabled=False)).get("/iglu/api/meta/health").status_code == 404


def test_the_agent_is_there_once_somebody_may_ask_it(ask, port) -> None:
    assert ask("GET", "/agent/v1/status").status_code == 401
    told = ask("GET", "/agent/v1/status", headers=bearer(TOKEN))
    assert told.json()["events"] == 1
    assert ask("GET", "/agent/v1/openapi.json").json()["info"]["title"] == "Snowgauge agent"
    assert Browser(application(port)).get("/agent/v1/status").status_code == 404
