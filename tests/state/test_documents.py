"""Shared documents keep the contract in the data folder, in ClickHouse and in PostgreSQL."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.state.conftest import numbers

from snowgauge.errors import StateUnavailable, StoreUnavailable
from snowgauge.state.book import Book
from snowgauge.state.documents import FolderDocuments, SharedDocuments
from snowgauge.store.clickhouse.state_log import ClickHouseStateLog
from snowgauge.store.postgres.state_log import PostgresStateLog
from snowgauge.store.state_log import Record, StateLog
from snowgauge.testing.state_contract import Machine, Outage, StateContract

KEY = "a key that all machines have"


class Reached:
    """A log that cannot be reached while ``away``."""

    def __init__(self, log: StateLog) -> None:
        self._log = log
        self.away = False

    def after(self, book: str, number: int) -> list[Record]:
        self._ask()
        return list(self._log.after(book, number))

    def append(self, book: str, number: int, body: bytes) -> bool:
        self._ask()
        return self._log.append(book, number, body)

    def forget(self, book: str, before: int) -> None:
        self._ask()
        self._log.forget(book, before)

    def close(self) -> None:
        self._log.close()

    def _ask(self) -> None:
        if self.away:
            raise StoreUnavailable("nobody answers")


class TestFolder(StateContract):
    @pytest.fixture
    def machine(self, tmp_path: Path) -> Machine:
        return lambda: FolderDocuments(tmp_path / "shared")

    @pytest.fixture
    def outage(self, tmp_path: Path) -> Outage:
        @contextmanager
        def away() -> Iterator[None]:
            (tmp_path / "shared").rename(tmp_path / "aside")
            (tmp_path / "shared").write_text("a file where the folder was")
            yield
            (tmp_path / "shared").unlink()
            (tmp_path / "aside").rename(tmp_path / "shared")

        return away

    def test_files_are_for_their_user_alone(self, tmp_path: Path) -> None:
        FolderDocuments(tmp_path / "shared").put("a/b", b"1", None)
        for path in (tmp_path / "shared").rglob("*"):
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077


class OnStore(StateContract):
    @pytest.fixture
    def reached(self, log: StateLog) -> Reached:
        return Reached(log)

    @pytest.fixture
    def book(self) -> str:
        return f"book-{next(numbers)}"

    @pytest.fixture
    def machine(self, reached: Reached, book: str) -> Machine:
        return lambda: SharedDocuments(Book(reached, book, KEY))

    @pytest.fixture
    def outage(self, reached: Reached) -> Outage:
        @contextmanager
        def away() -> Iterator[None]:
            reached.away = True
            yield
            reached.away = False

        return away

    def test_a_number_is_taken_once(self, log: StateLog, book: str) -> None:
        assert log.append(book, 1, b"first")
        assert not log.append(book, 1, b"second")
        assert list(log.after(book, 0)) == [Record(1, b"first")]

    def test_commits_are_put_together_and_the_old_ones_are_deleted(
        self, machine: Machine, log: StateLog, book: str
    ) -> None:
        here, late = machine(), machine()
        assert late.names("") == []
        for number in range(30):
            before = here.read("x")
            assert here.put("x", bytes([number]) + os.urandom(8000), before)
        assert len(log.after(book, 0)) < 20
        assert late.read("x") == machine().read("x") == here.read("x")

    def test_what_is_removed_is_in_no_commit_any_more(self, machine: Machine, log: StateLog, book: str) -> None:
        here = machine()
        here.put("order", b"ann", None)
        here.put("kept", b"k", None)
        here.remove("order")
        (commit,) = Book(log, book, KEY).after(0)
        assert dict(commit.changes) == {"kept": b"k"}


class TestClickHouse(OnStore):
    @pytest.fixture
    def log(self, clickhouse_log: ClickHouseStateLog) -> StateLog:
        return clickhouse_log


class TestPostgres(OnStore):
    @pytest.fixture
    def log(self, postgres_log: PostgresStateLog) -> StateLog:
        return postgres_log


def test_a_writer_that_stood_still_loses_to_who_was_first(clickhouse_log: ClickHouseStateLog) -> None:
    """Its token was forgotten meanwhile, so that its record is there too: as if it were another server's window."""
    book = f"book-{next(numbers)}"
    assert clickhouse_log.append(book, 1, b"first")
    connection = clickhouse_log._connection
    connection.insert(
        clickhouse_log._table, ("book", "number", "body", "writer"),
        b'{"book":"%s","number":1,"body":"bGF0ZQ==","writer":"0"}' % book.encode(), "forgotten", {},
    )  # fmt: skip
    assert list(clickhouse_log.after(book, 0)) == [Record(1, b"first")]
    assert connection.rows("SELECT count() FROM atomic.snowgauge_state WHERE book = {b:String}", {"b": book}) == [[2]]


@pytest.fixture(params=["clickhouse_log", "postgres_log"])
def log(request: pytest.FixtureRequest) -> StateLog:
    found: StateLog = request.getfixturevalue(request.param)
    return found


def test_the_database_shows_nothing_of_it_and_another_key_does_not_open_it(log: StateLog) -> None:
    book = f"book-{next(numbers)}"
    SharedDocuments(Book(log, book, KEY)).put("x", b"a secret of someone", None)
    (record,) = log.after(book, 0)
    assert b"secret" not in record.body
    with pytest.raises(StateUnavailable, match=r"another shared_state\.key"):
        SharedDocuments(Book(log, book, "another key")).read("x")


def test_a_commit_of_another_book_is_refused(log: StateLog) -> None:
    book = f"book-{next(numbers)}"
    SharedDocuments(Book(log, book, KEY)).put("x", b"1", None)
    (record,) = log.after(book, 0)
    log.append(f"{book}-2", 1, record.body)
    with pytest.raises(StateUnavailable, match="belongs elsewhere"):
        SharedDocuments(Book(log, f"{book}-2", KEY)).read("x")
