"""Placeholders in people's SQL are found where a statement has them, and nowhere else."""

from __future__ import annotations

import pytest

from snowgauge.actions.sql import shown
from snowgauge.store.placeholders import placeholders
from snowgauge.store.postgres.query import prepared


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT {name:String}", ["name"]),
        ("SELECT { n : Array(String) }, {m:Decimal(10, 2)}, {n:Array(String)}", ["n", "m"]),
        ("SELECT '{a:String}', \"{b:String}\", `{c:String}` -- {d:String}\n /* {e:String} */, $$ {f:text} $$", []),
        ("SELECT 'it''s', '\\'{a:String}', {b:String}", ["b"]),
        ("SELECT {'a': 1}, {a}, {1:String}", []),
        ("SELECT x FROM t WHERE day >= {from:Date} AND n % 2 = {until:int[]}", ["from", "until"]),
    ],
)
def test_placeholders(sql: str, names: list[str]) -> None:
    assert [one.name for one in placeholders(sql)] == names


def test_postgresql_gets_parameters_of_its_driver() -> None:
    made = prepared("SELECT n % 2, '100 %{x:String}' FROM t WHERE a = {a:String} AND b = {b:int[]}")
    assert made == "SELECT n %% 2, '100 %%{x:String}' FROM t WHERE a = %(a)s::text AND b = %(b)s::int[]"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Syntax error: failed at position 8 (x): x FORMAT JSONCompactEachRowWithNamesAndTypes. Expected",
            "Syntax error: failed at position 8 (x): x. Expected",
        ),
        ("ClickHouse at http://127.0.0.1:8123 cannot be reached: refused", "ClickHouse cannot be reached: refused"),
        ("PostgreSQL at db.internal:5432/events: too many", "PostgreSQL: too many"),
        ("Timeout exceeded (from 10.1.2.3:9000)", "Timeout exceeded"),
        ("`a` is not set (version 26.9 (embedded)) (for url http://127.0.0.1:1)", "`a` is not set"),
    ],
)  # fmt: skip
def test_errors_name_nothing_internal(said: str, told: str) -> None:
    assert shown(said) == told
