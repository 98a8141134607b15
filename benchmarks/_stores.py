"""The databases of `soak --everything`: what can be done to each, and how its rows are read at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from snowgauge.testing.deployment import Deployment
from snowgauge.testing.postgres import PostgresServer

SMALL_BLOCKS = "SETTINGS max_block_size = 256, max_threads = 1"
"""Failed rows of a megabyte each, so that reading them stays within the engine's memory."""


class Embedded:
    """The embedded engine, which the supervisor starts again."""

    role = "clickhouse"

    def __init__(self, _: Path) -> None:
        self.settings: dict[str, str] = {}

    def attach(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def processes(self) -> list[psutil.Process]:
        with suppress(psutil.Error, OSError, ValueError):
            return [psutil.Process(self._deployment.pid(self.role))]
        return []

    def kill(self) -> None:
        self._deployment.kill(self.role)

    def rows(self, query: str) -> Iterator[Sequence[Any]]:
        for row in self._deployment.sql(query.format(final="FINAL", small=SMALL_BLOCKS)):
            yield list(row.values())

    def stop(self) -> None:
        return


class Postgres:
    """A server of its own on another disk, which is started again at once."""

    role = "postgres"

    def __init__(self, folder: Path) -> None:
        self._server = PostgresServer(folder / "postgres" / "data", fsync="on", synchronous_commit="on").start()
        self.settings = {"store.url": self._server.url, "postgres.dbt_tables": "false"}

    def attach(self, _: Deployment) -> None:
        return

    def processes(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            first = psutil.Process(self._server.pid)
            return [first, *first.children(recursive=True)]
        return []

    def kill(self) -> None:
        found = self.processes()
        self._server.kill()
        for process in found[1:]:  # they hold the memory that the next one needs
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found[1:], 30)
        self._server.start()

    def rows(self, query: str) -> Iterator[Sequence[Any]]:
        import psycopg

        with psycopg.connect(self.settings["store.url"]) as connection:
            yield from connection.execute(query.format(final="", small="").encode())

    def stop(self) -> None:
        self._server.stop()


STORES: dict[str, type[Embedded] | type[Postgres]] = {"clickhouse": Embedded, "postgres": Postgres}
