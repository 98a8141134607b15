"""People, keys and what people save are the same on every machine."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.state.conftest import numbers
from tests.state.test_documents import KEY, Reached

from snowgauge.actions.access.book import AccessBook
from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import SavedDatabase
from snowgauge.actions.analytics.saved.segments import Segments
from snowgauge.actions.console_tables import console_tables
from snowgauge.actions.registry.database import KEYS, LAYOUT, RegistryDatabase
from snowgauge.actions.registry.keys import SUPER, KeyBook
from snowgauge.errors import AccessRefused, StateUnavailable
from snowgauge.state.book import Book
from snowgauge.state.tables import Overtaken, SharedTables, Sharing
from snowgauge.store.clickhouse.state_log import ClickHouseStateLog
from snowgauge.store.postgres.state_log import PostgresStateLog
from snowgauge.store.state_log import StateLog

PASSWORD = "a password that is long"
Machine = Callable[..., SharedTables]


@pytest.fixture(params=["clickhouse_log", "postgres_log"])
def log(request: pytest.FixtureRequest) -> Reached:
    found: StateLog = request.getfixturevalue(request.param)
    assert isinstance(found, ClickHouseStateLog | PostgresStateLog)
    return Reached(found)


@pytest.fixture
def machine(log: Reached, tmp_path: Path) -> Machine:
    name = f"console-{next(numbers)}"

    def tables(place: str, *, max_age: float = 0.0, outage: float = 1000.0) -> SharedTables:
        sharing = Sharing(Book(log, name, KEY), tmp_path / place / "console.sqlite", max_age, outage)
        return console_tables(tmp_path / place / "shared" / "console.sqlite", sharing)

    return tables


def test_a_person_added_on_one_machine_logs_in_on_another_and_a_revoked_key_is_refused(machine: Machine) -> None:
    here, there = AccessBook(machine("a")), AccessBook(machine("b"))
    ann = here.add_person("ann", PASSWORD, "admin")
    session = there.log_in("ann", PASSWORD)
    principal = here.by_session(session.token)
    assert principal is not None
    assert principal.name == "ann"
    key, secret = there.add_key("ci", ["read:events"], created_by="ann")
    assert here.by_key(secret) is not None
    here.remove_key(key.id)
    assert there.by_key(secret) is None
    here.log_out(session.token)
    assert there.by_session(session.token) is None
    with pytest.raises(AccessRefused, match="already"):
        there.add_person("Ann", PASSWORD, "admin")
    with pytest.raises(AccessRefused, match="only admin"):
        there.remove_person(ann.id)
    here.record(Principal("ann", "person", frozenset()), "one")
    there.record(Principal("ann", "person", frozenset()), "two")
    assert [entry.action for entry in here.audit()] == [entry.action for entry in there.audit()] == ["two", "one"]
    here.close()
    there.close()


def test_what_a_person_saved_goes_with_the_person_on_every_machine(machine: Machine) -> None:
    here, there = machine("a"), machine("b")
    book = AccessBook(here)
    book.add_person("root", PASSWORD, "admin")
    ann = book.add_person("ann", PASSWORD, "admin")
    who = Principal("ann", "person", frozenset(), "admin", ann.id)
    Segments(SavedDatabase(here)).add("mine", "", [["is", "visit:country", ["DE"]]], shared=False, who=who)
    assert [segment.name for segment in Segments(SavedDatabase(there)).listed(who)] == ["mine"]
    AccessBook(there).remove_person(ann.id)
    assert Segments(SavedDatabase(here)).listed(who) == []
    assert [person.name for person in book.people()] == ["root"]
    late = machine("late")
    assert [person.name for person in AccessBook(late).people()] == ["root"]
    for tables in (here, there, late):
        tables.close()


def test_the_people_of_the_first_machine_are_taken_over(machine: Machine, tmp_path: Path) -> None:
    for place in ("a", "b"):
        own = AccessBook(tmp_path / place / "console.sqlite")
        own.add_person(f"of-{place}", PASSWORD, "admin")
        own.close()
    here, there = AccessBook(machine("a")), AccessBook(machine("b"))
    assert [person.name for person in here.people()] == ["of-a"]
    assert [person.name for person in there.people()] == ["of-a"]
    assert there.log_in("of-a", PASSWORD).person.name == "of-a"
    here.close()
    there.close()
    with closing(sqlite3.connect(tmp_path / "b" / "console.sqlite")) as db:
        assert db.execute("SELECT name FROM people").fetchall() == [("of-b",)]


def test_of_two_that_write_at_the_same_moment_the_second_changes_nothing(machine: Machine) -> None:
    here, there = machine("a"), AccessBook(machine("b"))
    book = AccessBook(here)
    book.add_person("ann", PASSWORD, "admin")

    def slow() -> None:
        with here.writing() as db:
            db.execute("UPDATE people SET role = 'viewer'")
            there.add_person("bob", PASSWORD, "admin")

    with pytest.raises(Overtaken, match="try again"):
        slow()
    assert sorted((person.name, person.role) for person in book.people()) == [("ann", "admin"), ("bob", "admin")]

    threads = [
        threading.Thread(target=one.record, args=(Principal("ann", "person", frozenset()), str(number)))
        for number in range(3)
        for one in (book, there)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(book.audit()) == 6
    here.close()
    there.close()


def test_while_the_store_is_unreachable_people_stay_for_a_while_and_nothing_is_changed(
    machine: Machine, log: Reached
) -> None:
    book = AccessBook(machine("a"))
    book.add_person("ann", PASSWORD, "admin")
    _, secret = book.add_key("ci", ["read:events"], created_by="ann")
    session = book.log_in("ann", PASSWORD)
    log.away = True
    assert book.by_session(session.token) is not None
    assert book.by_key(secret) is not None
    with pytest.raises(StateUnavailable):
        book.add_person("bob", PASSWORD, "admin")
    fresh = AccessBook(machine("b", outage=0.0))
    with pytest.raises(StateUnavailable):
        fresh.by_key(secret)
    log.away = False
    assert [person.name for person in book.people()] == ["ann"]
    book.close()
    fresh.close()


def test_the_book_stays_small_however_often_a_row_changes(machine: Machine, log: Reached) -> None:
    here, there = machine("a"), machine("b")
    for number in range(40):
        with here.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO shares (id, name, hash, password, apps, filters, frame_ancestors, created_by, "
                "created_at) VALUES ('s', 'n', 'h', '', ?, '[]', '[]', 'a', ?)",
                (os.urandom(20_000).hex(), number),
            )
    with there.reading() as db:
        assert db.execute("SELECT created_at FROM shares").fetchall()[0][0] == 39
    sharing = here._sharing
    assert sharing is not None
    assert len(list(sharing.book.after(0))) < 40
    here.close()
    there.close()


def test_keys_of_the_registry_are_shared(log: Reached, tmp_path: Path) -> None:
    name = f"registry-{next(numbers)}"
    books = []
    for place in ("a", "b"):
        sharing = Sharing(Book(log, name, KEY), tmp_path / place / "schemas.db", 0.0, 1000.0)
        tables = SharedTables(tmp_path / place / "shared.db", LAYOUT, KEYS, sharing)
        books.append((KeyBook(RegistryDatabase(tables)), tables))
    (here, _), (there, _) = books
    pair = here.generate(SUPER, "com.acme")
    assert there.permission(pair.write).may_write("com.acme")
    there.delete(SUPER, pair.write)
    assert not here.permission(pair.write).known
    for _, tables in books:
        tables.close()
