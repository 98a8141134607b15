"""Spend from files: what stands in them, what is refused with its line, and that importing again changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowgauge.actions.analytics.saved.database import SavedDatabase
from snowgauge.actions.analytics.spend import SpendBook
from snowgauge.errors import ActionRefused

FILE = """date,amount,currency,channel,source,app
2026-03-01,12.50,EUR,Paid Search,Google,shop
2026-03-02,7.5,eur,Paid Search,Google,
2026-03-02,3,EUR,Paid Social,"Face""book",blog
2026-03-02,100,USD,Paid Search,Google,shop
"""


@pytest.fixture
def book(tmp_path: Path) -> SpendBook:
    return SpendBook(SavedDatabase(tmp_path / "console.sqlite"))


def test_amounts_by_what_they_were_spent_on(book: SpendBook) -> None:
    assert book.take(FILE).lines == 4
    assert book.by("channel", "2026-03-01", "2026-03-31", (), "EUR") == {"Paid Search": 20.0, "Paid Social": 3.0}
    assert book.by("source", "2026-03-02", "2026-03-02", (), "EUR") == {"Google": 7.5, 'Face"book': 3.0}
    assert book.by("channel", "2026-03-01", "2026-03-31", ("shop",), "EUR") == {"Paid Search": 20.0}
    assert book.by("landing_page", "2026-03-01", "2026-03-31", (), "EUR") == {}


def test_the_same_again_replaces(book: SpendBook) -> None:
    book.take(FILE)
    again = book.take(FILE.replace("12.50", "13"))
    assert (again.lines, again.replaced) == (4, 4)
    assert book.by("channel", "2026-03-01", "2026-03-01", (), "EUR") == {"Paid Search": 13.0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: there is no column date"),
        ("date,amount\n", "line 1: there is no column currency"),
        ("date,amount,currency,colour\n", "line 1: there is a column 'colour'"),
        ("date,amount,currency\n2026-02-30,1,EUR\n", "line 2: '2026-02-30' is no date"),
        ("date,amount,currency\n2026-02-20,nan,EUR\n", "line 2: 'nan' is no amount"),
        ("date,amount,currency\n2026-02-20,-1,EUR\n", "line 2: '-1' is no amount"),
        ("date,amount,currency\n2026-02-20,1,Euro\n", "line 2: 'Euro' is no currency"),
        ("date,amount,currency\n2026-02-20,1,EUR,x\n", "line 2: there are more cells"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(book: SpendBook, text: str, says: str) -> None:
    with pytest.raises(ActionRefused) as refused:
        book.take(text)
    assert says in str(refused.value)
    assert book.by("channel", "0001-01-01", "9999-12-31", (), "EUR") == {}
