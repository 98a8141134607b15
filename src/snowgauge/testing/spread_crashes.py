"""A crash loop over a spread-out deployment: what was acknowledged is stored, once, whatever dies."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec

from snowgauge.delivery.backends import Streams
from snowgauge.delivery.kafka.client import Cluster
from snowgauge.delivery.kafka.topics import Layout, make
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.errors import LogUnavailable
from snowgauge.testing.deployment import free_port, wait_until
from snowgauge.testing.engine import EngineProcess, ask
from snowgauge.testing.kafka import KafkaBrokers
from snowgauge.testing.postgres import PostgresServer
from snowgauge.testing.spread import Spread, SpreadLoad

_STREAMS = Streams("payloads", "bad-rows")
_SESSION = 3.0


class Found(msgspec.Struct, frozen=True):
    """``extra`` were stored without an acknowledgement, as a request may be whose answer was lost."""

    acknowledged: int
    refused: int
    unanswered: int
    stored: int
    missing: int
    twice: int
    extra: int


class Store(Protocol):
    """A database server that accidents happen to."""

    @property
    def url(self) -> str:
        """``store.url``; the same after each start."""

    def start(self) -> object: ...

    def stop(self) -> None:
        """As a power cut or an operator would."""

    def event_ids(self, app: str) -> list[str]:
        """Of all rows of an application, as a reader finds them."""


class Postgres:
    """PostgreSQL, stopped in order."""

    def __init__(self, folder: Path) -> None:
        self._server = PostgresServer(folder)
        self.stop, self.start = self._server.stop, self._server.start

    @property
    def url(self) -> str:
        return self._server.url

    def event_ids(self, app: str) -> list[str]:
        import psycopg

        with closing(psycopg.connect(self.url)) as connection:
            rows = connection.execute("SELECT event_id FROM atomic.events WHERE app_id = %s", (app,))
            return [str(row[0]) for row in rows]


class ClickHouse:
    """The embedded engine, killed."""

    def __init__(self, folder: Path) -> None:
        self._engine = EngineProcess(folder, port=free_port())

    @property
    def url(self) -> str:
        return self._engine.url.replace("http://", "clickhouse://default:@")

    def start(self) -> ClickHouse:
        self._engine.start(240)
        return self

    def stop(self) -> None:
        self._engine.kill()

    def event_ids(self, app: str) -> list[str]:
        """Without FINAL: rows that only a merge would make one count twice."""
        sql = "SELECT event_id FROM atomic.events WHERE app_id = {app:String} FORMAT TSV"
        return ask(self._engine, sql, param_app=app).text.split()


STORES: dict[str, Callable[[Path], Store]] = {"postgres": Postgres, "clickhouse": ClickHouse}


def crash(
    folder: Path,
    brokers: KafkaBrokers,
    server: Store,
    *,
    rounds: int,
    seed: int,
    tell: Callable[[str], Any] = lambda _: None,
) -> Found:
    """``rounds`` of one accident each, drawn with ``seed``, under load; then all is stored and counted."""
    chance = random.Random(seed)  # noqa: S311 - accidents, not secrets
    log = EventLogSettings.model_validate({"url": brokers.url, "kafka": {"session_timeout": f"{_SESSION} s"}})
    copies = min(3, brokers.number)
    make(Cluster.of(log.url, log.kafka, _STREAMS), Layout(6, copies, timedelta(days=1)))
    settings = {
        "eventlog.url": brokers.url,
        "eventlog.kafka.session_timeout": f"{_SESSION} s",
        "eventlog.kafka.delivery_timeout": "5 s",
        "eventlog.max_batch_entries": "50",
        "collector.streams.good.name": _STREAMS.good,
        "collector.streams.bad.name": _STREAMS.bad,
        "store.url": server.url,
        "shared_state.key": "the key of all machines",
    }
    spread = Spread(folder, settings, collectors=2, workers=3)
    try:
        spread.start_one("pipeline-0")  # which lays the store out
        spread.wait_for("pipeline-0")
        spread.start()
        with SpreadLoad(spread.ports) as load:
            for number in range(rounds):
                what = _accident(chance, spread, brokers, server)
                tell(f"round {number}: {what}; {len(load.acknowledged)} events acknowledged")
                time.sleep(chance.uniform(0.2, 2))
        opened = log.open(folder, _STREAMS)
        wait_until(lambda: _waiting(opened) == 0, "everything is stored", within=600)
        return _count(server, load)
    finally:
        spread.stop()


def _waiting(log: Any) -> int:
    try:
        return int(log.stats().entries)
    except LogUnavailable:
        return -1


def _accident(chance: random.Random, spread: Spread, brokers: KafkaBrokers, server: Store) -> str:
    worker, collector = chance.choice(spread.workers), f"collector-{chance.randrange(len(spread.ports))}"
    kind = chance.choice(["worker", "worker", "collector", "pause", "broker", "store"])
    if kind == "worker":
        spread.kill(worker)
        return f"kill -9 {worker}"
    if kind == "collector":
        spread.kill(collector)
        return f"kill -9 {collector}"
    if kind == "pause":
        spread.pause(worker)
        time.sleep(2 * _SESSION)
        spread.resume(worker)
        return f"{worker} was stopped beyond the session timeout"
    if kind == "broker":
        broker = chance.randrange(brokers.number)
        brokers.kill(broker)
        time.sleep(chance.uniform(0, 3))
        brokers.start_one(broker)
        brokers.wait(600)  # on a busy machine
        return f"kill -9 broker {broker}"
    server.stop()
    time.sleep(chance.uniform(0, 3))
    server.start()
    return "the store was down"


def _count(server: Store, load: SpreadLoad) -> Found:
    rows = server.event_ids("load")
    stored = set(rows)
    sent = load.acknowledged | load.refused | load.unanswered
    assert stored <= sent
    return Found(
        len(load.acknowledged), len(load.refused), len(load.unanswered), len(stored),
        missing=len(load.acknowledged - stored), twice=len(rows) - len(stored), extra=len(stored - load.acknowledged),
    )  # fmt: skip
