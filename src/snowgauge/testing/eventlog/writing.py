"""Writers: several at once, closed ones, and a log that is full."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from snowgauge.delivery.contract import LogWriter
from snowgauge.errors import LogUnavailable
from snowgauge.testing.eventlog.asking import MakeLog, bodies, drain, entries, subscribed


class Writing:
    """A part of ``EventLogContract``."""

    def test_appending_nothing_keeps_nothing(self, make_log: MakeLog) -> None:
        log = make_log()
        writer = log.writer()
        writer.append([])
        assert log.stats().entries == 0
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
