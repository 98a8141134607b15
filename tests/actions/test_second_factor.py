"""Codes of an authenticator app at the login, recovery codes, and who has to have them."""

import base64
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from snowgauge.actions.access.book import AccessBook
from snowgauge.actions.access.roles import Principal
from snowgauge.actions.access.second_factor import CodeNeeded
from snowgauge.errors import AccessRefused

PASSWORD = "correct horse battery"
STEP = 30_000


class Clock:
    now = 1_000_000_020_000  # an interval begins

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


def known(book: AccessBook, token: str) -> Principal:
    who = book.by_session(token)
    assert who is not None
    return who


def code_of(secret: str, at: int) -> str:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(at // 1000).decode()


def enrolled(book: AccessBook, clock: Clock) -> tuple[str, list[str]]:
    """The secret and the recovery codes of ada, as long before now as it takes for the next code to count."""
    ada = known(book, book.log_in("ada", PASSWORD).token)
    secret = book.begin_second_factor(ada, PASSWORD).secret
    codes = book.confirm_second_factor(ada, code_of(secret, clock.now))
    clock.now += 2 * STEP
    return secret, codes


def refused(book: AccessBook, code: str) -> int | None:
    """The status, or ``None`` where the login succeeds."""
    try:
        book.log_in("ada", PASSWORD, code=code)
    except AccessRefused as error:
        return error.status
    return None


def test_codes_are_those_of_the_standard() -> None:
    # RFC 6238, appendix B, with six digits
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert [code_of(secret, at * 1000) for at in (59, 1111111109, 1234567890)] == ["287082", "081804", "005924"]


def test_a_login_needs_a_code_once_one_was_confirmed(book: AccessBook, clock: Clock) -> None:
    ada = known(book, book.log_in("ada", PASSWORD).token)
    enrolment = book.begin_second_factor(ada, PASSWORD)
    assert enrolment.uri.startswith("otpauth://totp/Snowgauge:ada?secret=")
    assert book.log_in("ada", PASSWORD).person.second_factor is False
    with pytest.raises(AccessRefused, match="wrong"):
        book.confirm_second_factor(ada, "000000")
    assert len(set(book.confirm_second_factor(ada, code_of(enrolment.secret, clock.now)))) == 10
    clock.now += 2 * STEP
    with pytest.raises(CodeNeeded):
        book.log_in("ada", PASSWORD)
    with pytest.raises(AccessRefused, match="name or password"):
        book.log_in("ada", "not the password", code=code_of(enrolment.secret, clock.now))
    assert book.log_in("ada", PASSWORD, code=code_of(enrolment.secret, clock.now)).person.second_factor is True


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, None), (0, None), (1, None), (2, 401)])
def test_a_code_counts_one_interval_early_and_late(
    book: AccessBook, clock: Clock, steps: int, status: int | None
) -> None:
    secret, _ = enrolled(book, clock)
    clock.now += 10 * STEP
    assert refused(book, code_of(secret, clock.now + steps * STEP)) == status


def test_a_code_counts_once_and_none_before_it(book: AccessBook, clock: Clock) -> None:
    secret, _ = enrolled(book, clock)
    clock.now += 10 * STEP
    code, before, after = (code_of(secret, clock.now + steps * STEP) for steps in (0, -1, 1))
    assert [refused(book, one) for one in (code, code, before, after, after)] == [None, 401, 401, None, 401]


def test_the_code_that_confirmed_is_used_up(book: AccessBook, clock: Clock) -> None:
    secret, _ = enrolled(book, clock)
    assert refused(book, code_of(secret, clock.now - 2 * STEP)) == 401
    clock.now -= 2 * STEP
    assert refused(book, code_of(secret, clock.now)) == 401


@pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "\ud800", "0" * 100, "१२३४५६"])
def test_what_is_no_code_is_refused(book: AccessBook, clock: Clock, code: str) -> None:
    enrolled(book, clock)
    assert refused(book, code) == 401


def test_a_recovery_code_works_once_however_it_is_typed(book: AccessBook, clock: Clock, tmp_path: Path) -> None:
    _, codes = enrolled(book, clock)
    typed = f" {codes[0].lower().replace('-', ' ')} "
    assert [refused(book, code) for code in (typed, typed, codes[0], codes[1])] == [None, 401, 401, None]
    person_id = book.people()[0].id
    assert book.second_factors.left(person_id) == 8
    book.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(code.encode() in kept or code.replace("-", "").encode() in kept for code in codes)


