"""What every store promises about rows leaving it."""

from __future__ import annotations

from typing import Any

import pytest

from snowgauge.store.base import Selection, Store, StoreBatch
from snowgauge.store.lifetime import Apps, Lifetime, Search, row_key
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view

ALL = Selection()
DAY = 86_400_000


@pytest.fixture
def lifetime(store: Store) -> Lifetime:
    return store.lifetime()


def event(number: int, **columns: Any) -> Any:
    return web_page_view(number, **{"contexts": [], "derived_contexts": [], "unstruct_event": None, **columns})


def test_rows_come_back_as_they_were_written(store: Store, lifetime: Lifetime) -> None:
    good = [web_page_view(n, tr_total="9.50", se_value="1.5", geo_latitude=52.5, br_cookies=True) for n in range(5)]
    failed = [schema_violation(n, message="a\tb\\c'd", event_index=n) for n in range(3)]
    incomplete = [event(n, event_id=None) for n in (50,)]
    store.write(StoreBatch("b", good, failed, incomplete))
    assert list(lifetime.scan("good")) == good
    assert list(lifetime.scan("failed")) == failed
    assert list(lifetime.scan("incomplete")) == incomplete
    assert list(lifetime.scan("good", since=NOON + 1000, until=NOON + 3000)) == good[1:3]


def test_a_search_finds_every_row_that_could_mention_a_value(store: Store, lifetime: Lifetime) -> None:
    value = "Ünï-Ann@example.com"
    uri = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
    escaped = described(uri, {"id": value})
    escaped.literal = '{"id":"\\u00dcn\\u00ef-Ann@example.com"}'
    rows = [
        event(0, user_id=value),
        event(1, domain_userid=value.lower()),
        event(2, contexts=[described(uri, {"id": value})]),
        event(3, contexts=[escaped]),
        event(4, page_url=f"https://x.example/?m={value}"),
        event(5),
        event(6, se_label=f"hello {value}!"),
    ]
    store.write(StoreBatch("b", rows))
    narrow = {row_key(row) for row in lifetime.scan("good", search=Search([value.lower()]))}
    assert {row_key(row) for row in rows[:5]} <= narrow
    wide = {row_key(row) for row in lifetime.scan("good", search=Search([value.lower()], everywhere=True))}
    assert {row_key(row) for row in (*rows[:5], rows[6])} <= wide


def test_deleting_takes_out_these_rows_and_no_others_and_may_be_repeated(store: Store, lifetime: Lifetime) -> None:
    rows = [web_page_view(n) for n in range(10)]
    failed = [schema_violation(n) for n in range(4)]
    incomplete = [event(n) for n in range(20, 24)]
    store.write(StoreBatch("b", rows, failed, incomplete))
    # the same event resent beyond the window of PostgreSQL's deduplication is another row
    store.write(StoreBatch("c", [web_page_view(3, collector_tstamp=NOON + 8 * DAY)]))
    for _ in range(2):
        lifetime.delete("good", [row_key(row) for row in rows[::2]])
        lifetime.delete("failed", [row_key(row) for row in failed[:1]])
        lifetime.delete("incomplete", [row_key(row) for row in incomplete[1:]])
        assert lifetime.settle()
        assert [row.event_id for row in lifetime.scan("good")] == [row.event_id for row in (*rows[1::2], rows[3])]
        assert list(lifetime.scan("failed")) == failed[1:]
        assert list(lifetime.scan("incomplete")) == incomplete[:1]
    assert store.count("good", ALL) == 5
    lifetime.delete("good", [])


def test_records_of_failed_events_are_replaced(store: Store, lifetime: Lifetime) -> None:
    failed = [schema_violation(n) for n in range(3)]
    store.write(StoreBatch("b", [], failed))
    lifetime.set_records({failed[0].id: b"new\x00'\\", failed[1].id: None})
    assert [row.record for row in lifetime.scan("failed")] == [b"new\x00'\\", None, failed[2].record]  # type: ignore[union-attr]


@pytest.mark.parametrize("before", [NOON, NOON + 1, NOON + 40 * DAY, NOON - 100 * DAY])
def test_expiry_is_exact_to_the_millisecond_over_partitions_and_applications(
    store: Store, lifetime: Lifetime, before: int
) -> None:
    times = [NOON - 70 * DAY, NOON - 31 * DAY, NOON - 1, NOON, NOON + 1, NOON + 31 * DAY]
    apps = ["a", "b", None]
    good = [event(n, collector_tstamp=times[n % 6], app_id=apps[n % 3]) for n in range(18)]
    failed = [schema_violation(n, collector_tstamp=times[n % 6], app_id=apps[n % 3]) for n in range(18)]
    incomplete = [event(100 + n, collector_tstamp=times[n % 6], app_id=apps[n % 3]) for n in range(18)]
    store.write(StoreBatch("x", good, failed, incomplete))
    for kind, rows in (("good", good), ("failed", failed), ("incomplete", incomplete)):
        here: list[Any] = list(rows)
        for rule in (Apps(("a", "zz"), "only"), Apps(("", "a"), "but"), Apps()):
            past = [row for row in here if row.collector_tstamp < before and rule.has(row.app_id)]
            assert lifetime.expired(kind, before, rule).rows == len(past)  # type: ignore[arg-type]
            assert lifetime.expire(kind, before, rule).rows == len(past)  # type: ignore[arg-type]
            here = [row for row in here if row not in past]
            assert sorted(map(row_key, lifetime.scan(kind))) == sorted(map(row_key, here))  # type: ignore[arg-type]
        assert lifetime.expired(kind, before, Apps()).rows == 0  # type: ignore[arg-type]


def test_request_records_can_go_before_their_failed_events(store: Store, lifetime: Lifetime) -> None:
    failed = [schema_violation(n, collector_tstamp=NOON + n * DAY, app_id="a" if n % 2 else "b") for n in range(6)]
    store.write(StoreBatch("x", [], failed))
    assert lifetime.expired_records(NOON + 4 * DAY, Apps(("a",), "only")) == 2
    assert lifetime.expire_records(NOON + 4 * DAY, Apps(("a",), "only")) == 2
    assert [row.record is None for row in lifetime.scan("failed")] == [False, True, False, True, False, False]  # type: ignore[union-attr]
    assert lifetime.expire_records(NOON + 4 * DAY, Apps(("a",), "only")) == 0
