"""A disk that others fill to the last byte: what waits is stored all the same, and the collector starts again after."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import contextmanager, suppress

import pytest

from snowgauge.delivery.contract import LogBatch, Processed
from snowgauge.delivery.journal import Journal
from snowgauge.delivery.spool import SpoolLog
from snowgauge.delivery.spool.reserve import JOURNAL_FACTOR
from snowgauge.delivery.worker import Worker
from snowgauge.errors import LogUnavailable, SettingsError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import Processor
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Enriched, Tally
from snowgauge.pipeline import build
from snowgauge.settings.load import load
from snowgauge.store.base import StoreBatch, WriteResult

MB = 1024**2


@pytest.fixture
def disk(tmp_path):
    """A file system of 24 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small tmpfs here (needs root): {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill_up(file):
    with suppress(OSError), file.open("ab", buffering=0) as ballast:
        while True:
            ballast.write(bytes(1024))


class Enricher:
    """What comes out is three times as large as what came in."""

    def settle(self): ...

    def conclude(self, record, seed, **_):
        raise AssertionError("nothing is put off")

    def attempt(self, record, seed, **_):
        return [Enriched(EnrichedEvent(app_id=record[:20].decode(), page_url=(record * 3).decode()))]

    def flush_metrics(self): ...


class Store:
    """A database on another machine."""

    def __init__(self):
        self.ids = []

    def write(self, batch):
        self.ids += [event.app_id for event in batch.events]
        return WriteResult(len(batch.events), 0, 0)


def spool(disk, **limits):
    return SpoolLog(disk / "spool", min_free_bytes=4 * MB, segment_bytes=MB, linger=0, drain_folder=disk, **limits)


@contextmanager
def at_work(disk, log, store):
    """A pipeline worker that runs meanwhile."""
    subscription = log.subscribe()
    worker = Worker(
        subscription,
        Enricher(),
        store,
        processor=Processor("snowgauge-enrich", "1.0.0"),
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop.set()
        worker.abandon.set()
        thread.join()
        subscription.close()


def append_until_refused(writer):
    kept = []
    with suppress(LogUnavailable):
        while True:
            some = [f"{len(kept) + n:020}" for n in range(10)]
            writer.append([LogEntry(one.encode() + b"x" * 3000, 1) for one in some])
            kept += some
    return kept


def wait_for(condition, seconds=60):
    pause = threading.Event()
    for _ in range(seconds * 20):
        if condition():
            return True
        pause.wait(0.05)
    return False


def test_what_waits_is_stored_although_others_take_the_last_byte(disk, capsys):
    log, store = spool(disk), Store()
    writer = log.writer()
    subscription = log.subscribe()
    assert subscription.read(0) is None
    subscription.close()
    assert (disk / "reserve").stat().st_size == 2 * MB
    kept = append_until_refused(writer)
    assert len(kept) > 100
    fill_up(disk / "ballast")
    with at_work(disk, log, store):
        assert wait_for(lambda: len(store.ids) >= len(kept))
    assert store.ids == kept
    assert "eventlog_reserve_used" in "".join(capsys.readouterr())
    (disk / "ballast").unlink()
    assert wait_for(writer.healthy), "the collector takes requests again"
    with at_work(disk, log, store):
        assert wait_for((disk / "reserve").exists), "and the room is held again"
    writer.close()


def test_a_batch_that_is_out_when_the_disk_fills_up_is_stored(disk):
    """It was cut for a disk with room."""
    log, store = spool(disk), Store()
    writer = log.writer()
    subscription = log.subscribe()
    assert subscription.read(0) is None
    kept = append_until_refused(writer)
    batch = subscription.read(5)
    subscription.close()
    assert len(batch.entries) > 10
    fill_up(disk / "ballast")
    with at_work(disk, log, store):
        assert wait_for(lambda: len(store.ids) >= len(kept))
    assert store.ids == kept
    writer.close()


def test_batches_are_cut_to_the_room_there_is(disk):
    log = spool(disk, max_batch_bytes=8 * MB)
    writer = log.writer()
    writer.append([LogEntry(b"x" * 30_000, n) for n in range(100)])
    subscription = log.subscribe()
    batch = subscription.read(5)
    assert isinstance(batch, LogBatch)
    size = sum(len(entry.body) for entry in batch.entries)
    assert 0 < size <= 24 * MB / JOURNAL_FACTOR
    subscription.close()
    writer.close()


def test_a_journal_that_does_not_fit_leaves_nothing_behind(disk):
    journal = Journal(disk / "journal")
    fill_up(disk / "ballast")
    os.truncate(disk / "ballast", (disk / "ballast").stat().st_size - 64 * 1024)
    big = StoreBatch("b")
    big.add([Enriched(EnrichedEvent(app_id="x" * 200_000))])
    with pytest.raises(OSError, match="No space"):
        journal.save(Processed(big, Tally()))
    assert list((disk / "journal").iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "least"),
    [
        ({"eventlog.spool.min_free_bytes": "100 MB"}, 128_000_000),
        ({"eventlog.spool.min_free_bytes": "0"}, 128_000_000),
        ({"collector.streams.good.max_bytes": "10 MB"}, 1_280_000_000),
    ],
)
def test_settings_that_leave_no_room_for_one_request_stop_the_start(tmp_path, flags, least):
    given = [f"{key}={value}" for key, value in {"common.data_dir": tmp_path, **flags}.items()]
    settings = load(flags=given, environment={}, folder=tmp_path).settings
    with pytest.raises(SettingsError, match=rf"eventlog.spool.min_free_bytes.*at least {least}"):
        build.open_eventlog(settings)
