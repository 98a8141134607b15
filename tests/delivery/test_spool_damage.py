"""Damaged files and full disks: the service goes on, and what can be saved is saved."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import suppress

import pytest

from snowgauge.delivery.spool import SpoolLog
from snowgauge.delivery.spool.salvage import salvage
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.testing.eventlog.asking import bodies, drain, drain_until, entries, subscribed


def some_entries(count):
    """Bodies from nothing to several pages, so that overflow pages occur."""
    return [
        LogEntry(
            f"{number:05d}-".encode() + bytes([number % 251]) * (number * 997 % 30_000), 1_700_000_000_000 + number
        )
        for number in range(count)
    ]


def append_each(writer, some):
    for start in range(0, len(some), 7):
        writer.append(some[start : start + 7])


@pytest.fixture
def closed(tmp_path):
    """A spool whose entries were copied back into the database file, as when someone opened it with another tool."""
    some = some_entries(300)
    writer = SpoolLog(tmp_path / "closed").writer()
    append_each(writer, some)
    writer.close()
    (segment,) = (tmp_path / "closed").glob("0*-*.sqlite")
    sqlite3.connect(segment).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
    return segment, some


@pytest.fixture
def crashed(tmp_path):
    """A spool as a power cut leaves it: entries are in the write-ahead log, nobody holds a lock."""
    some = some_entries(300)
    writer = SpoolLog(tmp_path / "running").writer()
    append_each(writer, some)
    (tmp_path / "spool").mkdir()
    for file in (tmp_path / "running").glob("0*-*.sqlite*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, tmp_path / "spool")
    writer.close()
    (segment,) = (tmp_path / "spool").glob("0*-*.sqlite")
    return segment, some


def overwrite(path, at, data):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def wal(segment):
    return segment.with_name(segment.name + "-wal")


def read_all(folder):
    """All that comes until the reader has deleted every segment."""
    with subscribed(SpoolLog(folder, linger=0, max_batch_entries=40)) as subscription:
        return drain_until(subscription, lambda found: not list(folder.glob("0*-*.sqlite")))


def assert_saved(found, some, at_least):
    assert found == sorted(found, key=lambda entry: entry.received_at), "out of order"
    assert len({entry.received_at for entry in found}) == len(found), "twice"
    originals = set(some)
    assert all(entry in originals for entry in found), "changed"
    assert at_least <= len(found) <= len(some)


def test_an_undamaged_spool_is_not_touched(closed, crashed):
    for segment, some in (closed, crashed):
        assert read_all(segment.parent) == some
        assert not (segment.parent / "damaged").exists()


DAMAGES_OF_THE_FILE = {
    "a page in the middle": (lambda f: overwrite(f, 8192 * 40, os.urandom(8192)), 200),
    "a hole in the middle": (lambda f: overwrite(f, 8192 * 60, bytes(8192 * 3)), 200),
    "the header": (lambda f: overwrite(f, 0, b"not a database  " * 8), 290),
    "the page that links all others": (lambda f: overwrite(f, 8192, os.urandom(8192)), 290),
    "an entry's bytes": (lambda f: overwrite(f, f.read_bytes().index(b"00100-") + 6, b"?"), 299),
    "cut in half": (lambda f: os.truncate(f, f.stat().st_size // 2), 100),
    "cut within a page": (lambda f: os.truncate(f, f.stat().st_size - 5000), 280),
    "emptied": (lambda f: os.truncate(f, 0), 0),
    "nonsense": (lambda f: f.write_bytes(os.urandom(50_000)), 0),
}


@pytest.mark.parametrize("damage", DAMAGES_OF_THE_FILE)
def test_a_damaged_file_is_set_aside_and_its_good_entries_go_on(closed, damage):
    segment, some = closed
    hurt, at_least = DAMAGES_OF_THE_FILE[damage]
    hurt(segment)
    assert_saved(read_all(segment.parent), some, at_least)
    assert (segment.parent / "damaged" / segment.name).exists()
    log = SpoolLog(segment.parent, linger=0)
    writer = log.writer()
    writer.append(entries("after"))
    with subscribed(log) as subscription:
        assert bodies(drain(subscription)) == ["after"]
    writer.close()


DAMAGES_OF_THE_LOG = {
    "a frame in the middle": (lambda f: overwrite(f, 32 + (24 + 8192) * 50 + 100, os.urandom(8000)), 250),
    "an entry's bytes": (lambda f: overwrite(f, f.read_bytes().index(b"00100-") + 6, b"?"), 299),
    "a frame's checksum": (lambda f: overwrite(f, 32 + (24 + 8192) * 50 + 16, b"\0\0\0\0\0\0\0\0"), 300),
}


@pytest.mark.parametrize("damage", DAMAGES_OF_THE_LOG)
def test_a_damaged_log_does_not_take_later_entries_with_it(crashed, damage):
    """SQLite by itself ends reading at the first bad frame, in silence."""
    segment, some = crashed
    hurt, at_least = DAMAGES_OF_THE_LOG[damage]
    hurt(wal(segment))
    assert_saved(read_all(segment.parent), some, at_least)
    assert (segment.parent / "damaged" / segment.name).exists()


@pytest.mark.parametrize("cut", [1, 100, 5_000, 20_000, 100_000, 1_000_000])
def test_a_torn_log_gives_everything_before_the_tear(crashed, cut):
    segment, some = crashed
    os.truncate(wal(segment), wal(segment).stat().st_size - cut)
    found = read_all(segment.parent)
    assert found == some[: len(found)]
    assert len(found) >= len(some) * (1 - cut / wal_bytes(some)) - 15


def wal_bytes(some):
    return sum(len(entry.body) for entry in some)


def test_salvaging_reads_every_entry_of_a_file_and_of_a_log(closed, crashed):
    for segment, some in (closed, crashed):
        assert [row[5] for row in salvage(segment)] == [entry.body for entry in some]


def test_batch_ids_stay_when_a_segment_is_replaced(closed):
    segment, _ = closed
    log = SpoolLog(segment.parent, linger=0, max_batch_entries=40)
    with subscribed(log) as subscription:
        before = subscription.read(0)
    overwrite(segment, 8192, os.urandom(8192))
    with subscribed(log) as subscription:
        after = subscription.read(1)
    assert before.id == after.id
    assert set(after.entries) <= set(before.entries)


def test_damage_under_a_running_writer_is_repaired_once_it_writes_again(tmp_path):
    log = SpoolLog(tmp_path, linger=0)
    writer = log.writer()
    some = some_entries(60)
    append_each(writer, some)
    (segment,) = tmp_path.glob("0*-*.sqlite")
    overwrite(wal(segment), wal(segment).read_bytes().index(b"00030-") + 6, b"?")
    with subscribed(log) as subscription:
        assert subscription.read(0.1) is None
        time.sleep(0.25)  # the writer looks at its folder now and then
        writer.append(some_entries(61)[60:])
        found = drain_until(subscription, lambda found: len(found) >= 60)
    assert [entry.received_at % 1000 for entry in found] == [n for n in range(61) if n != 30]
    writer.close()


def test_a_damaged_cursor_loses_nothing(closed):
    segment, some = closed
    log = SpoolLog(segment.parent, linger=0, max_batch_entries=40)
    with subscribed(log) as subscription:
        subscription.commit(subscription.read(0))
    (segment.parent / "0000.cursor.sqlite").write_bytes(b"nonsense" * 1000)
    assert read_all(segment.parent) == some
    assert (segment.parent / "damaged" / "0000.cursor.sqlite").exists()


def test_drafts_that_a_crash_left_are_cleared(tmp_path):
    draft = tmp_path / f"0000-0000000001-{'0' * 32}-0.sqlite.new"
    draft.write_bytes(b"half")
    writer = SpoolLog(tmp_path).writer()
    writer.append(entries("a"))
    assert not draft.exists()
    writer.close()


def test_a_disk_below_its_floor_refuses(tmp_path):
    writer = SpoolLog(tmp_path, min_free_bytes=2**60).writer()
    assert not writer.healthy()
    with pytest.raises(LogUnavailable, match=r"min_free_bytes"):
        writer.append(entries("a"))
    writer.close()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small tmpfs here (needs root): {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill_up(file):
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(1024))


@pytest.mark.parametrize("made_full_by", ["the log itself", "others"])
def test_a_full_disk_refuses_and_recovers_by_itself(small_disk, made_full_by):
    floor = 256 * 1024 if made_full_by == "the log itself" else 0  # leaves the reader room to work
    log = SpoolLog(small_disk / "spool", min_free_bytes=floor, segment_bytes=512 * 1024, linger=0)
    writer = log.writer()
    ballast = small_disk / "ballast"
    kept = []

    def fill():
        for number in range(2000):
            group = entries(*(f"{number}-{i}-" + "x" * 3000 for i in range(3)))
            writer.append(group)
            kept.extend(group)

    writer.append(first := entries("first"))
    kept += first
    if made_full_by == "others":
        fill_up(ballast)
    with pytest.raises(LogUnavailable):
        fill()
    for _ in range(5):  # and again: refusing must not wear anything out
        with pytest.raises(LogUnavailable):
            writer.append(entries("y" * 200_000))
    ballast.unlink(missing_ok=True)
    if made_full_by == "others":
        time.sleep(0.25)
        writer.append(again := entries("again"))
        kept += again
    with subscribed(log) as subscription:
        found = drain(subscription, timeout=0.5)
        assert found == kept
        time.sleep(0.25)
        assert writer.healthy()
        writer.append(entries("later"))
        assert bodies(drain(subscription, timeout=1)) == ["later"]
    writer.close()


def test_a_segment_that_cannot_be_read_is_not_called_empty(closed):
    segment, some = closed
    log = SpoolLog(segment.parent)
    assert log.stats().entries == len(some)
    segment.rename(segment.with_suffix(".away"))
    segment.mkdir()  # opening it fails, even for root
    with pytest.raises(LogUnavailable):
        log.stats()


def test_a_damaged_segment_waits(closed):
    segment, _ = closed
    overwrite(segment, 0, b"no database")
    assert SpoolLog(segment.parent).stats().entries == 1
