"""What every store promises, as tests: a backend inherits ``StoreContract`` and gives a fixture ``store``."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest

from snowgauge.errors import QueryRefused
from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.events.timestamps import parse_ms
from snowgauge.store.base import FailedUpdate, Selection, Store, StoreBatch, WriteResult
from snowgauge.store.canonical import Recovery, event_json, failed_json
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view
from snowgauge.testing.selections import BUY, CART, FILTERS, NESTED, WRONG_FILTERS, where

ALL = Selection()
TEXTS = ["Привет, 世界 🌍", "a\tb\nc\\d'e\"f`g", "x" * 200_000, "\u0001\u200b\ufeff end", "{a:String} %(x)s ?", "\\N"]


class StoreContract:
    """Inherit as ``class TestX(StoreContract)`` and define the fixture ``store`` giving an empty, migrated store."""

    def test_what_was_written_is_read_back_whole(self, store: Store) -> None:
        event = web_page_view(1, se_value="12.5", tr_total="99.9", br_features_pdf=False, geo_latitude=52.5)
        failed = schema_violation(1)
        result = store.write(StoreBatch("b1", [event], [failed], [web_page_view(2)]))
        assert result == WriteResult(events=1, failed=1, incomplete=1)
        assert store.events("good", ALL) == [event_json(event)]
        assert store.events("failed", ALL) == [failed_json(failed)]
        assert store.events("incomplete", ALL) == [event_json(web_page_view(2))]
        assert store.event(str(event.event_id)) == event_json(event)
        assert store.failed_event(failed.id) == failed_json(failed)

    def test_every_column_keeps_its_value(self, store: Store) -> None:
        values: dict[str, Any] = {}
        for at, field in enumerate(ATOMIC_FIELDS):
            values[field.name] = {
                "string": f"v{at}"[: field.max_length or 99],
                "uuid": "2dfeb9b7-5a87-4214-8a97-a8b23176856b",
                "timestamp": NOON + at,
                "int": -at,
                "boolean": at % 2 == 0,
                "decimal": f"{at}.25",
                "float": at + 0.5,
                "event": described("iglu:com.acme/cart/jsonschema/1-0-1", {"a": 1.5}),
                "entities": [described("iglu:com.acme/user/jsonschema/2-0-0", {"b": [1, "x", None]})],
            }[field.kind]
        event = web_page_view(1, **values)
        store.write(StoreBatch("b1", [event]))
        assert store.events("good", ALL) == [event_json(event)]

    def test_what_is_not_set_is_none(self, store: Store) -> None:
        bare = web_page_view(1)
        for field in ATOMIC_FIELDS:
            if field.name not in ("event_id", "collector_tstamp"):
                setattr(bare, field.name, [] if field.kind == "entities" else None)
        store.write(StoreBatch("b1", [bare]))
        assert store.events("good", ALL) == [event_json(bare)]

    def test_an_unknown_id_is_none(self, store: Store) -> None:
        assert store.event("2dfeb9b7-5a87-4214-8a97-a8b23176856b") is None
        assert store.event("no uuid' OR 1") is None
        assert store.failed_event("") is None

    def test_a_batch_written_twice_changes_nothing(self, store: Store) -> None:
        batch = StoreBatch("b1", [web_page_view(n) for n in range(20)], [schema_violation(1)], [web_page_view(99)])
        first = store.write(batch)
        again = store.write(batch)
        assert not first.repeated
        assert again == WriteResult(20, 1, 1, 0, repeated=True)
        assert (store.count("good", ALL), store.count("failed", ALL), store.count("incomplete", ALL)) == (20, 1, 1)

    def test_an_empty_batch_is_remembered_too(self, store: Store) -> None:
        assert store.write(StoreBatch("b0")) == WriteResult(0, 0, 0)
        assert store.write(StoreBatch("b0")).repeated

    def test_a_batch_over_several_months_is_stored_once(self, store: Store) -> None:
        month = 31 * 86_400_000
        events = [web_page_view(n, collector_tstamp=NOON - n * month) for n in range(14)]
        store.write(StoreBatch("b1", events))
        store.write(StoreBatch("b1", events))
        assert store.count("good", ALL) == 14

    def test_one_event_sent_twice_counts_once(self, store: Store) -> None:
        store.write(StoreBatch("b1", [web_page_view(1)]))
        store.write(StoreBatch("b2", [web_page_view(1, collector_tstamp=NOON + 60_000), web_page_view(2)]))
        assert store.count("good", ALL) == 2
        assert len(store.events("good", ALL)) == 2
        assert sum(bucket.count for bucket in store.count_by("good", "app_id", ALL)) == 2

    def test_text_is_kept_as_it_is(self, store: Store) -> None:
        uri = "iglu:com.acme/note/jsonschema/1-0-0"
        events = [
            web_page_view(n, page_title=text, se_label=text, unstruct_event=described(uri, {"text": text}))
            for n, text in enumerate(TEXTS)
        ]
        store.write(StoreBatch("b1", events, [schema_violation(n, message=text) for n, text in enumerate(TEXTS)]))
        for event, text in zip(events, TEXTS, strict=True):
            assert store.events("good", where("page_title", "in", text)) == [event_json(event)]
        assert [row["message"] for row in store.events("failed", ALL, newest_first=False)] == TEXTS

    def test_hostile_json_harms_nobody(self, store: Store) -> None:
        deep: Any = 1
        for _ in range(30):
            deep = {"d": [deep]}
        hostile = [
            {"a.b": 1, "a": {"b": 2}},
            {"fooBar": 1, "foo_bar": 2, "FooBar": 3},
            {"": 1, " ": 2, "1": 3, "ключ": 4, "a`b'c\"d\\e": 5},
            {"n": 2**70, "m": -(2**70), "f": 1e308, "z": -0.0},
            {"t": "2026-01-01T00:00:00Z", "u": "2026-01-01"},
            {"x": 1},
            {"x": "text"},
            {"x": {"y": [1, "two", None, {}]}},
            {"_schema_version": "mine", "null": None, "e": {}, "l": []},
            deep,
            [1, 2, 3],
            "text",
            None,
        ]
        uri = "iglu:com.acme/hostile/jsonschema/1-0-0"
        events = [
            web_page_view(n, contexts=[described(uri, data), described(uri, data)], unstruct_event=described(uri, data))
            for n, data in enumerate(hostile)
        ]
        assert store.write(StoreBatch("b1", events)).events == len(hostile)
        assert store.events("good", ALL, newest_first=False) == [event_json(event) for event in events]

    def test_refused_rows_become_failed_events_and_their_neighbours_are_stored(self, store: Store) -> None:
        events = [web_page_view(n) for n in range(40)]
        events[7].event_id = "no-uuid"
        events[23].txn_id = 2**40
        batch = StoreBatch("b1", events, [schema_violation(1)])
        assert store.write(batch) == WriteResult(events=38, failed=1, incomplete=0, refused=2)
        assert store.count("good", ALL) == 38
        filed = store.events("failed", where("failure_type", "in", "loader_runtime_error"))
        assert len(filed) == 2
        assert {one["data"]["payload"]["event_id"] for one in filed} == {"no-uuid", events[23].event_id}
        assert all(isinstance(one["data"]["failure"], str) and one["message"] for one in filed)
        payload = filed[0]["data"]["payload"]
        assert list(payload) == [field.name for field in ATOMIC_FIELDS]
        assert payload["collector_tstamp"].endswith("Z")
        assert payload["ti_price"] is None
        assert store.write(batch) == WriteResult(38, 1, 0, 2, repeated=True)
        assert store.count("failed", ALL) == 3

    def test_a_time_range_has_its_start_and_not_its_end(self, store: Store) -> None:
        store.write(StoreBatch("b1", [web_page_view(n) for n in range(10)], [schema_violation(n) for n in range(10)]))
        some = Selection(since=NOON + 2000, until=NOON + 5000)
        for kind in ("good", "failed"):
            assert store.count(kind, some) == 3
            found = [row["collector_tstamp"] for row in store.events(kind, some)]
            assert found == ["2024-05-01 12:00:04.000", "2024-05-01 12:00:03.000", "2024-05-01 12:00:02.000"]

    def test_pages_follow_each_other(self, store: Store) -> None:
        store.write(StoreBatch("b1", [web_page_view(n) for n in range(10)]))
        pages = [store.events("good", ALL, limit=4, offset=at) for at in (0, 4, 8)]
        assert [row for page in pages for row in page] == store.events("good", ALL)
        assert store.events("good", ALL, newest_first=False) == store.events("good", ALL)[::-1]
        for kept in ("app_id", "contexts"):
            named = [(row["event_id"], row["collector_tstamp"], row[kept]) for row in store.events("good", ALL)]
            some = store.events("good", ALL, columns={kept})
            assert [(row["event_id"], row["collector_tstamp"], row[kept]) for row in some] == named

    def test_filters(self, store: Store) -> None:
        none: dict[str, Any] = {"dvce_created_tstamp": None, "contexts": [], "br_cookies": None, "page_title": None}
        user = described("iglu:com.acme/user/jsonschema/1-0-0", {"a": 1})
        columns: list[dict[str, Any]] = [
            {"app_id": "a", "txn_id": 5, "br_cookies": True, "tr_total": "10.50", "se_value": "0.5",
             "page_title": "Hello World", "dvce_created_tstamp": NOON},
            {"app_id": "b", "txn_id": 6, "br_cookies": False, "tr_total": "11", "se_value": "0.25",
             "page_title": "Привет", "dvce_created_tstamp": NOON + 1000},
            {"app_id": None, "txn_id": 7, "page_title": "100 %"},
            {"app_id": None, "txn_id": None, "contexts": [user]},
        ]  # fmt: skip
        store.write(StoreBatch("b1", [web_page_view(n, **{**none, **row}) for n, row in enumerate(columns)]))
        for selection, expected in FILTERS:
            ids = [web_page_view(n).event_id for n in expected]
            found = [row["event_id"] for row in store.events("good", selection, newest_first=False)]
            assert found == ids, selection
            assert store.count("good", selection) == len(expected), selection

    def test_a_wrong_filter_is_refused_by_name(self, store: Store) -> None:
        for selection in WRONG_FILTERS:
            with pytest.raises(QueryRefused, match=r"column|filter"):
                store.count("good", selection)

    def test_counts_by_column(self, store: Store) -> None:
        apps = ["b", "a", None, "a", "b", "a", "c"]
        store.write(StoreBatch("b1", [web_page_view(n, app_id=app, txn_id=n % 2) for n, app in enumerate(apps)]))
        buckets = store.count_by("good", "app_id", ALL)
        assert [(bucket.key, bucket.count) for bucket in buckets] == [("a", 3), ("b", 2), ("c", 1), (None, 1)]
        assert (buckets[0].first, buckets[0].last) == (NOON + 1000, NOON + 5000)
        assert [bucket.key for bucket in store.count_by("good", "app_id", ALL, limit=2)] == ["a", "b"]
        assert [(bucket.key, bucket.count) for bucket in store.count_by("good", "txn_id", ALL)] == [(0, 4), (1, 3)]
        assert store.count_by("good", "collector_tstamp", ALL, limit=1)[0].key == "2024-05-01 12:00:00.000"
        assert [bucket.key for bucket in store.count_by("good", "br_cookies", ALL)] == [True]

    def test_nested_columns(self, store: Store) -> None:
        """Properties of entities and of self-describing events are filtered and counted by, like any column."""
        cart, buy = "iglu:com.acme/cart/jsonschema/1-0-{}", "iglu:com.acme/buy/jsonschema/{}-0-0"
        first = {
            "total": 12.50, "gift": True, "note": "100 % \\ \"x\"", "tags": ["a", "b", "b"], "owner": {"name": "ada"},
        }  # fmt: skip
        second = [
            {"total": 3, "gift": False, "note": "Привет", "tags": "b", "a/b:c": "odd"},
            {"total": 1e3, "note": "", "tags": [1, None, {"q": 1}], "owner": None},
        ]
        events = [
            web_page_view(0, app_id="a", contexts=[described(cart.format(1), first)], derived_contexts=[],
                          unstruct_event=described(buy.format(2), {"sku": "x"})),
            web_page_view(1, app_id="b", contexts=[described(cart.format(0), second[0])],
                          derived_contexts=[described(cart.format(2), second[1])]),
            web_page_view(2, contexts=[described("iglu:com.acme/cart/jsonschema/2-0-0", {"total": 7})],
                          derived_contexts=[], unstruct_event=described(buy.format(1), {"sku": "old"})),
            web_page_view(3),
        ]  # fmt: skip
        store.write(StoreBatch("b1", events, incomplete=[events[0]]))
        for selection, wanted in NESTED:
            found = store.events("good", selection, newest_first=False)
            assert [row["event_id"] for row in found] == [events[n].event_id for n in wanted], selection
            assert store.count("good", selection) == len(wanted), selection
        assert store.count("incomplete", NESTED[0][0]) == 1
        counts = {
            f"{CART}/total": [("1000", 1), ("12.5", 1), ("3", 1), (None, 2)],
            f"{CART}/tags": [("b", 2), ("1", 1), ("a", 1), (None, 2)],
            f"{BUY}/sku": [("x", 1), (None, 3)],
            CART: [("1-0-0", 1), ("1-0-1", 1), ("1-0-2", 1), (None, 2)],
            BUY: [("2-0-0", 1), (None, 3)],
        }
        for column, wanted_counts in counts.items():
            buckets = sorted(store.count_by("good", column, ALL), key=lambda one: one.key is None)
            assert [(bucket.key, bucket.count) for bucket in buckets] == wanted_counts, column
        within = store.count_by("good", f"{CART}/tags", where("app_id", "in", "b"), limit=1)
        assert [(bucket.key, bucket.first) for bucket in within] == [("1", NOON + 1000)]
        with pytest.raises(QueryRefused):
            store.count_by("failed", f"{CART}/total", ALL)

    def test_counts_by_schema_of_entities(self, store: Store) -> None:
        nested = {"schema": "iglu:com.acme/inside/jsonschema/1-0-0", "text": '\u0000\u0000b"\\u0000\\\u0000'}
        extra = described("iglu:com.acme/outside/jsonschema/1-0-0", nested)
        events = [web_page_view(n) for n in range(3)]
        events.append(web_page_view(3, contexts=[extra, extra], derived_contexts=[]))
        events.append(web_page_view(4, contexts=[], derived_contexts=[]))
        store.write(StoreBatch("b1", events, incomplete=[web_page_view(9, contexts=[extra], derived_contexts=[])]))
        found = [(bucket.key, bucket.count) for bucket in store.entity_counts("good", ALL)]
        assert found == [
            ("iglu:com.snowplowanalytics.snowplow/ua_parser_context/jsonschema/1-0-0", 3),
            ("iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0", 3),
            ("iglu:org.w3/PerformanceTiming/jsonschema/1-0-0", 3),
            ("iglu:com.acme/outside/jsonschema/1-0-0", 1),
        ]
        assert [bucket.count for bucket in store.entity_counts("incomplete", ALL)] == [1]
        since = store.entity_counts("good", Selection(NOON + 2000, NOON + 3000), limit=1)
        assert [(bucket.count, bucket.first, bucket.last) for bucket in since] == [(1, NOON + 2000, NOON + 2000)]

    def test_failed_events_by_type(self, store: Store) -> None:
        failed = [schema_violation(n, failure_type="adapter_failures" if n % 3 else "schema_violations", app_id=None,
                                   collector_tstamp=None, record=None, event_id=None) for n in range(9)]  # fmt: skip
        store.write(StoreBatch("b1", failed=failed))
        found = store.count_by("failed", "failure_type", ALL)
        assert [(bucket.key, bucket.count) for bucket in found] == [("adapter_failures", 6), ("schema_violations", 3)]
        assert store.events("failed", ALL, limit=1) == [failed_json(failed[8])]
        assert store.count("failed", where("event_id", "none")) == 9
        assert store.count("failed", where("status", "in", "open")) == 9

    def test_marking_failed_events_changes_nothing_else_of_them(self, store: Store) -> None:
        failed = [schema_violation(n, seed=f"b1/{n}", event_index=n) for n in range(4)]
        store.write(StoreBatch("b1", failed=failed))
        done = FailedUpdate(failed[1].id, "recovered", NOON + 77, "run-1", into=[str(failed[1].event_id)])
        again = FailedUpdate(failed[2].id, "open", NOON + 78, "run-1", "still wrong", message="other", schema="")
        unknown = FailedUpdate("00000000-0000-4000-8000-000000000001", "recovered", NOON, "run-1")
        assert store.mark_failed([done, again, unknown]) == 2
        first = Recovery().after(done)
        assert store.failed_event(failed[1].id) == failed_json(failed[1], first)
        second = Recovery().after(again)
        changed = msgspec.structs.replace(failed[2], message="other", schema=None)
        assert store.failed_event(failed[2].id) == failed_json(changed, second)
        assert store.failed_event(failed[0].id) == failed_json(failed[0])
        assert store.count("failed", ALL) == 4
        assert [row["id"] for row in store.events("failed", where("status", "in", "recovered"))] == [failed[1].id]
        assert store.mark_failed([done]) == 1
        assert store.failed_event(failed[1].id) == failed_json(failed[1], first.after(done))
        # a batch that comes again does not undo it
        store.write(StoreBatch("b2", failed=failed[:2]))
        found = store.failed_event(failed[1].id)
        assert found is not None
        assert found["status"] == "recovered"
        assert store.mark_failed([]) == 0

    def test_failed_events_are_read_in_pieces_and_may_change_meanwhile(self, store: Store) -> None:
        # many of one time: the order needs more than the time
        failed = [schema_violation(n, collector_tstamp=NOON + n // 300) for n in range(450)]
        store.write(StoreBatch("b1", failed=failed))
        seen = []
        for row in store.failed_events(where("status", "in", "open")):
            seen.append(row["id"])
            if len(seen) % 50 == 0:
                store.mark_failed([FailedUpdate(one, "recovered", NOON, "run") for one in seen[-50:]])
        assert sorted(seen) == sorted(one.id for one in failed)
        assert store.count("failed", where("status", "in", "open")) == 0
        expected = failed_json(failed[0])
        found = [row for row in store.failed_events(ALL) if row["id"] == failed[0].id]
        assert found[0]["record"] == expected["record"]
        assert store.count_by("failed", "cause", ALL)[0].key == expected["cause"]

    def test_which_events_are_stored(self, store: Store) -> None:
        events = [web_page_view(n * 40_000) for n in range(1500)]  # more than a year
        store.write(StoreBatch("b1", events))
        asked = [(str(event.event_id), int(event.collector_tstamp or 0)) for event in events]
        other = [(event_id, at + 1) for event_id, at in asked[:5]] + [(str(schema_violation(1).event_id), NOON)]
        assert store.stored([*asked, *other]) == set(asked)
        assert store.stored(other) == set()
        assert store.stored([]) == set()

    def test_timeline(self, store: Store) -> None:
        store.write(StoreBatch("b1", [web_page_view(n) for n in (0, 1, 59, 60, 200)]))
        buckets = store.timeline("good", ALL, seconds=60)
        assert [(bucket.key, bucket.count) for bucket in buckets] == [
            (NOON, 3),
            (NOON + 60_000, 1),
            (NOON + 180_000, 1),
        ]
        assert (buckets[0].first, buckets[0].last) == (NOON, NOON + 59_000)

    def test_an_empty_store_answers(self, store: Store) -> None:
        assert store.ready()
        assert store.count("good", ALL) == 0
        assert store.events("incomplete", ALL) == []
        assert store.count_by("failed", "failure_type", ALL) == []
        assert store.timeline("good", ALL, seconds=60) == []

    def test_several_writers_at_once(self, store: Store) -> None:
        """Including the same new schema met by all of them, and every batch written twice."""

        def work(writer: int) -> None:
            for number in range(4):
                start = (writer * 4 + number) * 10
                uri = f"iglu:com.acme/entity_{number}/jsonschema/1-0-0"
                events = [web_page_view(n, contexts=[described(uri, {"n": n})]) for n in range(start, start + 10)]
                batch = StoreBatch(f"w{writer}-{number}", events, [schema_violation(start)])
                store.write(batch)
                store.write(batch)

        errors: list[BaseException] = []

        def guarded(writer: int) -> None:
            try:
                work(writer)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=guarded, args=(writer,)) for writer in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert store.count("good", ALL) == 160
        assert store.count("failed", ALL) == 16

    def test_a_thousand_schemas(self, store: Store) -> None:
        events = [
            web_page_view(n, contexts=[described(f"iglu:com.acme/thing_{n}/jsonschema/1-0-0", {"n": n})])
            for n in range(1000)
        ]
        assert store.write(StoreBatch("b1", events)).events == 1000
        assert store.count("good", ALL) == 1000
        assert store.count("good", where("contexts", "contains", "thing_999/")) == 1
        found = store.event(str(events[999].event_id))
        assert found == event_json(events[999])

    def test_very_many_and_very_long_entities(self, store: Store) -> None:
        """In their order, whole, and each event counted once for a schema."""
        uri = "iglu:com.acme/item/jsonschema/1-0-0"
        many = [described(uri, {"n": n, "name": f"Ware {n} – 商品"}) for n in range(1500)]
        long = described("iglu:com.acme/page/jsonschema/1-0-0", {"text": "ü\t'\\\"\n" * 100_000})
        deep = described("iglu:com.acme/tree/jsonschema/1-0-0", {"list": [[n] * 10 for n in range(2000)]})
        events = [
            web_page_view(0, contexts=many, derived_contexts=many[:300]),
            web_page_view(1, contexts=[long, deep], unstruct_event=long),
            web_page_view(2, contexts=[many[7]], derived_contexts=[]),
        ]
        assert store.write(StoreBatch("b1", events)) == WriteResult(events=3, failed=0, incomplete=0)
        assert store.events("good", ALL, newest_first=False) == [event_json(event) for event in events]
        counts = {bucket.key: bucket.count for bucket in store.entity_counts("good", ALL)}
        assert (counts[uri], counts[long.schema.uri], counts[deep.schema.uri]) == (2, 1, 1)

    def test_days_and_hours_are_those_of_utc(self, store: Store) -> None:
        """Whatever the zone of the server: also in hours that its summer time leaves out or has twice."""
        hours = ["2024-03-31T00:30", "2024-03-31T01:30", "2024-03-31T02:30", "2024-10-27T00:30", "2024-10-27T01:30",
                 "2024-03-10T02:30", "2024-12-31T23:59", "2025-01-01T00:00"]  # fmt: skip
        instants = [parse_ms(f"{hour}:00.123Z") for hour in hours]
        times: Any = [
            web_page_view(n, collector_tstamp=at, derived_tstamp=at, dvce_created_tstamp=at, true_tstamp=at)
            for n, at in enumerate(instants)
        ]
        failed = [schema_violation(n, collector_tstamp=at) for n, at in enumerate(instants)]
        store.write(StoreBatch("b1", times, failed))
        for kind in ("good", "failed"):
            found = sorted(row["collector_tstamp"] for row in store.events(kind, ALL))
            assert found == sorted(f"{hour.replace('T', ' ')}:00.123" for hour in hours)
            day = Selection(since=parse_ms("2024-03-31T00:00:00Z"), until=parse_ms("2024-04-01T00:00:00Z"))
            assert store.count(kind, day) == 3
            last = Selection(since=parse_ms("2025-01-01T00:00:00Z"))
            assert store.count(kind, last) == 1
            days = {bucket.key: bucket.count for bucket in store.timeline(kind, ALL, seconds=86_400)}
            assert days == {
                parse_ms(f"{day}T00:00:00Z"): count
                for day, count in (("2024-03-10", 1), ("2024-03-31", 3), ("2024-10-27", 2), ("2024-12-31", 1),
                                   ("2025-01-01", 1))
            }  # fmt: skip
        assert store.count("good", where("derived_tstamp", "gte", instants[-1])) == 1

    def test_tending_the_tables_changes_no_answer(self, store: Store) -> None:
        store.write(StoreBatch("b1", [web_page_view(1)]))
        assert isinstance(store.vacuum(), list)
        assert store.count("good", ALL) == 1
        assert store.status()

    def test_migrating_again_changes_nothing(self, store: Store) -> None:
        store.write(StoreBatch("b1", [web_page_view(1)]))
        assert store.migrate() == []
        assert all(migration.applied_at for migration in store.migrations())
        assert store.count("good", ALL) == 1
