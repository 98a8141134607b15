"""The spool over kill -9 of its writers and readers, in real processes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from snowgauge.delivery.spool import SpoolLog
from snowgauge.testing.eventlog.asking import bodies, drain, entries, subscribed

WRITER = """
import random, sys, time
from pathlib import Path
from snowgauge.events.log_entry import LogEntry
from snowgauge.delivery.spool import SpoolLog

name = sys.argv[2]
writer = SpoolLog(Path(sys.argv[1]), segment_bytes=200_000, min_free_bytes=0).writer()
number = 0
while True:
    size = random.randint(1, 20)
    group = [f"{name}-{n}-" + "x" * random.randint(0, 9000) for n in range(number, number + size)]
    writer.append([LogEntry(body.encode(), int(time.time() * 1000)) for body in group])
    number += size
    print(number, flush=True)
"""

READER = """
import json, sys, zlib
from pathlib import Path
from snowgauge.delivery.spool import SpoolLog

share, of = int(sys.argv[2]), int(sys.argv[3])
log = SpoolLog(Path(sys.argv[1]), max_batch_entries=50, linger=0, min_free_bytes=0)
subscription = log.subscribe(share, of)
while True:
    batch = subscription.read(1)
    if batch is not None:
        names = [entry.body[: entry.body.rindex(b"-")].decode() for entry in batch.entries]
        content = zlib.crc32(b"".join(entry.body for entry in batch.entries))
        print(json.dumps([batch.id, content, names]), flush=True)
        subscription.commit(batch)
"""


class Child:
    """A process whose complete output lines are collected until it is killed."""

    def __init__(self, code, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )
        self.lines = []
        self._collector = threading.Thread(target=self._collect)
        self._collector.start()

    def _collect(self):
        for line in self._process.stdout:
            if line.endswith("\n"):
                self.lines.append(line)

    def run_until_output(self):
        while not self.lines and self._process.poll() is None:
            time.sleep(0.01)
        assert self._process.poll() is None, "the child ended by itself"

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._collector.join()
        self._process.stdout.close()


def test_whatever_is_killed_nothing_acknowledged_is_lost_and_batches_stay_what_they_are(tmp_path):
    rounds = 4
    chance = random.Random()
    acknowledged = {}
    seen = {}  # batch id -> (checksum, names)
    for round_number in range(rounds):
        writers = {f"{round_number}{letter}": None for letter in "ab"}
        for name in writers:
            writers[name] = Child(WRITER, tmp_path, name)
        readers = [Child(READER, tmp_path, share, 2) for share in range(2)]
        for writer in writers.values():
            writer.run_until_output()
        for child in chance.sample([*writers.values(), *readers], 4):
            time.sleep(chance.uniform(0, 0.25))
            child.kill()
        for name, writer in writers.items():
            acknowledged[name] = int(writer.lines[-1])
        for reader in readers:
            for line in reader.lines:
                batch_id, content, names = json.loads(line)
                assert seen.setdefault(batch_id, (content, names)) == (content, names), "a batch changed"
    log = SpoolLog(tmp_path, max_batch_entries=50, linger=0)
    with subscribed(log) as subscription:
        while batch := subscription.read(0.2):
            names = [body[: body.rindex("-")] for body in bodies(batch.entries)]
            before = seen.setdefault(batch.id, (None, names))
            assert before[1] == names, "a batch changed"
            subscription.commit(batch)
    found = Counter(name for _, names in seen.values() for name in names)
    assert max(found.values()) == 1, "an entry came in two batches"
    for name, count in acknowledged.items():
        assert count > 0
        assert {f"{name}-{number}" for number in range(count)} <= found.keys()
    assert not (tmp_path / "damaged").exists()
    assert not list(tmp_path.glob("0*-*.sqlite")), "everything is stored, so nothing has to stay"


def test_several_processes_write_at_once_and_each_has_its_own_number(tmp_path):
    children = [Child(WRITER, tmp_path, name) for name in ("a", "b", "c")]
    for child in children:
        child.run_until_output()
    for child in children:
        child.kill()
    assert sorted(path.name for path in tmp_path.glob("????.lock")) == ["0000.lock", "0001.lock", "0002.lock"]
    counts = {name: int(child.lines[-1]) for name, child in zip("abc", children, strict=True)}
    with subscribed(SpoolLog(tmp_path, linger=0)) as subscription:
        found = Counter(body.split("-")[0] for body in bodies(drain(subscription)))
    for name, count in counts.items():
        assert count <= found[name] <= count + 20


def test_the_number_of_a_process_that_died_is_taken_over(tmp_path):
    child = Child(WRITER, tmp_path, "dead")
    child.run_until_output()
    child.kill()
    log = SpoolLog(tmp_path, linger=0)
    writer = log.writer()
    writer.append(entries("new-0-"))
    assert [path.name for path in tmp_path.glob("????.lock")] == ["0000.lock"]
    with subscribed(log) as subscription:
        found = bodies(drain(subscription))
    assert len(found) >= int(child.lines[-1]) + 1
    assert found[-1] == "new-0-"
    writer.close()


@pytest.mark.parametrize("fsync", [True, False])
def test_a_killed_process_costs_nothing_whatever_fsync_is(tmp_path, fsync):
    code = WRITER.replace("min_free_bytes=0", f"min_free_bytes=0, fsync={fsync}")
    child = Child(code, tmp_path, "w")
    child.run_until_output()
    time.sleep(0.1)
    child.kill()
    with subscribed(SpoolLog(tmp_path, linger=0)) as subscription:
        assert len(drain(subscription)) >= int(child.lines[-1])
