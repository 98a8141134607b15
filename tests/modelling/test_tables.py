"""The definitions of the modelled tables hold together."""

from __future__ import annotations

import pytest

from snowgauge.modelling.definition import Table
from snowgauge.modelling.reference import markdown
from snowgauge.modelling.tables import OF_UNITS, PAGE_VIEWS, TABLES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.name))
def test_what_a_table_says_of_its_columns_are_columns_of_it(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)
    named = {*table.key, *table.sorted_by, *table.search, *([table.day] if table.day else [])}
    assert named <= set(table.names)


@pytest.mark.parametrize("table", OF_UNITS, ids=lambda table: str(table.name))
def test_what_is_made_of_events_can_be_replaced_by_its_unit(table: Table) -> None:
    assert {"unit", "model_version", "modelled_at"} <= set(table.names)
    assert "unit" in table.search
    # ClickHouse tells rows by the sorting key, so the key must be in it or follow from it
    assert table.day in table.sorted_by


def test_a_view_shows_columns_of_its_source() -> None:
    views = [table for table in TABLES if table.kind == "view"]
    assert [view.source for view in views] == [PAGE_VIEWS.name]
    for view in views:
        assert {column.definition.strip("`") for column in view.columns} <= set(PAGE_VIEWS.names)


def test_the_reference_has_every_column() -> None:
    page = markdown()
    for table in TABLES:
        section = page.split(f"## derived.{table.name}\n")[1].split("\n## ")[0]
        assert all(f"| `{column.name}` |" in section for column in table.columns)
