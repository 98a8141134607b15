"""Whatever is damaged: entries read and entries reported unreadable are together the entries that were acknowledged."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import contextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from snowgauge.delivery.spool import SpoolLog, kept
from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool.loss import losses
from snowgauge.delivery.spool.reader import BatchLimits, NumberReader
from snowgauge.events.log_entry import LogEntry
from snowgauge.testing.eventlog.asking import bodies, drain_until, entries, subscribed

TRAP = b"\x0b\x00\x05\x08\x05\x05"  # begins as an entry's record does


def some_entries(count):
    """Bodies from nothing to several pages, some of which look like what salvaging searches for."""
    return [
        LogEntry(f"{n:05d}-".encode() + TRAP * (n % 3) + bytes([n % 251]) * (n * 997 % 20_000), 1_700_000_000_000 + n)
        for n in range(count)
    ]


def append_each(writer, some, together=7):
    for start in range(0, len(some), together):
        writer.append(some[start : start + together])


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """Segments as a killed collector leaves them: all in the log, and half of it copied back into the file."""
    some = some_entries(80)
    places = {}
    for kind in ("logged", "copied"):
        place = tmp_path_factory.mktemp(kind)
        writer = SpoolLog(place / "running").writer()
        append_each(writer, some[:40])
        if kind == "copied":
            (segment,) = (place / "running").glob("0*-*.sqlite")
            other = sqlite3.connect(segment)
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")
            append_each(writer, some[40:])
            other.close()
        else:
            append_each(writer, some[40:])
        (place / "left").mkdir()
        # a collector that was killed leaves no index of its log
        for file in (place / "running").glob("0*-*.sqlite*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, place / "left")
        writer.close()
        places[kind] = place / "left"
    return places, some


def damage(file, kind, at, length, seed):
    data = bytearray(file.read_bytes())
    start = int(at * len(data))
    end = min(len(data), start + length)
    if kind == "overwritten":
        data[start:end] = (seed * length)[: end - start]
    elif kind == "zeros":
        data[start:end] = bytes(end - start)
    elif kind == "cut":
        del data[start:]
    elif kind == "removed":
        del data[start:end]
    elif kind == "inserted":
        data[start:start] = (seed * length)[:length]
    elif kind == "a bit":
        data[start % max(1, len(data)) : start % max(1, len(data)) + 1] = bytes([seed[0] ^ 1])
    elif kind == "moved":
        data[start:end] = data[: end - start]
    file.write_bytes(data)


DAMAGES = st.tuples(
    st.sampled_from(["", "-wal"]),
    st.sampled_from(["overwritten", "zeros", "cut", "removed", "inserted", "a bit", "moved"]),
    st.floats(0, 1, exclude_max=True),
    st.one_of(st.integers(1, 64), st.integers(1, 30_000)),
    st.binary(min_size=1, max_size=8),
)


class Hurt:
    """A spool that someone reads, damages and reads on."""

    def __init__(self, folder, together):
        self.folder = folder
        (self.segment,) = folder.glob("0*-*.sqlite")
        self.log = SpoolLog(folder, linger=0, max_batch_entries=together)
        self.found = []

    def read_and_damage(self, before, damages, goes_on):
        """``goes_on``: the reader still has open what it read before the damage."""
        with subscribed(self.log) as subscription:
            while len(self.found) < before:
                batch = subscription.read(5)
                self.found += batch.entries
                subscription.commit(batch)
            for which, how, at, length, seed in damages:
                damage(self.segment.with_name(self.segment.name + which), how, at, length, seed)
            if goes_on:
                self.read_on(subscription)
        with subscribed(self.log) as subscription:
            self.read_on(subscription)

    def read_on(self, subscription):
        self.found += drain_until(subscription, lambda _: not list(self.folder.glob("0*-*.sqlite")))

    def check_found(self, some):
        assert len({entry.received_at for entry in self.found}) == len(self.found), "twice"
        originals = set(some)
        assert all(entry in originals for entry in self.found), "changed"
        assert self.found == sorted(self.found, key=lambda entry: entry.received_at), "out of order"


@contextmanager
def hurt(left, kind, together):
    place = left[kind].parent / "hurt"
    shutil.copytree(left[kind], place)
    try:
        yield Hurt(place, together)
    finally:
        shutil.rmtree(place)


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(["logged", "copied"]),
    damages=st.lists(DAMAGES, min_size=1, max_size=4),
    before=st.integers(0, 60),
    together=st.integers(1, 100),
    goes_on=st.booleans(),
)
@example(kind="logged", damages=[("-wal", "overwritten", 0, 32, b"x")], before=0, together=40, goes_on=False)
@example(kind="logged", damages=[("-wal", "cut", 0.99, 1, b"x")], before=10, together=100, goes_on=False)
@example(kind="logged", damages=[("-wal", "cut", 0.5, 1, b"x")], before=10, together=10, goes_on=True)
@example(
    kind="copied",
    damages=[("", "cut", 0.9, 1, b"x"), ("-wal", "cut", 0, 1, b"x")],
    before=0,
    together=7,
    goes_on=False,
)
def test_read_and_reported_are_together_what_was_acknowledged(left, kind, damages, before, together, goes_on):
    places, some = left
    with hurt(places, kind, together) as spool:
        spool.read_and_damage(before, damages, goes_on)
        spool.check_found(some)
        told = losses(spool.folder)
        assert len(spool.found) + sum(loss.unreadable for loss in told) == len(some)
        assert all(loss.exact for loss in told)
        assert spool.log.stats().unreadable == len(some) - len(spool.found)


@settings(max_examples=40, deadline=None)
@given(kind=st.sampled_from(["logged", "copied"]), damages=st.lists(DAMAGES, max_size=2), note=DAMAGES)
def test_without_the_count_of_entries_nothing_wrong_comes_and_no_exact_number_is_claimed(left, kind, damages, note):
    places, some = left
    with hurt(places, kind, 40) as spool:
        spool.read_and_damage(0, [*damages, ("-kept", *note[1:])], False)
        spool.check_found(some)
        told = losses(spool.folder)
        lost = len(some) - len(spool.found)
        assert sum(loss.unreadable for loss in told) <= lost
        assert kept_is_whole(spool) or not any(loss.exact for loss in told)


def kept_is_whole(spool):
    aside = spool.folder / "damaged" / f"{spool.segment.name}-kept"
    return aside.exists() and kept.read(aside.with_name(spool.segment.name)) is not None


def test_entries_behind_a_damaged_header_of_the_log_are_all_found(left):
    places, some = left
    with hurt(places, "logged", 40) as spool:
        spool.read_and_damage(0, [("-wal", "overwritten", 0, 32, os.urandom(8))], False)
        assert spool.found == some


def test_what_a_visitor_sends_never_passes_for_another_entry(tmp_path):
    """A body may hold a whole entry as it lies in a file, checksum and all, of another segment."""
    other = SpoolLog(tmp_path / "other").writer()
    other.append([LogEntry(b"forged", 5)] * 3)
    (foreign,) = (tmp_path / "other").glob("0*-*.sqlite")
    page = files.log_file(foreign).read_bytes()
    other.close()
    log = SpoolLog(tmp_path / "spool", linger=0)
    writer = log.writer()
    some = [LogEntry(page, 1), LogEntry(b"second", 2), LogEntry(b"third", 3)]
    writer.append(some)
    (segment,) = (tmp_path / "spool").glob("0*-*.sqlite")
    writer.close()
    damage(files.log_file(segment), "overwritten", 0, 32, b"x")
    with subscribed(log) as subscription:
        assert drain_until(subscription, lambda found: len(found) >= 3) == some


@pytest.fixture
def number(left, tmp_path):
    """The reader of a number whose writer seems to run, over a log of which SQLite reads the first part only."""
    places, some = left
    folder = tmp_path / "spool"
    shutil.copytree(places["logged"], folder)
    (segment,) = folder.glob("0*-*.sqlite")
    wal = files.log_file(segment)
    damage(wal, "overwritten", 0.4, 100, b"?")
    writer = files.hold(files.writer_lock(folder, 0))
    held = files.hold(files.reader_lock(folder, 0))
    reader = NumberReader(folder, 0, BatchLimits(entries=1000, bytes=2**30, linger=0), held)
    yield reader, writer, folder, some
    writer.release()
    reader.close()


@pytest.mark.parametrize("left_behind_by", ["a new segment", "the end of its writer"])
def test_a_segment_is_proven_read_to_its_end_before_it_goes(number, left_behind_by):
    """It was opened while its writer was there, when nothing can be said about its end."""
    reader, writer, folder, some = number
    reader.found(files.scan(folder))
    assert reader.ripe(1e12, scanned=True) is not None
    batch = reader.freeze(2**30)
    assert 0 < len(batch.entries) < len(some), "SQLite ends at the damage"
    reader.commit(batch)
    if left_behind_by == "a new segment":
        following = SpoolLog(folder).writer()  # takes the next number: only its file is of use here
        following.append(entries("next"))
        following.close()
        (made,) = (name for name in files.scan(folder) if name.number == 1)
        given = files.next_segment(0, files.scan(folder), 0.0)._replace(uuid=made.uuid)
        for file, renamed in zip(
            files.with_side_files(folder / made.file), files.with_side_files(folder / given.file), strict=True
        ):
            if file.exists():
                file.rename(renamed)
    else:
        writer.release()
    found = [*batch.entries]
    for _ in range(10):
        reader.found(files.scan(folder))
        if reader.ripe(1e12, scanned=True) is not None:
            batch = reader.freeze(2**30)
            found += batch.entries
            reader.commit(batch)
    lost = sum(loss.unreadable for loss in losses(folder))
    stored = [entry for entry in found if entry.body != b"next"]
    assert len(stored) + lost == len(some)
    assert lost <= 1
    assert set(stored) <= set(some)


def test_each_loss_is_said_counted_and_kept_with_the_file(left, capsys):
    places, some = left
    with hurt(places, "logged", 40) as spool:
        spool.read_and_damage(3, [("-wal", "overwritten", 0.5, 20_000, b"?")], False)
        (loss,) = losses(spool.folder)
        assert loss.unreadable == len(some) - len(spool.found) > 0
        assert loss.segment == spool.segment.name
        assert (spool.folder / "damaged" / spool.segment.name).exists()
        assert f"unreadable_entries={loss.unreadable}" in "".join(capsys.readouterr())


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["create", "files.set_aside"])
def test_who_is_killed_while_saving_has_said_what_is_lost(left, monkeypatch, step):
    """The file that was replaced does not stay in the way either."""
    places, some = left
    with hurt(places, "logged", 40) as spool:
        damage(spool.segment.with_name(spool.segment.name + "-wal"), "overwritten", 0.5, 20_000, b"?")

        def killed(*_):
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(f"snowgauge.delivery.spool.salvage.{step}", killed)
            with subscribed(spool.log) as subscription, pytest.raises(Killed):
                spool.read_on(subscription)
        with subscribed(spool.log) as subscription:
            spool.read_on(subscription)
        spool.check_found(some)
        (loss,) = losses(spool.folder)
        assert len(spool.found) + loss.unreadable == len(some)
        assert loss.unreadable > 0
        assert (spool.folder / "damaged" / spool.segment.name).exists()
        assert files.all_revisions(spool.folder) == []


def test_a_segment_that_goes_while_it_is_read_is_read_to_its_end(left, tmp_path):
    places, some = left
    folder = tmp_path / "spool"
    shutil.copytree(places["logged"], folder)
    with subscribed(SpoolLog(folder, linger=0, max_batch_entries=10)) as subscription:
        found = [*(batch := subscription.read(5)).entries]
        subscription.commit(batch)
        files.remove(next(folder.glob("0*-*.sqlite")))
        found += drain_until(subscription, lambda more: len(more) >= len(some) - 10)
    assert found == some
    assert losses(folder) == []


def test_a_segment_that_goes_unread_is_said(left, tmp_path):
    places, _ = left
    folder = tmp_path / "spool"
    shutil.copytree(places["logged"], folder)
    segment = next(folder.glob("0*-*.sqlite"))
    log = SpoolLog(folder, linger=0, max_batch_entries=10)
    with subscribed(log) as subscription:
        batch = subscription.read(5)
    files.remove(segment)
    writer = log.writer()
    writer.append(entries("after"))
    with subscribed(log) as subscription:
        assert bodies(drain_until(subscription, bool)) == ["after"]
    writer.close()
    (loss,) = losses(folder)
    assert (loss.unreadable, loss.exact) == (len(batch.entries), False)
