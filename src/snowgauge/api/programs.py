"""What the private port serves for programs beside the console's API: Micro, the schema registry, the agent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import orjson
from fastapi import Request

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.micro.stored import StoredMicroEvents
from snowgauge.actions.registry.catalog import SchemaCatalog
from snowgauge.actions.registry.database import RegistryDatabase
from snowgauge.actions.registry.keys import KeyBook
from snowgauge.api.agent.app import PREFIX as AGENT
from snowgauge.api.agent.app import agent_app
from snowgauge.api.agent.settings import AgentSettings
from snowgauge.api.doors import Doors
from snowgauge.api.iglu.app import IgluApp
from snowgauge.api.iglu.settings import RegistrySettings
from snowgauge.api.micro.app import MicroApp
from snowgauge.collector.admission.settings import Network

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


def programs(
    deployment: Deployment,
    doors: Doors,
    registry: RegistrySettings,
    agent: AgentSettings,
    proxies: Sequence[Network] = (),
) -> dict[str, App]:
    """Path -> application. The registry and the agent have keys and tokens of their own; Micro shows whole events, so
    it is for those whom the console would show them to. ``proxies``: networks of proxies in front of the private port.
    """
    found: dict[str, App] = {
        "/micro": Guarded(MicroApp(StoredMicroEvents(deployment.store), deployment.resolver), doors)
    }
    if registry.enabled:
        database = RegistryDatabase(deployment.registry_tables or deployment.data_dir / "schemas.db")
        catalog = SchemaCatalog(deployment.schemas, database)
        found["/iglu"] = IgluApp(catalog, KeyBook(database, registry.super_api_key.get_secret_value()), registry)
    if agent.configured:
        found[AGENT] = agent_app(deployment, agent, proxies=proxies)
    return found


class Guarded:
    """ASGI middleware: only for those who may read events."""

    def __init__(self, app: App, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            who = await asyncio.to_thread(self._doors.principal, Request(scope))
            if who is None:
                await _refuse(send, 401, "log in, or send an API key", (b"www-authenticate", b"Bearer"))
                return
            if not who.may("read:events"):
                await _refuse(send, 403, "this needs the scope read:events")
                return
        await self._app(scope, receive, send)


async def _refuse(send: Any, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
    body = orjson.dumps({"detail": text})
    kind = (b"content-type", b"application/json")
    await send({"type": "http.response.start", "status": status, "headers": [kind, *headers]})
    await send({"type": "http.response.body", "body": body})
