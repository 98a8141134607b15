"""A private port over parts in memory, for tests of the API and the console: no processes, no database."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from snowgauge.actions.access.book import AccessBook
from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.elsewhere.looking import OtherDeployments
from snowgauge.actions.failed.repair.means import RecoveryMeans
from snowgauge.actions.lifetime.erasing import Erasing
from snowgauge.actions.sinks import Sinks
from snowgauge.alerts.delivering.post import Means
from snowgauge.api.app import create_app
from snowgauge.api.doors import Doors
from snowgauge.api.settings import ConsoleSettings
from snowgauge.collector.admission.settings import Network
from snowgauge.delivery.memory import MemoryLog
from snowgauge.enrich.enricher import Enricher
from snowgauge.iglu import build as iglu_build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import Store
from snowgauge.store.memory import MemoryStore


class PrivatePort:
    """``app`` is the application, ``store`` what it shows, ``access`` who may. ``clock`` gives milliseconds."""

    def __init__(
        self,
        folder: Path,
        *,
        store: Store | None = None,
        site: Any = None,
        collector_url: str = "http://127.0.0.1:1",
        proxies: Sequence[Network] = (),
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        sinks: Sinks | None = None,
        alert_means: Callable[[], Means] | None = None,
        erasing: Callable[[], Erasing] | None = None,
        **settings: Any,
    ) -> None:
        self.store = store or MemoryStore()
        self.log = MemoryLog()
        resolver, validator = iglu_build.build(IgluSettings(iglu_central=False), folder)
        self.settings = ConsoleSettings.model_validate(settings)
        self.access = AccessBook(
            folder / "console.sqlite", clock=clock, demand=self.settings.second_factor_required_for
        )
        self.doors = Doors(self.settings, self.access, proxies=proxies)
        self.deployment = Deployment(
            store=self.store,
            eventlog=self.log,
            resolver=resolver,
            validator=validator,
            data_dir=folder,
            version="0.0.0-test",
            collector_url=collector_url,
            surroundings=Surroundings(scripts=folder / "static"),
            sinks=sinks,
            elsewhere=OtherDeployments(self.settings.deployments),
            lend_enricher=lambda: nullcontext(Enricher(validator)),
            recovery=RecoveryMeans(lambda: nullcontext(Enricher(validator))),
            alert_means=alert_means,
            erasing=erasing,
        )
        self.app: FastAPI = create_app(self.deployment, self.doors, site)

    def close(self) -> None:
        self.access.close()
        self.store.close()


class Browser:
    """A client of an ASGI application that keeps cookies, without a server. Give it a new one per login."""

    def __init__(
        self, app: Any, base_url: str = "http://127.0.0.1:8001", headers: dict[str, str] | None = None
    ) -> None:
        self._app = app
        self._base_url = base_url
        self._headers = headers or {}
        self.cookies = httpx.Cookies()

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url=self._base_url, headers=self._headers, cookies=self.cookies
            ) as client:
                response = await client.request(method, path, **more)
                self.cookies = client.cookies
                return response

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def put(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PUT", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", path, **more)


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """The application on a free loopback port for as long as the block runs; gives its address."""
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_level=LogLevels.error)
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        await server.serve()
        # The server's own threads hand over what arrived while it stopped. A loop that closes before it ran such a
        # request leaves a coroutine that nothing awaited, which is reported in whichever test comes next.
        await asyncio.sleep(0.1)
        # What pages that are closed had asked is answered, or given up: it holds places that the application, which
        # other tests go on with, counts.
        asked = asyncio.all_tasks() - {asyncio.current_task()}
        if asked:
            _, late = await asyncio.wait(asked, timeout=20)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        if time.monotonic() > until:
            raise AssertionError("the private port does not listen")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(60)  # what was asked last is answered first
        loop.close()