def test_guessing_codes_is_slowed_down_for_the_person_from_anywhere(book: AccessBook, clock: Clock) -> None:
    secret, _ = enrolled(book, clock)
    statuses = []
    for n in range(14):
        with pytest.raises(AccessRefused) as error:
            book.log_in("ada", PASSWORD, code="000000", ip=f"203.0.113.{n}")
        statuses.append(error.value.status)
    assert statuses == [401] * 10 + [429] * 4
    assert refused(book, code_of(secret, clock.now)) == 429
    clock.now += 300_000
    assert refused(book, code_of(secret, clock.now)) is None
    clock.now += STEP
    assert refused(book, code_of(secret, clock.now)) is None  # the tries are forgotten


def test_no_code_is_looked_at_without_the_password(book: AccessBook, clock: Clock) -> None:
    secret, _ = enrolled(book, clock)
    for n in range(20):
        with pytest.raises(AccessRefused):
            book.log_in("ada", "not the password", code="000000", ip=f"203.0.113.{n}")
    assert refused(book, code_of(secret, clock.now)) is None


def test_setting_it_up_takes_the_password_and_ends_other_sessions(book: AccessBook, clock: Clock) -> None:
    other, own = book.log_in("ada", PASSWORD), book.log_in("ada", PASSWORD)
    ada = known(book, own.token)
    with pytest.raises(AccessRefused, match="current password is wrong"):
        book.begin_second_factor(ada, "not the password")
    secret = book.begin_second_factor(ada, PASSWORD).secret
    book.confirm_second_factor(ada, code_of(secret, clock.now))
    assert book.by_session(other.token) is None
    assert book.by_session(own.token) is not None
    with pytest.raises(AccessRefused, match="already"):
        book.begin_second_factor(ada, PASSWORD)


def test_it_is_removed_with_the_password_or_by_an_admin(book: AccessBook, clock: Clock) -> None:
    secret, _ = enrolled(book, clock)
    ada = known(book, book.log_in("ada", PASSWORD, code=code_of(secret, clock.now)).token)
    with pytest.raises(AccessRefused, match="current password is wrong"):
        book.remove_second_factor(ada, "not the password")
    book.remove_second_factor(ada, PASSWORD)
    assert refused(book, "") is None
    with pytest.raises(AccessRefused, match="no second factor"):
        book.remove_second_factor(ada, PASSWORD)
    secret = book.begin_second_factor(ada, PASSWORD).secret
    book.confirm_second_factor(ada, code_of(secret, clock.now))
    assert book.reset_second_factor(str(ada.person_id)).second_factor is False
    assert book.by_session(book.log_in("ada", PASSWORD).token) is not None


def test_who_has_to_have_one_may_do_nothing_before(tmp_path: Path, clock: Clock) -> None:
    book = AccessBook(tmp_path / "console.sqlite", clock=clock, demand="admins")
    book.add_person("ada", PASSWORD, "admin")
    book.add_person("grace", PASSWORD, "viewer")
    ada = known(book, book.log_in("ada", PASSWORD).token)
    assert (ada.owes_second_factor, ada.scopes) == (True, frozenset())
    grace = known(book, book.log_in("grace", PASSWORD).token)
    assert grace.owes_second_factor is False
    assert grace.may("read:aggregates")
    secret = book.begin_second_factor(ada, PASSWORD).secret
    book.confirm_second_factor(ada, code_of(secret, clock.now))
    clock.now += 2 * STEP
    ada = known(book, book.log_in("ada", PASSWORD, code=code_of(secret, clock.now)).token)
    assert (ada.owes_second_factor, ada.may("admin")) == (False, True)
    with pytest.raises(AccessRefused, match="required of admins"):
        book.remove_second_factor(ada, PASSWORD)
    book.change_person(str(grace.person_id), role="admin")
    through = book.log_in_through("https://idp.example", "sub", ["lin"], "admin", follow=False)
    assert known(book, through.token).owes_second_factor is False  # the provider asks for its own
    assert known(book, book.log_in("grace", PASSWORD).token).owes_second_factor is True
    book.close()


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "console.sqlite"
    book = AccessBook(file, clock=clock)
    book.add_person("ada", PASSWORD, "admin")
    session = book.log_in("ada", PASSWORD)
    book.close()
    with closing(sqlite3.connect(file)) as db:
        for table in ("recovery_codes", "second_factors", "invitations"):
            db.execute(f"DROP TABLE {table}")
    book = AccessBook(file, clock=clock)
    assert known(book, session.token).name == "ada"
    enrolled(book, clock)
    assert refused(book, "") == 401
    book.close()
