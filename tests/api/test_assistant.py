"""The MCP server, asked by the official client: the same answers and the same rights as the key."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import Browser, PrivatePort, listening
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
    from snowgauge.api.assistant import Api, server

    return asyncio.run(use(server(Api(url, key)), tool, arguments))


async def use(server, tool, arguments):
    async with mcp.Client(server) as client:
        listed = await client.list_tools()
        done = await client.call_tool(tool, arguments)
        return {one.name for one in listed.tools}, done.is_error, done.content[0].text


def over_http(url, key, tool, arguments):
    """With the official client, over streamable HTTP."""
    import httpx
    from mcp.client.streamable_http import streamable_http_client

    async def ask():
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=60) as client:
            return await use(streamable_http_client(f"{url}/mcp", http_client=client), tool, arguments)

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


CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "schemas", "arguments": {}}}
ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest.fixture
def keys(port):
    """Of an analyst's scopes, and of a viewer's."""
    made, url = port
    made.access.add_person("boss", "long enough 1", "admin")
    _, analyst = made.access.add_key("analyst", ["read:aggregates", "read:events", "query:sql"], created_by="boss")
    _, viewer = made.access.add_key("viewer", ["read:aggregates"], created_by="boss")
    return url, analyst, viewer


def test_over_http_with_the_rights_of_the_key(keys):
    url, analyst, viewer = keys
    tools, failed, text = over_http(url, analyst, "failed_event_causes", {})
    assert {"analytics", "sql", "tracking_plan", "definitions"} <= tools
    assert not failed
    assert json.loads(text)["total"] == 1
    _, failed, text = over_http(url, viewer, "sql", {"query": "SELECT 1"})
    assert failed
    assert "query:sql" in text


def test_nobody_without_a_key(keys, port):
    url, analyst, _ = keys
    import httpx

    with httpx.Client(base_url=url, headers=ACCEPT) as client:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "snowgauge_session=x"}):
            assert client.post("/mcp", json=CALL, headers=headers).status_code == 401
        key = {"authorization": f"Bearer {analyst}"}
        assert client.get("/mcp", headers=key).status_code == 405
        assert client.post("/mcp", json=CALL, headers=key | {"host": "rebound.example"}).status_code == 421
        assert client.post("/mcp", json=CALL, headers=key | {"origin": "https://evil.example"}).status_code == 403
        assert client.post("/mcp", json=CALL, headers=key).json()["result"]["content"]
    # over a network the connection may be closed before all of it is sent
    large = Browser(port[0].app).post("/mcp", content=b"x" * 1_000_001, headers={**ACCEPT, **key})
    assert large.status_code == 413


def test_an_open_port_has_no_key_and_so_no_assistant(tmp_path):
    made = PrivatePort(tmp_path)
    off = PrivatePort(tmp_path / "off", mcp=False)
    assert Browser(made.app).post("/mcp", json=CALL, headers=ACCEPT).status_code == 401
    assert Browser(off.app).post("/mcp", json=CALL, headers=ACCEPT).status_code in (404, 405)
    made.close()
    off.close()
