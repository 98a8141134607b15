"""Other deployments as seen from one: through their real agent APIs, and when these do not answer as they should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.routing import Mount

from snowgauge.actions.elsewhere.looking import OtherDeployments
from snowgauge.actions.elsewhere.settings import OtherDeployment
from snowgauge.actions.events import now_ms
from snowgauge.api.agent.app import PREFIX, agent_app
from snowgauge.api.agent.settings import AgentSettings
from snowgauge.api.settings import ConsoleSettings
from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import Browser, PrivatePort, listening
from snowgauge.testing.events import schema_violation, web_page_view
from snowgauge.testing.web import serving

TOKEN = "t" * 40


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another deployment with seven good events and two failed ones, and its agent API."""
    port = PrivatePort(tmp_path_factory.mktemp("shop"))
    now = now_ms()
    good = [web_page_view(n, collector_tstamp=now - 1000 * n - 500, app_id="secret-app") for n in range(7)]
    failed = [schema_violation(n, collector_tstamp=now - 1000 * n - 500, failed_at=now) for n in range(2)]
    port.store.write(StoreBatch("seed", good, failed))
    agent = agent_app(port.deployment, AgentSettings.model_validate({"static_token": TOKEN}))
    with listening(Starlette(routes=[Mount(PREFIX, agent)])) as url:
        yield url
    port.close()


def other(url: str, token: str = TOKEN, *, private: bool = True) -> OtherDeployment:
    return OtherDeployment.model_validate({"url": url, "token": token, "allow_private_hosts": private})


@pytest.fixture
def looking() -> Iterator[object]:
    made: list[OtherDeployments] = []

    def look(**deployments: OtherDeployment):
        made.append(OtherDeployments(deployments))
        return {one.name: one for one in made[-1].looks()}

    yield look
    for each in made:
        each.close()


def test_a_deployment_shows_what_its_agent_api_tells(shop, looking):
    look = looking(shop=other(shop))["shop"]
    assert look.problem == ""
    figures = look.figures
    assert (figures.status.receiving, figures.status.events) == (True, 7)
    assert (figures.counts.good, figures.counts.bad, figures.counts.bad_by_type) == (7, 2, {"schema_violations": 2})
    assert sum(minute.good for minute in figures.minutes) == 7
    assert [type_.name for type_ in figures.event_types] == ["page_view"]
    assert figures.versions.snowgauge == "0.0.0-test"
    assert figures.capacity is not None
    assert figures.capacity.now == pytest.approx(7 / 300)


def test_one_that_is_silent_holds_up_no_other(shop, looking):
    with serving() as web:
        web.answers["/agent/v1/counts"] = (500, b"")
        looks = looking(
            shop=other(shop),
            broken=other(web.url),
            nobody=other("http://127.0.0.1:1"),
            stranger=other(shop, "x" * 40),
        )
    assert looks["shop"].figures is not None
    assert "answered 500" in looks["broken"].problem
    assert "127.0.0.1:1" in looks["nobody"].problem
    assert "answered 401. Check the token" in looks["stranger"].problem
    assert not any("x" * 40 in look.problem for look in looks.values())


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"<html>", b'[{"period": "24h", "good": "many"}]', b"[" * 100_000, b"\xff" * 100]
)
def test_an_answer_of_something_else_is_said_to_be_one(body, looking):
    with serving() as web:
        web.answers["/agent/v1/counts"] = (200, body)
        look = looking(odd=other(web.url))["odd"]
    assert look.figures is None
    assert "/agent/v1/counts" in look.problem


def test_a_deployment_of_the_inside_is_asked_only_where_that_is_allowed(shop, looking):
    look = looking(inside=other(shop, private=False))["inside"]
    assert look.figures is None
    assert "not a public address" in look.problem
    assert "allow_private_hosts" in look.problem


def test_many_who_look_ask_once(shop):
    with serving() as web:
        web.answers["/agent/v1/counts"] = (500, b"")
        deployments = OtherDeployments({"shop": other(web.url)})
        for _ in range(5):
            deployments.looks()
        deployments.close()
        assert len([request for request in web.asked if request.path == "/agent/v1/counts"]) == 1


def test_the_api_shows_no_token(shop, tmp_path):
    settings = {"shop": {"url": shop, "token": TOKEN, "allow_private_hosts": True}}
    port = PrivatePort(tmp_path, deployments=settings)
    answer = Browser(port.app).get("/api/v1/deployments")
    port.close()
    assert answer.status_code == 200
    assert answer.json()[0]["figures"]["counts"]["good"] == 7
    assert TOKEN not in answer.text
    assert "secret-app" not in answer.text


@pytest.mark.parametrize(
    ("deployment", "text"),
    [
        ({"url": "ftp://x", "token": "t"}, "https://collector.example.com"),
        ({"url": "https://x?a=b", "token": "t"}, "without a query"),
        ({"url": "https://x", "token": " "}, "ASCII"),
        ({"url": "https://x", "token": "tökén"}, "ASCII"),
        ({"url": "https://x"}, "token"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(deployment, text):
    with pytest.raises(ValidationError, match=text):
        ConsoleSettings.model_validate({"deployments": {"shop": deployment}})


def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path):
    with pytest.raises(ValidationError, match="1 to 40"):
        ConsoleSettings.model_validate({"deployments": {"<b>": {"url": "https://x", "token": "t"}}})
