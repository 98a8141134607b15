"""No statement is waited for without a limit: neither at a database that hangs nor at one that was never one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from snowgauge.errors import StoreUnavailable
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse import connection as clickhouse
from snowgauge.store.patience import GivenUp, Patience, Wait
from snowgauge.store.postgres import watched
from snowgauge.store.postgres.connection import Connections
from snowgauge.store.postgres.query import Limits, query
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.postgres import PostgresServer

SHORT = Patience(look_every=0.2, answer_within=1, silent_for=0.5)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_limit_is_kept_whatever_else_is_answered() -> None:
    clock = Clock()
    wait = Wait(Patience(), lambda: True, 25.0, clock)
    for at, left in ((0, 10), (10, 10), (20, 5)):
        clock.now = at
        wait.check()
        assert wait.left() == left
    clock.now = 25
    with pytest.raises(GivenUp, match="has not answered within 25 s"):
        wait.check()


def test_one_that_answers_others_is_waited_for_and_one_that_answers_nothing_is_not() -> None:
    clock, answers = Clock(), [True, False, True, False, False, False]
    wait = Wait(Patience(), lambda: answers.pop(0), None, clock)
    for _ in range(5):
        clock.now += 10
        wait.check()
    clock.now += 10
    with pytest.raises(GivenUp, match="hangs: it has answered nothing for 30 s"):
        wait.check()


class Database(NamedTuple):
    """``asks``: a statement of each kind, without a limit of its own worth the name."""

    asks: dict[str, Callable[[], object]]
    hang: Callable[[], None]
    go_on: Callable[[], None]


def clickhouse_asks(connection: clickhouse.Connection) -> dict[str, Callable[[], object]]:
    return {
        "read": lambda: connection.rows("SELECT 1", settings={"max_execution_time": 3600}),
        "stream": lambda: list(connection.stream("SELECT 1", "TSV", {})),
        "change": lambda: connection.command("DROP TABLE IF EXISTS nothing"),
        "insert": lambda: connection.insert("t", ["x"], b'{"x":1}', "token", {}),
    }


def postgres_asks(connections: Connections) -> dict[str, Callable[[], object]]:
    def execute(statement: str) -> object:
        with connections.use() as connection:
            return connection.execute(statement)

    def load() -> None:
        with connections.use() as connection, connection.cursor().copy("COPY t FROM STDIN") as copy:
            copy.write(b"1\n")

    def read() -> object:
        return query(connections, "SELECT 1", None, Limits(None, 3600, read_only=True))

    return {"read": read, "change": lambda: execute("DROP TABLE IF EXISTS nothing"), "load": load}


@contextmanager
def engine(folder: Path) -> Iterator[Database]:
    process = EngineProcess(folder / "engine", sync=False).start()
    system = psutil.Process(process.pid)
    connection = clickhouse.Connection(engine_connection(ClickHouseSettings(), process.url), patience=SHORT)
    connection.command("CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x")
    yield Database(clickhouse_asks(connection), system.suspend, system.resume)
    connection.close()
    process.stop()


@contextmanager
def postgres(folder: Path) -> Iterator[Database]:
    server = PostgresServer(folder / "data").start()
    connections = Connections(server.database(), size=4, connect_timeout=2, patience=SHORT)
    stopped: list[psutil.Process] = []

    def hang() -> None:
        first = psutil.Process(server.pid)
        stopped[:] = [first, *first.children(recursive=True)]
        for process in stopped:
            process.suspend()

    def go_on() -> None:
        for process in stopped:
            process.resume()

    with connections.use() as connection:
        connection.execute("CREATE TABLE t (x int)")
    yield Database(postgres_asks(connections), hang, go_on)
    connections.close()
    server.stop()


@contextmanager
def silent(_: Path) -> Iterator[Database]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        settings = engine_connection(ClickHouseSettings(), f"http://127.0.0.1:{port}")
        yield Database(
            {
                **clickhouse_asks(clickhouse.Connection(settings, patience=SHORT)),
                **postgres_asks(
                    Connections(f"postgresql://x@127.0.0.1:{port}/x", size=4, connect_timeout=2, patience=SHORT)
                ),
            },
            lambda: None,
            lambda: None,
        )


@pytest.mark.parametrize("database", [engine, postgres, silent])
def test_a_database_that_hangs_is_given_up_by_every_kind_of_statement(
    database: Callable[[Path], Any], tmp_path: Path
) -> None:
    with database(tmp_path) as given:
        raised: dict[str, BaseException] = {}

        def ask(name: str, asked: Callable[[], object]) -> None:
            try:
                asked()
            except StoreUnavailable as unavailable:
                raised[name] = unavailable

        given.hang()
        try:
            threads = [threading.Thread(target=ask, args=each, daemon=True) for each in given.asks.items()]
            for thread in threads:
                thread.start()
            wait_until(lambda: not any(thread.is_alive() for thread in threads), "all are given up", within=120)
            assert raised.keys() == given.asks.keys()
        finally:
            given.go_on()
        if database is not silent:

            def answers(asked: Callable[[], object]) -> bool:
                try:
                    asked()
                except StoreUnavailable:  # the pause after a failed attempt
                    return False
                return True

            for name, asked in given.asks.items():
                wait_until(lambda asked=asked: answers(asked), f"{name} works again")


def test_a_statement_in_flight_when_the_engine_hangs_says_so(tmp_path: Path) -> None:
    with engine(tmp_path) as given:
        given.asks["read"]()  # so the connection is open
        given.hang()
        try:
            with pytest.raises(StoreUnavailable, match=r"ClickHouse at http://127.0.0.1:\d+ hangs: it has answered"):
                given.asks["read"]()
        finally:
            given.go_on()


def test_a_statement_in_flight_when_postgresql_hangs_says_so(tmp_path: Path) -> None:
    with postgres(tmp_path) as given:
        given.hang()
        try:
            with pytest.raises(StoreUnavailable, match=r"PostgreSQL at .*: hangs: it has answered nothing for"):
                given.asks["change"]()
            with pytest.raises(StoreUnavailable, match=r"cannot be reached: .*timeout"):
                given.asks["change"]()
        finally:
            given.go_on()


def test_a_read_is_waited_for_little_longer_than_its_own_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However well the server answers others."""
    monkeypatch.setattr(clickhouse, "MARGIN", 0.3)
    monkeypatch.setattr(watched, "MARGIN", 0.3)
    monkeypatch.setattr(clickhouse.Connection, "_answers", lambda _: True)
    monkeypatch.setattr(Connections, "_answers", lambda _: True)
    with engine(tmp_path) as given:
        connection: Any = given.asks["read"].__closure__[0].cell_contents  # type: ignore[union-attr]
        hasty = clickhouse.Connection(connection._settings, timeout=1)
        assert hasty.rows("SELECT 1") == [[1]]
        given.hang()
        try:
            with pytest.raises(StoreUnavailable, match=r"has not answered within 0\.5 s"):
                connection.rows("SELECT 1", settings={"max_execution_time": 0.2})
            with pytest.raises(StoreUnavailable, match=r"has not answered within 1 s"):
                hasty.rows("SELECT 1")
        finally:
            given.go_on()
    with postgres(tmp_path) as given:
        connections: Any = given.asks["load"].__closure__[0].cell_contents  # type: ignore[union-attr]
        with connections.use() as connection, connection.transaction():
            connection.set_limit(0.2)
            given.hang()
            try:
                with pytest.raises(Exception, match=r"has not answered within 0\.5 s"):
                    connection.execute("SELECT 1")
            finally:
                given.go_on()
