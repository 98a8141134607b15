"""The contract of an event log as a test suite: a backend joins by subclassing and giving a fixture named ``make_log``.

``make_log(**limits)`` returns a *handle on one place*: calling it again opens the same log again, as another process
would. Limits: ``max_batch_entries``, ``max_batch_bytes``, ``capacity`` (bytes).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import uuid4

import pytest

from snowgauge.delivery.contract import EventLog, LogWriter, Processed, Subscription
from snowgauge.errors import LogUnavailable
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Tally
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.store.base import StoreBatch

MakeLog = Callable[..., EventLog]


def entries(*bodies: str) -> list[LogEntry]:
    """One payload entry per text, received now."""
    now = int(time.time() * 1000)
    return [LogEntry(body.encode(), now) for body in bodies]


def bodies(found: Sequence[LogEntry]) -> list[str]:
    return [entry.body.decode() for entry in found]


@contextmanager
def subscribed(log: EventLog, share: int = 0, of: int = 1) -> Iterator[Subscription]:
    subscription = log.subscribe(share, of)
    try:
        yield subscription
    finally:
        subscription.close()


def drain(subscription: Subscription, timeout: float = 0.0) -> list[LogEntry]:
    """Read and commit until nothing comes within ``timeout``."""
    found: list[LogEntry] = []
    while batch := subscription.read(timeout):
        found += batch.entries
        subscription.commit(batch)
    return found


def drain_until(subscription: Subscription, complete: Callable[[list[LogEntry]], bool]) -> list[LogEntry]:
    """Read and commit until ``complete`` says so of what came, or nothing more has come for ten seconds."""
    found: list[LogEntry] = []
    idle = 0
    while not complete(found) and idle < 100:
        batch = subscription.read(0.1)
        if batch is None:
            idle += 1
        else:
            idle = 0
            found += batch.entries
            subscription.commit(batch)
    return found


class EventLogContract:
    """Subclass it in a test module of the backend."""

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

    def test_appending_nothing_keeps_nothing(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        writer.append([])
        assert log.stats().entries == 0
        writer.close()

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
            before = _ids_and_bodies(subscription)
            assert [held for _, held in before] == [["a", "b"], ["c", "d"], ["e"]]
            assert log.stats().entries == 5
        writer.append(entries("f"))
        with subscribed(log) as subscription:
            batch = subscription.read(1)
            assert batch is not None
            subscription.commit(batch)
            assert log.stats().entries == 4
        with subscribed(log) as subscription:
            assert [*_ids_and_bodies(subscription)][:2] == before[1:]
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

    def test_a_share_is_held_once(self, make_log: MakeLog) -> None:
        log = make_log()
        with subscribed(log), pytest.raises(LogUnavailable, match=r"share 0 of 1"):
            make_log().subscribe()
        with subscribed(log):
            pass

    def test_shares_of_different_divisions_are_not_held_together(self, make_log: MakeLog) -> None:
        log = make_log()
        with subscribed(log), pytest.raises(LogUnavailable, match=r"share 1 of 2 .* share 0 of 1 is being read"):
            log.subscribe(1, 2)
        with subscribed(log, 1, 2), subscribed(log, 0, 2), pytest.raises(LogUnavailable, match=r"pipeline\.workers"):
            log.subscribe()
        with subscribed(log):
            pass

    @pytest.mark.parametrize(("share", "of"), [(1, 1), (-1, 2), (2, 2), (0, 0)])
    def test_a_share_that_cannot_be_is_refused(self, make_log: MakeLog, share: int, of: int) -> None:
        with pytest.raises(ValueError, match="share"):
            make_log().subscribe(share, of)

    def test_shares_divide_the_entries_among_themselves(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=3)
        writers = [log.writer() for _ in range(3)]
        for number in range(30):
            writers[number % 3].append(entries(f"{number}"))
        with subscribed(log, 0, 2) as even, subscribed(log, 1, 2) as odd:
            found = bodies(drain(even)) + bodies(drain(odd))
        assert sorted(found, key=int) == [str(number) for number in range(30)]
        for writer in writers:
            writer.close()

    def test_fewer_shares_finish_what_more_began(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=1)
        writers = [log.writer() for _ in range(3)]
        for number, writer in enumerate(writers):
            writer.append(entries(f"{number}", f"{number}"))
        before: dict[str, list[str]] = {}
        for share in range(3):
            with subscribed(log, share, 3) as subscription:
                before.update(_ids_and_bodies(subscription, most=1))
        after, found = {}, []
        with subscribed(log) as subscription:
            while batch := subscription.read(0):
                after[batch.id] = bodies(batch.entries)
                found += bodies(batch.entries)
                subscription.commit(batch)
        assert sorted(found) == ["0", "0", "1", "1", "2", "2"]
        assert {key: after.get(key) for key in before} == before
        for writer in writers:
            writer.close()

    def test_threads_append_together_and_each_keeps_its_order(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()

        def append(thread: int) -> None:
            for number in range(40):
                writer.append(entries(f"{thread}-{number}", f"{thread}-{number}+"))

        threads = [threading.Thread(target=append, args=(thread,)) for thread in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with subscribed(log) as subscription:
            found = bodies(drain(subscription))
        assert len(found) == 8 * 80
        for thread_number in range(8):
            mine = [body for body in found if body.startswith(f"{thread_number}-")]
            assert mine == [f"{thread_number}-{n}{plus}" for n in range(40) for plus in ("", "+")]
        writer.close()

    def test_a_full_log_refuses_keeps_what_it_has_and_recovers(self, make_log: MakeLog) -> None:
        log = make_log(capacity=2 * 1024**2)
        writer = log.writer()
        assert writer.healthy()
        kept = _fill(writer)
        assert kept > 20
        assert log.stats().entries == kept
        with subscribed(log) as subscription:
            found = drain(subscription)
            assert len(found) == kept
            assert _eventually(writer.healthy)
            writer.append(entries("again"))
            assert bodies(drain(subscription)) == ["again"]
        writer.close()

    def test_a_closed_writer_refuses(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        writer.append(entries("a"))
        writer.close()
        writer.close()
        assert not writer.healthy()
        with pytest.raises(LogUnavailable, match="closed"):
            writer.append(entries("b"))
        with subscribed(log) as subscription:
            assert bodies(drain(subscription)) == ["a"]

    def test_closing_finishes_what_is_under_way(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        acknowledged: list[str] = []

        def append(thread: int) -> None:
            with suppress(LogUnavailable):
                for number in range(100_000):
                    writer.append(entries(f"{thread}-{number}"))
                    acknowledged.append(f"{thread}-{number}")

        threads = [threading.Thread(target=append, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        while len(acknowledged) < 20:
            time.sleep(0.001)
        writer.close()
        for thread in threads:
            thread.join()
        with subscribed(log) as subscription:
            assert sorted(bodies(drain(subscription))) == sorted(acknowledged)

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

    def test_peek_shows_what_waits_in_order_of_arrival_and_takes_nothing(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=2)
        one, two = log.writer(), log.writer()
        for number in range(6):
            (one, two)[number % 2].append([LogEntry(f"{number}".encode(), 1_700_000_000_000 + number)])
        assert bodies(list(log.peek())) == ["0", "1", "2", "3", "4", "5"]
        assert bodies(list(log.peek(limit=2))) == ["0", "1"]
        assert list(log.peek(limit=0)) == []
        with subscribed(log) as subscription:
            batch = subscription.read(0)
            assert batch is not None
            assert len(list(log.peek())) == 6, "a batch that is out waits still"
            subscription.commit(batch)
            assert len(list(log.peek())) == 4
            assert len(drain(subscription)) == 4
        assert list(log.peek()) == []
        one.close()
        two.close()

    def test_peek_follows(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        writer.append(entries("a"))
        following = log.peek(limit=3, follow=True)
        assert next(following).body == b"a"
        late = threading.Timer(0.1, lambda: writer.append(entries("b", "c")))
        late.start()
        assert bodies(list(following)) == ["b", "c"]
        late.join()
        writer.close()

    def test_stats_count_what_waits(self, make_log: MakeLog) -> None:
        log = make_log(max_batch_entries=2)
        writer = log.writer()
        assert (log.stats().entries, log.stats().bytes, log.stats().oldest_seconds) == (0, 0, 0)
        an_hour_ago = int((time.time() - 3600) * 1000)
        writer.append([LogEntry(b"12345", an_hour_ago), LogEntry(b"123", an_hour_ago), LogEntry(b"1", an_hour_ago)])
        stats = make_log(max_batch_entries=2).stats()
        assert (stats.entries, stats.bytes) == (3, 9)
        assert 3600 <= stats.oldest_seconds < 4600
        with subscribed(log) as subscription:
            batch = subscription.read(0)
            assert batch is not None
            assert log.stats().entries == 3
            subscription.commit(batch)
            assert (log.stats().entries, log.stats().bytes) == (1, 1)
        writer.close()


def _ids_and_bodies(subscription: Subscription, most: int = 1000) -> list[tuple[str, list[str]]]:
    """Read what there is, and commit nothing."""
    found: list[tuple[str, list[str]]] = []
    while len(found) < most and (batch := subscription.read(0)):
        found.append((batch.id, bodies(batch.entries)))
    return found


def _eventually(condition: Callable[[], bool], within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def _fill(writer: LogWriter) -> int:
    """Append ever smaller entries until the writer says that it takes no more; returns how many it took."""
    kept = 0
    for size in (20_000, 1_000, 1):
        with suppress(LogUnavailable):
            while True:
                writer.append(entries("x" * size))
                kept += 1
    deadline = time.monotonic() + 10
    while writer.healthy() and time.monotonic() < deadline:
        with suppress(LogUnavailable):
            writer.append(entries("x"))
            kept += 1
    assert not writer.healthy()
    return kept
