"""Blocks of columns hold what rows hold, and say which values they cannot hold."""

from __future__ import annotations

from typing import Any

import pytest

from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.store.base import StoreBatch
from snowgauge.store.clickhouse.blocks import Odd, block
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.events import NOON, described, web_page_view

URI = "iglu:com.acme/anything/jsonschema/1-0-0"
DATA: tuple[Any, ...] = (
    {"aName": "x", "b": 1.5, "c": None, "d": True, "e": 2**63},
    {"aB": 1, "a_b": 2},
    {"big": 2**70, "_schema_version": "mine"},
    {"nested": {"List": [1, {"deepKey": "\ud800"}]}, "": "", "1": 1},
    {"lone": "\udfff"},
    ["list"],
    None,
)
_VALUES: dict[str, tuple[Any, ...]] = {
    "string": ("", "text", "\ud800 lone", "\0 zero", "é" * 70, "long " * 4000),
    "timestamp": (0, -86_400_001, NOON + 1, 4_102_444_800_000),
    "int": (0, -(2**31), 2**31 - 1),
    "boolean": (True, False),
    "decimal": ("0", "10.005", "-3", "1E+3", "0.0000001", "99999999999999.99"),
    "float": (0.0, -33.125, 179.99),
}


def full(number: int) -> EnrichedEvent:
    """An event with most columns set, by turns."""
    event = web_page_view(number)
    for place, field in enumerate(ATOMIC_FIELDS):
        values = _VALUES.get(field.kind)
        if values and field.name != "collector_tstamp":
            value = (*values, None)[(number + place) % (len(values) + 1)]
            setattr(event, field.name, value or None if value == "" else value)
    return event


def test_blocks_hold_what_rows_hold(clickhouse: ClickHouseStore) -> None:
    events = [full(n) for n in range(40)]
    events += [web_page_view(100 + n, app_id=f"app {n}", br_lang=None) for n in range(300)]
    for n, data in enumerate(DATA):
        entity = described(URI, data)
        events.append(web_page_view(500 + n, contexts=[entity, entity], unstruct_event=entity, derived_contexts=[]))
    writer = clickhouse._ready_writer()
    writer.schemas.prepare(events)
    assert writer._insert_block("events", events, "block")
    assert writer._insert_rows("incomplete_events", events, "rows") == []
    layout = clickhouse.layout
    by_block, by_row = (
        clickhouse.connection.raw(
            f"SELECT * EXCEPT (load_tstamp) FROM {layout.name(table)} ORDER BY event_id", "JSONEachRow"
        )
        for table in ("events", "incomplete_events")
    )
    assert by_block.splitlines() == by_row.splitlines()
    assert len(by_block.splitlines()) == len(events)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("event_id", "no-uuid"),
        ("event_id", "5e1f4c9a 0b1d-4e5f-8a6b-7c8d9e0f1a2b"),
        ("event_id", "5e1f4c9a-0b1d-4e5f-8a6b-7c8d9e0f1a2 "),
        ("event_id", None),
        ("txn_id", 2**40),
        ("tr_total", "much"),
        ("tr_total", "1" + "0" * 16),
        ("dvce_created_tstamp", -62_167_219_200_000),
        ("true_tstamp", 253_402_300_799_999),
    ],
)
def test_what_a_block_cannot_hold_is_left_to_rows(clickhouse: ClickHouseStore, column: str, value: Any) -> None:
    events = [web_page_view(n) for n in range(3)]
    setattr(events[1], column, value)
    with pytest.raises(Odd):
        block(events, clickhouse._ready_writer().schemas)
    result = clickhouse.write(StoreBatch(f"odd-{column}-{value}", events))
    assert result.events + result.refused == 3
    assert result.events >= 2


FLAT: tuple[dict[str, Any], ...] = (
    {"text": "x", "whole": 1, "broken": 1.5, "yes": True, "none": None},
    {"text": "", "whole": -(2**63), "broken": 1e300, "yes": False, "late": "1"},
    {"text": 2, "whole": 2**63 - 1, "broken": 3, "yes": "2024-05-01", "otherCase": "\ud800 é \0"},
    {},
    {"text": False, "whole": 2.0, "broken": "1.5", "yes": 0, "none": None, "otherCase": "long " * 90},
    {"text": ["a", "é"], "whole": 0, "list": []},
    {"list": ["only"], "otherCase": None},
)


@pytest.mark.parametrize("uri", ["iglu:com.acme/flat/jsonschema/1-0-0", "iglu:com.acme/even/jsonschema/1-0-1"])
def test_json_taken_apart_is_what_the_engine_makes_of_its_text(clickhouse: ClickHouseStore, uri: str) -> None:
    """Values and their types, at every path, for arrays of objects and for single ones."""
    events = [web_page_view(n, contexts=[], derived_contexts=[]) for n in range(4)]
    several = FLAT if "flat" in uri else [dict.fromkeys(("a", "b"), value) for value in ("x", "y" * 200, "x")]
    for n, data in enumerate(several):
        entity = described(uri, data)
        events.append(web_page_view(10 + n, contexts=[entity] * n, unstruct_event=entity, derived_contexts=[entity]))
    writer = clickhouse._ready_writer()
    writer.schemas.prepare(events)
    columns, data = block(events, writer.schemas)
    kinds = [name for name in columns if name.startswith(("contexts_", "unstruct_event_"))]
    assert len(kinds) == 2
    assert data.count(b"JSON") == 2
    assert writer._insert_block("events", events, "block")
    assert writer._insert_rows("incomplete_events", events, "rows") == []
    layout = clickhouse.layout
    own, entities = sorted(kinds, reverse=True)
    asked = (
        f"SELECT event_id, `{own}`, JSONAllPathsWithTypes(`{own}`), `{entities}`, "
        f"arrayMap(x -> JSONAllPathsWithTypes(x), `{entities}`) FROM {{}} ORDER BY event_id"
    )
    by_block, by_row = (
        clickhouse.connection.raw(asked.format(layout.name(table)), "TSV") for table in ("events", "incomplete_events")
    )
    assert by_block.splitlines() == by_row.splitlines()
    assert len(by_block.splitlines()) == len(events)
