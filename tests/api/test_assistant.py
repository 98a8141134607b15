"""The MCP server, asked by the official client: the same answers and the same rights as the key."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.events import schema_violation, web_page_view

mcp = pytest.importorskip("mcp", reason="the extra mcp is not installed")


@pytest.fixture
def port(tmp_path) -> Iterator[tuple[PrivatePort, str]]:
    made = PrivatePort(tmp_path)
    now = time.time_ns() // 1_000_000
    made.store.write(
        StoreBatch(
            "b", [web_page_view(1, collector_tstamp=now)], [schema_violation(1, collector_tstamp=now, failed_at=now)]
        )
    )
    with listening(made.app) as url:
        yield made, url
    made.close()


def call(url, key, tool, arguments):
    from snowgauge.api.assistant import server

    async def ask():
        async with mcp.Client(server(url, key)) as client:
            listed = await client.list_tools()
            done = await client.call_tool(tool, arguments)
            return {one.name for one in listed.tools}, done.is_error, done.content[0].text

    return asyncio.run(ask())


def test_causes_are_the_api_s(port):
    tools, failed, text = call(port[1], "", "failed_event_causes", {})
    assert {"analytics", "sql", "tracking_plan", "failed_event_causes", "definitions"} <= tools
    assert not failed
    assert json.loads(text)["total"] == 1


def test_a_key_may_what_it_may(port):
    made, url = port
    made.access.add_person("boss", "long enough 1", "admin")
    _, secret = made.access.add_key("reader", ["read:aggregates"], created_by="boss")
    _, failed, text = call(url, secret, "sql", {"query": "SELECT 1"})
    assert failed
    assert "query:sql" in text
    _, failed, text = call(url, "", "failed_event_causes", {})
    assert failed
    assert "401" in text


def test_one_that_does_not_answer_is_said():
    _, failed, text = call("http://127.0.0.1:1", "", "schemas", {})
    assert failed
    assert "does not answer" in text
