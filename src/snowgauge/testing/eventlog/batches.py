"""Entries in, batches out: their order, their limits, and what the next who reads them finds."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest

from snowgauge.delivery.contract import Processed
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Tally
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.store.base import StoreBatch
from snowgauge.testing.eventlog.asking import MakeLog, bodies, drain, entries, ids_and_bodies, subscribed


class Batches:
    """A part of ``EventLogContract``."""

    def test_entries_come_in_order_and_as_they_were(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        kept = [
            LogEntry(b"\x0b\x00\xff", 1_700_000_000_123),
            LogEntry(b'{"schema":"x"}', 1_700_000_000_124, "bad_row"),
            LogEntry(b"", 1_700_000_000_125),
            LogEntry(b"z" * 300_000, 1_700_000_000_126),
        ]
        writer.append(kept[:3])
        writer.append(kept[3:])
        with subscribed(log) as subscription:
            assert drain(subscription) == kept
        writer.close()

    def test_nothing_waits_gives_none(self, make_log: MakeLog) -> None:
        log = make_log()
        with subscribed(log) as subscription:
            assert subscription.read(0) is None
            assert subscription.read(0.02) is None

    def test_what_was_read_and_not_committed_comes_again_the_same(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        writer.append(entries("a", "b"))
        with subscribed(log) as subscription:
            first = subscription.read(1)
            writer.append(entries("c"))
        with subscribed(log) as subscription:
            after = subscription.read(1)
            assert first is not None
            assert after is not None
            assert (first.id, list(first.entries)) == (after.id, list(after.entries))
            subscription.commit(after)
            assert bodies(drain(subscription)) == ["c"]
        writer.close()

    def test_several_batches_are_in_flight_and_come_again_in_order(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=2)
        writer = log.writer()
        writer.append(entries("a", "b", "c", "d", "e"))
        with subscribed(log) as subscription:
            before = ids_and_bodies(subscription)
            assert [held for _, held in before] == [["a", "b"], ["c", "d"], ["e"]]
            assert log.stats().entries == 5
        writer.append(entries("f"))
        with subscribed(log) as subscription:
            batch = subscription.read(1)
            assert batch is not None
            subscription.commit(batch)
            assert log.stats().entries == 4
        with subscribed(log) as subscription:
            assert [*ids_and_bodies(subscription)][:2] == before[1:]
        with subscribed(log) as subscription:
            assert bodies(drain(subscription)) == ["c", "d", "e", "f"]
        assert log.stats().entries == 0
        writer.close()

    def test_a_batch_is_not_committed_before_those_in_front_of_it(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=1)
        writer = log.writer()
        writer.append(entries("a", "b"))
        with subscribed(log) as subscription:
            first, second = subscription.read(1), subscription.read(1)
            assert first is not None
            assert second is not None
            with pytest.raises(ValueError, match="not committed"):
                subscription.commit(second)
            subscription.commit(first)
            subscription.commit(second)
            assert subscription.read(0) is None
        writer.close()

    def test_what_a_batch_became_is_recalled_by_the_next_who_reads_it(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=1)
        writer = log.writer()
        writer.append(entries("a", "b"))
        item = SelfDescribing(SchemaKey.parse("iglu:com.acme/x/jsonschema/1-0-0"), {"n": 10**40}, '{"n":1e40}')
        with subscribed(log) as subscription:
            first, second = subscription.read(1), subscription.read(1)
            assert first is not None
            assert second is not None
            assert subscription.recall(first) is None
            became = Processed(StoreBatch(first.id, [EnrichedEvent(app_id="a", contexts=[item])]), Tally(1, 1))
            subscription.record(first, became)
            subscription.record(second, Processed(StoreBatch(second.id), Tally(1, 0, 0, 1)))
        with subscribed(log) as subscription:
            again, other = subscription.read(1), subscription.read(1)
            assert again is not None
            assert other is not None
            assert subscription.recall(again) == became
            subscription.commit(again)
            found = subscription.recall(other)
            assert found is not None
            assert found.tally.dropped == 1
            subscription.commit(other)
        writer.close()

    def test_large_outcomes_are_recalled_too(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        writer.append(entries("a"))
        noise = b"".join(uuid4().bytes for _ in range(190_000)).hex()
        with subscribed(log) as subscription:
            batch = subscription.read(1)
            assert batch is not None
            became = Processed(StoreBatch(batch.id, [EnrichedEvent(app_id=noise)]), Tally(1, 1))
            subscription.record(batch, became)
        with subscribed(log) as subscription:
            again = subscription.read(1)
            assert again is not None
            assert subscription.recall(again) == became
            subscription.commit(again)
        writer.close()

    def test_a_note_about_a_batch_reaches_the_next_who_reads_it(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=1)
        writer = log.writer()
        writer.append(entries("a", "b"))
        with subscribed(log) as subscription:
            first = subscription.read(1)
            assert first is not None
            assert subscription.noted(first) == {}
            subscription.note(first, {"record": 1, "deaths": {}})
            subscription.note(first, {"record": None, "deaths": {"1": 2}})
        with subscribed(log) as subscription:
            again, other = subscription.read(1), subscription.read(1)
            assert again is not None
            assert other is not None
            assert subscription.noted(again) == {"record": None, "deaths": {"1": 2}}
            assert subscription.noted(other) == {}
            subscription.commit(again)
            subscription.commit(other)
        writer.close()

    def test_a_commit_is_for_ever_and_twice_is_harmless(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        writer.append(entries("a"))
        with subscribed(log) as subscription:
            batch = subscription.read(1)
            assert batch is not None
            subscription.commit(batch)
            subscription.commit(batch)
            writer.append(entries("b"))
            subscription.commit(batch)
            assert bodies(drain(subscription)) == ["b"]
        with subscribed(log) as subscription:
            assert subscription.read(0) is None
        writer.close()

    def test_a_batch_may_be_committed_by_the_next_subscription(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        writer.append(entries("a"))
        with subscribed(log) as subscription:
            batch = subscription.read(1)
        assert batch is not None
        with subscribed(log) as subscription:
            subscription.commit(batch)
            assert subscription.read(0) is None
        assert log.stats().entries == 0
        writer.close()

    def test_batch_ids_are_never_used_twice(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=2)
        ids = []
        for _ in range(3):
            writer = log.writer()
            writer.append(entries("a", "b", "c"))
            with subscribed(log) as subscription:
                while batch := subscription.read(0):
                    ids.append(batch.id)
                    subscription.commit(batch)
            writer.close()
        assert len(ids) == len(set(ids)) == 6

    def test_batches_end_at_the_limit_of_entries(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=2)
        writer = log.writer()
        writer.append(entries("a", "b", "c"))
        with subscribed(log) as subscription:
            sizes = []
            while batch := subscription.read(0):
                sizes.append(len(batch.entries))
                subscription.commit(batch)
        assert sizes == [2, 1]
        writer.close()

    def test_batches_end_at_the_limit_of_bytes_and_a_larger_entry_goes_alone(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_bytes=10)
        writer = log.writer()
        writer.append(entries("12345", "12345", "1", "x" * 50, "1"))
        with subscribed(log) as subscription:
            found = []
            while batch := subscription.read(0):
                found.append([len(entry.body) for entry in batch.entries])
                subscription.commit(batch)
        assert found == [[5, 5], [1], [50], [1]]
        writer.close()

    def test_reading_waits_for_an_entry(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        late = threading.Timer(0.1, lambda: writer.append(entries("late")))
        late.start()
        with subscribed(log) as subscription:
            batch = subscription.read(30)
            assert batch is not None
            assert bodies(batch.entries) == ["late"]
        late.join()
        writer.close()
