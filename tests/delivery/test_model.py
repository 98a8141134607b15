"""Any sequence of calls: the logs do what a plain list of entries would."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.spool import SpoolLog
from snowgauge.events.log_entry import LogEntry

BODIES = st.lists(st.binary(max_size=40) | st.integers(0, 40_000).map(lambda size: b"x" * size), max_size=6)


class LogMachine(RuleBasedStateMachine):
    """Two writers, one reader; every object may be closed and opened again at any time."""

    def open_log(self):
        raise NotImplementedError

    def __init__(self):
        super().__init__()
        self.log = self.open_log()
        self.writers = [self.log.writer(), self.log.writer()]
        self.subscription = self.log.subscribe()
        self.clock = 1_700_000_000_000
        self.waiting = []  # entries not committed, in order of arrival
        self.in_flight = []  # read and not committed, in the order of reading
        self.again = 0  # how many of them this subscription has yet to give out again
        self.ids = set()

    @rule(writer=st.integers(0, 1), some=BODIES, kind=st.sampled_from(["payload", "bad_row"]))
    def append(self, writer, some, kind):
        new = []
        for body in some:
            self.clock += 1
            new.append(LogEntry(body, self.clock, kind))
        self.writers[writer].append(new)
        self.waiting += new

    @rule(writer=st.integers(0, 1))
    def replace_writer(self, writer):
        self.writers[writer].close()
        self.writers[writer] = self.log.writer()

    @property
    def unread(self):
        return [entry for entry in self.waiting if not any(entry in batch.entries for batch in self.in_flight)]

    @rule()
    def read(self):
        unread = self.unread
        found = self.subscription.read(0.3 if unread else 0)
        if self.again:
            expected = self.in_flight[-self.again]
            self.again -= 1
            assert (found.id, list(found.entries)) == (expected.id, list(expected.entries))
        elif not unread:
            assert found is None
        else:
            assert found.id not in self.ids
            assert 0 < len(found.entries) <= 4
            assert found.entries[0] == min(
                (entry for entry in unread if entry in found.entries), key=lambda entry: entry.received_at
            )
            assert list(found.entries) == sorted(found.entries, key=lambda entry: entry.received_at)
            assert all(entry in unread for entry in found.entries)
            self.ids.add(found.id)
            self.in_flight.append(found)

    @precondition(lambda self: self.in_flight)
    @rule(pick=st.integers(0, 10))
    def commit(self, pick):
        """The first in flight of some partition."""
        partitions = sorted({batch.partition for batch in self.in_flight})
        chosen = partitions[pick % len(partitions)]
        at, batch = next((n, one) for n, one in enumerate(self.in_flight) if one.partition == chosen)
        self.subscription.commit(batch)
        if at >= len(self.in_flight) - self.again:
            self.again -= 1
        self.waiting = [entry for entry in self.waiting if entry not in batch.entries]
        self.in_flight.remove(batch)

    @rule()
    def subscribe_again(self):
        self.subscription.close()
        self.subscription = self.log.subscribe()
        self.in_flight.sort(key=lambda batch: batch.partition)  # which of several comes first is not promised
        self.again = len(self.in_flight)

    @rule(limit=st.none() | st.integers(0, 5))
    def peek(self, limit):
        assert list(self.log.peek(limit)) == self.waiting[:limit]

    @invariant()
    def counts(self):
        stats = self.log.stats()
        assert stats.entries == len(self.waiting)
        assert stats.bytes == sum(len(entry.body) for entry in self.waiting)

    def teardown(self):
        self.subscription.close()
        for writer in self.writers:
            writer.close()


class MemoryMachine(LogMachine):
    def open_log(self):
        return MemoryLog(max_batch_entries=4, max_batch_bytes=60_000)


class SpoolMachine(LogMachine):
    def open_log(self):
        self.folder = Path(tempfile.mkdtemp(prefix="spool-"))
        return SpoolLog(
            self.folder,
            max_batch_entries=4,
            max_batch_bytes=60_000,
            segment_bytes=50_000,
            min_free_bytes=0,
            linger=0,
            fsync=False,
        )

    def teardown(self):
        super().teardown()
        shutil.rmtree(self.folder)


TestMemory = MemoryMachine.TestCase
TestMemory.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
