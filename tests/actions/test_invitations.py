"""Invitations by link: who makes them, for how long they work, and that each works once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from snowgauge.actions.access.book import AccessBook
from snowgauge.errors import AccessRefused

PASSWORD = "correct horse battery"
DAY = 86_400_000


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
    made.add_person("ada", PASSWORD, "admin")
    yield made
    made.close()


def test_the_invited_choose_the_password_and_are_logged_in(book: AccessBook) -> None:
    made, secret = book.invitations.add("grace", "analyst", "ada")
    assert book.invitations.opened(secret) == made
    with pytest.raises(AccessRefused, match="at least 10"):
        book.accept_invitation(secret, "short")
    session = book.accept_invitation(secret, "chosen by grace")
    who = book.by_session(session.token)
    assert who is not None
    assert (who.name, who.role) == ("grace", "analyst")
    assert book.log_in("grace", "chosen by grace").person.name == "grace"
    assert book.invitations.listed() == []


@pytest.mark.parametrize("end", ["used", "revoked", "expired", "replaced", "added otherwise", "incomplete"])
def test_a_link_that_has_ended_says_nothing_of_why(book: AccessBook, clock: Clock, end: str) -> None:
    made, secret = book.invitations.add("grace", "viewer", "ada")
    match end:
        case "used":
            book.accept_invitation(secret, "chosen by grace")
        case "revoked":
            book.invitations.revoke(made.id)
        case "expired":
            clock.now += 7 * DAY
        case "replaced":
            book.invitations.add("Grace", "viewer", "ada")
        case "added otherwise":
            book.add_person("grace", "set by an admin", "viewer")
        case _:
            secret = secret[:-1]
    people = book.people()
    for use in (lambda: book.invitations.opened(secret), lambda: book.accept_invitation(secret, "chosen by grace")):
        with pytest.raises(AccessRefused, match="not valid") as refused:
            use()
        assert refused.value.status == 401
    assert book.people() == people


def test_of_two_who_follow_it_at_once_one_is_added(book: AccessBook) -> None:
    _, secret = book.invitations.add("grace", "viewer", "ada")

    def accept(n: int) -> bool:
        try:
            book.accept_invitation(secret, f"chosen by number {n}")
        except AccessRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(accept, range(4))) == 1
    assert [person.name for person in book.people()] == ["ada", "grace"]


def test_nothing_in_the_file_opens_it(book: AccessBook, tmp_path: Path) -> None:
    _, secret = book.invitations.add("grace", "viewer", "ada")
    book.close()
    assert secret.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_what_makes_no_sense_is_refused(book: AccessBook, tmp_path: Path) -> None:
    with pytest.raises(AccessRefused, match="already"):
        book.invitations.add("ADA", "viewer", "ada")
    with pytest.raises(AccessRefused, match="unknown role"):
        book.invitations.add("grace", "superuser", "ada")  # type: ignore[arg-type]
    with pytest.raises(AccessRefused, match="1 to 100"):
        book.invitations.add(" ", "viewer", "ada")
    with pytest.raises(AccessRefused, match="at most 30 days"):
        book.invitations.add("grace", "viewer", "ada", lasts_ms=31 * DAY)
    with pytest.raises(AccessRefused, match="no invitation"):
        book.invitations.revoke("x")
    empty = AccessBook(tmp_path / "empty.sqlite")
    with pytest.raises(AccessRefused, match="first user must be an admin"):
        empty.invitations.add("grace", "viewer", "shell")
    _, secret = empty.invitations.add("grace", "admin", "shell")
    empty.accept_invitation(secret, "chosen by grace")
    assert empty.has_admin()
    empty.close()
