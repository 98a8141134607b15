"""Placeholders in the user's SQL."""

import pytest

from snowgauge.enrich.enrichments.sql_text import translate


@pytest.mark.parametrize(
    ("sql", "translated", "count"),
    [
        ("SELECT 1", "SELECT 1", 0),
        ("SELECT ?, ?", "SELECT %s, %s", 2),
        ("SELECT 5 % ?", "SELECT 5 %% %s", 1),
        ("SELECT '?', '%', 'it''s ?', ?", "SELECT '?', '%%', 'it''s ?', %s", 1),
        ('SELECT "a?" FROM t WHERE x = ?', 'SELECT "a?" FROM t WHERE x = %s', 1),
        ("SELECT ? -- why?\n, ?", "SELECT %s -- why?\n, %s", 2),
        ("SELECT /* ? */ ?", "SELECT /* ? */ %s", 1),
        ("SELECT ? /* never closed ?", "SELECT %s /* never closed ?", 1),
        ("SELECT 'never closed ?", "SELECT 'never closed %s", 1),
    ],
)
@pytest.mark.parametrize("mysql", [False, True])
def test_question_marks_become_parameters_outside_of_text(sql, translated, count, mysql):
    assert translate(sql, mysql=mysql) == (translated, count)


@pytest.mark.parametrize(
    ("sql", "translated", "count"),
    [
        ("SELECT j ?? 'k', ?", "SELECT j ? 'k', %s", 1),
        ("SELECT $$ ? $$, $tag$ ? $$ ? $tag$, ?", "SELECT $$ ? $$, $tag$ ? $$ ? $tag$, %s", 1),
        (r"SELECT E'it\'s ?', ?", r"SELECT E'it\'s ?', %s", 1),
        (r"SELECT 'a\', ?", r"SELECT 'a\', %s", 1),
    ],
)
def test_what_only_postgresql_has(sql, translated, count):
    assert translate(sql) == (translated, count)


@pytest.mark.parametrize(
    ("sql", "translated", "count"),
    [
        ("SELECT `a?` # why?\n, ?", "SELECT `a?` # why?\n, %s", 1),
        (r"SELECT 'it\'s ?', ?", r"SELECT 'it\'s ?', %s", 1),
        ("SELECT ??", "SELECT %s%s", 2),
    ],
)
def test_what_only_mysql_has(sql, translated, count):
    assert translate(sql, mysql=True) == (translated, count)
