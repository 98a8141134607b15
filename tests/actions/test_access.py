"""People, sessions, keys and the audit log."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from snowgauge.actions.access.book import AccessBook
from snowgauge.actions.access.roles import LOCAL, ROLE_TEXTS, ROLES, SCOPES, Principal
from snowgauge.errors import AccessRefused

PASSWORD = "correct horse battery"


class Clock:
    now = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> Iterator[AccessBook]:
    made = AccessBook(tmp_path / "console.sqlite", session_seconds=3600, clock=clock)
    yield made
    made.close()


def test_a_login_is_a_session_until_it_expires(book: AccessBook, clock: Clock) -> None:
    book.add_person("ada", PASSWORD, "admin")
    session = book.log_in("ADA", PASSWORD)
    found = book.by_session(session.token)
    assert found is not None
    assert (found.name, found.role, found.csrf) == ("ada", "admin", session.csrf)
    clock.now += 3_600_001
    assert book.by_session(session.token) is None


def test_nothing_in_the_file_lets_anybody_in(book: AccessBook, tmp_path: Path) -> None:
    book.add_person("ada", PASSWORD, "admin")
    session = book.log_in("ada", PASSWORD)
    _, secret = book.add_key("k", ["admin"], created_by="ada")
    book.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for text in (PASSWORD, session.token, secret):
        assert text.encode() not in kept
    assert (tmp_path / "console.sqlite").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong password"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_login_does_not_say_what_was_wrong(book: AccessBook, name: str, password: str) -> None:
    book.add_person("ada", PASSWORD, "admin")
    with pytest.raises(AccessRefused, match=r"^name or password is wrong$") as refused:
        book.log_in(name, password)
    assert refused.value.status == 401


def guess(book: AccessBook, times: int, *, name: str = "ada", ip: str = "203.0.113.9") -> list[int]:
    """The statuses of as many wrong passwords."""
    statuses = []
    for n in range(times):
        with pytest.raises(AccessRefused) as refused:
            book.log_in(name, f"guess number {n}", ip=ip)
        statuses.append(refused.value.status)
    return statuses


def test_guessing_is_slowed_down_and_the_right_password_waits_seconds(book: AccessBook, clock: Clock) -> None:
    book.add_person("ada", PASSWORD, "admin")
    assert guess(book, 40) == [401] * 10 + [429] * 30
    with pytest.raises(AccessRefused) as refused:
        book.log_in("ada", PASSWORD, ip="203.0.113.9")
    assert (refused.value.status, refused.value.retry_after) == (429, 10)
    clock.now += 10_000
    assert book.log_in("ada", PASSWORD, ip="203.0.113.9").person.name == "ada"
    assert guess(book, 11) == [401] * 10 + [429]


def test_who_guesses_holds_up_neither_other_addresses_nor_other_accounts(book: AccessBook) -> None:
    book.add_person("ada", PASSWORD, "admin")
    book.add_person("grace", PASSWORD, "viewer")
    guess(book, 20)
    assert book.log_in("ada", PASSWORD, ip="198.51.100.1").person.name == "ada"
    assert book.log_in("grace", PASSWORD, ip="203.0.113.9").person.name == "grace"


def test_an_address_has_a_limit_over_all_accounts_and_an_ipv6_network_is_one_address(book: AccessBook) -> None:
    statuses = [guess(book, 1, name=f"name {n}", ip=f"2001:db8::{n:x}")[0] for n in range(31)]
    assert statuses == [401] * 30 + [429]


def test_many_addresses_slow_down_each_other_and_not_where_the_person_logged_in_before(
    book: AccessBook, clock: Clock
) -> None:
    book.add_person("ada", PASSWORD, "admin")
    book.log_in("ada", PASSWORD, ip="198.51.100.1")
    statuses = [status for n in range(6) for status in guess(book, 10, ip=f"203.0.113.{n}")]
    assert statuses == [401] * 50 + [429] * 10
    assert book.log_in("ada", PASSWORD, ip="198.51.100.1").person.name == "ada"
    with pytest.raises(AccessRefused, match="try again in 2 s"):
        book.log_in("ada", PASSWORD, ip="198.51.100.2")
    clock.now += 2000
    assert book.log_in("ada", PASSWORD, ip="198.51.100.2").person.name == "ada"


def _guess_in_parallel(file: Path, threads: int) -> list[int]:
    book = AccessBook(file, clock=Clock())
    try:
        with ThreadPoolExecutor(threads) as pool:
            return [status for found in pool.map(lambda _: guess(book, 1), range(threads)) for status in found]
    finally:
        book.close()


def test_of_parallel_guesses_no_more_than_the_limit_are_looked_at(book: AccessBook, tmp_path: Path) -> None:
    book.add_person("ada", PASSWORD, "admin")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=spawn) as pool:
        found = [pool.submit(_guess_in_parallel, tmp_path / "console.sqlite", 40) for _ in range(3)]
        statuses = [status for each in found for status in each.result()]
    assert sorted(statuses) == [401] * 10 + [429] * 110


@pytest.mark.parametrize(
    ("name", "password", "role", "words"),
    [
        ("", PASSWORD, "admin", "1 to 100"),
        ("ada", "short", "admin", "at least 10"),
        ("ada", PASSWORD, "king", "king"),
        ("adalovelace", "adalovelace1", "admin", "made of the name"),
        ("grace", PASSWORD, "viewer", "first user must be an admin"),
    ],
)
def test_who_cannot_be_let_in(book: AccessBook, name: str, password: str, role: str, words: str) -> None:
    with pytest.raises(AccessRefused, match=words):
        book.add_person(name, password, role)  # type: ignore[arg-type]


def test_one_admin_is_always_left(book: AccessBook) -> None:
    ada = book.add_person("ada", PASSWORD, "admin")
    with pytest.raises(AccessRefused, match="only admin"):
        book.remove_person(ada.id)
    with pytest.raises(AccessRefused, match="only admin"):
        book.change_person(ada.id, role="viewer")
    book.add_person("grace", PASSWORD, "admin")
    book.remove_person(ada.id)
    assert [person.name for person in book.people()] == ["grace"]


def test_a_name_is_taken_once_in_any_case(book: AccessBook) -> None:
    book.add_person("ada", PASSWORD, "admin")
    with pytest.raises(AccessRefused, match="already"):
        book.add_person("Ada", PASSWORD, "viewer")


def test_a_new_password_and_a_removal_end_sessions(book: AccessBook) -> None:
    book.add_person("ada", PASSWORD, "admin")
    grace = book.add_person("grace", PASSWORD, "viewer")
    session = book.log_in("grace", PASSWORD)
    book.change_person(grace.id, password="another good one")
    assert book.by_session(session.token) is None
    session = book.log_in("grace", "another good one")
    book.remove_person(grace.id)
    assert book.by_session(session.token) is None


def test_a_change_of_role_holds_at_once(book: AccessBook) -> None:
    book.add_person("ada", PASSWORD, "admin")
    grace = book.add_person("grace", PASSWORD, "analyst")
    session = book.log_in("grace", PASSWORD)
    book.change_person(grace.id, role="viewer")
    found = book.by_session(session.token)
    assert found is not None
    assert not found.may("read:events")


def test_keys_open_their_scopes_until_they_end(book: AccessBook, clock: Clock) -> None:
    key, secret = book.add_key("k", ["read:events"], created_by="x", expires_at=clock.now + 1000)
    found = book.by_key(secret)
    assert found is not None
    assert [scope for scope in SCOPES if found.may(scope)] == ["read:events"]
    assert book.keys()[0].last_used == clock.now
    clock.now += 1001
    assert book.by_key(secret) is None
    book.remove_key(key.id)
    assert book.keys() == []


@pytest.mark.parametrize("scopes", [[], ["everything"]])
def test_keys_need_scopes_that_exist(book: AccessBook, scopes: list[str]) -> None:
    with pytest.raises(AccessRefused, match="scope"):
        book.add_key("k", scopes, created_by="x")  # type: ignore[arg-type]


def test_the_audit_log_is_read_newest_first_in_pages(book: AccessBook) -> None:
    for n in range(5):
        book.record(LOCAL, "act", str(n))
    first = book.audit(limit=3)
    assert [entry.subject for entry in first] == ["4", "3", "2"]
    assert [entry.subject for entry in book.audit(before=first[-1].number)] == ["1", "0"]


def test_own_password_is_changed_with_the_current_one_and_ends_other_sessions(book: AccessBook) -> None:
    book.add_person("ada", PASSWORD, "admin")
    elsewhere, here = book.log_in("ada", PASSWORD), book.log_in("ada", PASSWORD)
    who = book.by_session(here.token)
    assert who is not None
    with pytest.raises(AccessRefused, match="current password is wrong"):
        book.change_own_password(who, "not the password", "another good password")
    with pytest.raises(AccessRefused, match="at least 10"):
        book.change_own_password(who, PASSWORD, "short")
    assert book.by_session(elsewhere.token) is not None
    book.change_own_password(who, PASSWORD, "another good password")
    assert book.by_session(here.token) is not None
    assert book.by_session(elsewhere.token) is None
    assert book.log_in("ada", "another good password").person.name == "ada"


def test_guesses_of_the_current_password_are_slowed_down_as_at_the_login(book: AccessBook) -> None:
    book.add_person("ada", PASSWORD, "admin")
    who = book.by_session(book.log_in("ada", PASSWORD).token)
    assert who is not None
    statuses = []
    for _ in range(60):
        with pytest.raises(AccessRefused) as refused:
            book.change_own_password(who, "guess", "another good password")
        statuses.append(refused.value.status)
    assert 429 in statuses
    assert set(statuses) == {422, 429}


def test_everyone_sees_and_ends_their_own_sessions_only(book: AccessBook) -> None:
    book.add_person("ada", PASSWORD, "admin")
    book.add_person("grace", PASSWORD, "viewer")
    ada = [book.log_in("ada", PASSWORD) for _ in range(2)]
    grace = book.log_in("grace", PASSWORD)
    who, other = book.by_session(ada[1].token), book.by_session(grace.token)
    assert who is not None
    assert other is not None
    sessions = book.sessions_of(who)
    assert sorted(session.here for session in sessions) == [False, True]
    theirs = book.sessions_of(other)[0]
    for session_id in (theirs.id, "nothing", "", "%", theirs.id[:4]):
        with pytest.raises(AccessRefused, match="no session"):
            book.end_session(who, session_id)
    book.end_session(who, next(session.id for session in sessions if not session.here))
    assert [book.by_session(session.token) is None for session in (*ada, grace)] == [True, False, False]


def test_a_program_has_no_password_and_no_sessions(book: AccessBook) -> None:
    key = Principal("grafana", "key", frozenset({"read:aggregates"}))
    assert book.sessions_of(key) == []
    with pytest.raises(AccessRefused, match="account"):
        book.change_own_password(key, "", "another good password")
    with pytest.raises(AccessRefused, match="no session"):
        book.end_session(key, "x")


def test_each_role_may_what_the_one_before_may_and_more() -> None:
    rising = list(ROLES.values())
    assert all(less < more for less, more in pairwise(rising))
    assert ROLE_TEXTS.keys() == ROLES.keys()
    assert {"recover", "write:schemas"} == ROLES["editor"] - ROLES["analyst"]
