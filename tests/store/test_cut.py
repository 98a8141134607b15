"""How a batch is cut into inserts: a format, which no later version may change."""

from __future__ import annotations

from typing import Any

import pytest

from snowgauge.errors import StoreUnavailable
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.store import cut
from snowgauge.store.base import Part, Parts, StoreBatch
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.cut import divided, event_size, parts, parts_with, without
from snowgauge.testing.events import described, schema_violation, web_page_view

URI = "iglu:com.acme/x/jsonschema/1-0-0"


def sized(number: int) -> EnrichedEvent:
    """An event of this size, by the format's own count."""
    return EnrichedEvent(event_id="e", page_title="x" * (number - 1000))


def test_format_1() -> None:
    """These figures are what data folders and databases out there were written with."""
    assert event_size(EnrichedEvent()) == 1000
    named = EnrichedEvent(page_url="12345", page_referrer="1234", page_title="123", useragent="12", app_id="any")
    assert event_size(named) == 1014
    entity = described(URI, {"a": 1})
    assert entity.literal is not None
    assert event_size(EnrichedEvent(contexts=[entity], derived_contexts=[entity])) == 1000 + 4 * len(entity.literal)
    entity.literal = None
    assert event_size(EnrichedEvent(unstruct_event=entity)) == 1200
    entity.data = "12345"
    assert event_size(EnrichedEvent(unstruct_event=entity)) == 1005

    many = [EnrichedEvent() for _ in range(20_001)]
    assert parts(StoreBatch("b", many)) == Parts([Part(0, 20_000), Part(20_000, 1)], [], [], 0)
    large = [sized(12_000_000), sized(12_000_000), sized(1_001), sized(30_000_000), sized(1_001)]
    assert parts(StoreBatch("b", incomplete=large)).incomplete == [Part(0, 2), Part(2, 1), Part(3, 1), Part(4, 1)]
    failed = [schema_violation(1, record=bytes(2_000_000)) for _ in range(5)] + [schema_violation(1, record=None)]
    assert parts(StoreBatch("b", failed=failed)).failed == [Part(0, 3), Part(3, 3)]
    assert parts_with(StoreBatch("b", failed=failed[:2]), failed[2:]) == [Part(0, 3), Part(3, 3)]


def test_a_format_of_a_later_version_is_left_to_it() -> None:
    with pytest.raises(StoreUnavailable, match="later version"):
        parts(StoreBatch("b", [EnrichedEvent()], format=2))


def keeping(batch: StoreBatch, *gone: str) -> StoreBatch:
    def pruned(failed: FailedEvent) -> FailedEvent | None:
        return None if failed.id in gone else failed

    return without(batch, lambda event: event.app_id in gone, pruned)


def test_parts_stay_when_rows_are_taken_out() -> None:
    events = [sized(12_000_000) for _ in range(6)]
    for number, event in enumerate(events):
        event.app_id = str(number)
    batch = StoreBatch("b", events, [schema_violation(1), schema_violation(2)])
    assert keeping(batch) is batch
    fewer = keeping(batch, "0", "2", "3", batch.failed[0].id)
    cut = parts(fewer)
    assert [(number, [row.app_id for row in rows]) for number, rows in divided(fewer.events, cut.events)] == [
        (0, ["1"]),
        (4, ["4", "5"]),
    ]
    assert [number for number, _ in divided(fewer.failed, cut.failed)] == [0]
    again = keeping(fewer, "4")
    assert [number for number, _ in divided(again.events, parts(again).events)] == [0, 4]
    refused = [schema_violation(9)]
    assert parts_with(again, refused) == [Part(0, 1), Part(2, 1)]


@pytest.mark.parametrize("stored", [0, 1, 2, 3])
def test_an_erasure_between_two_tries_takes_nobody_else_with_it(
    clickhouse: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, stored: int
) -> None:
    """``stored`` parts of the first try arrived, the erased person's row among them or not."""
    monkeypatch.setattr(cut, "_ROWS", 3)
    batch = StoreBatch("b1", [web_page_view(n, user_id=f"u{n}") for n in range(8)])
    real, sent = clickhouse.connection.insert, [0]

    def insert(*given: Any, **named: Any) -> Any:
        if sent[0] == stored:
            raise StoreUnavailable("gone in the middle")
        sent[0] += 1
        return real(*given, **named)

    with monkeypatch.context() as broken:
        broken.setattr(clickhouse.connection, "insert", insert)
        with pytest.raises(StoreUnavailable):
            clickhouse.write(batch)
    clickhouse.write(without(batch, lambda event: event.user_id == "u1", lambda failed: failed))
    table = clickhouse.layout.name("events")
    rows = clickhouse.query(f"SELECT user_id FROM {table} WHERE user_id != 'u1' ORDER BY user_id").rows
    assert [user for (user,) in rows] == ["u0", "u2", "u3", "u4", "u5", "u6", "u7"]
