"""How others look into a log."""

from __future__ import annotations

import threading
import time

from snowgauge.events.log_entry import LogEntry
from snowgauge.testing.eventlog.asking import MakeLog, bodies, drain, entries, subscribed


class Looking:
    """A part of ``EventLogContract``."""

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
