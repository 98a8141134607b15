"""Entries are changed where they lie: batches keep their boundaries, and the old bytes leave the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowgauge.delivery.contract import EventLog
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.spool import SpoolLog
from snowgauge.events.log_entry import LogEntry

SECRET = b"secret-" * 4000


@pytest.fixture(params=["spool", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> EventLog:
    return MemoryLog() if request.param == "memory" else SpoolLog(tmp_path / "spool", min_free_bytes=0, linger=0)


def change(entry: LogEntry) -> LogEntry | None:
    if b"secret" not in entry.body:
        return entry
    if entry.body.startswith(b"half"):
        return LogEntry(entry.body.replace(b"secret", b"......"), entry.received_at)
    return None


def test_a_batch_that_is_out_comes_again_with_its_id_and_the_changed_entries(log: EventLog) -> None:
    writer = log.writer()
    entries = [LogEntry(b"a", 1), LogEntry(SECRET, 2), LogEntry(b"half secret", 3), LogEntry(b"d", 4, "bad_row")]
    writer.append(entries)
    first = log.subscribe()
    before = first.read(5)
    assert before is not None
    first.close()
    done = log.amend(change)
    assert (done.seen, done.changed, list(done.notes)) == (4, 2, [])
    again = log.subscribe()
    batch = again.read(5)
    assert batch is not None
    assert batch.id == before.id
    assert list(batch.entries) == [
        entries[0], LogEntry(bytes(len(SECRET)), 2, "erased"), LogEntry(b"half ......", 3), entries[3],
    ]  # fmt: skip
    # a writer goes on in the segment that was changed
    writer.append([LogEntry(b"e", 5)])
    again.commit(batch)
    following = again.read(5)
    assert following is not None
    assert [entry.body for entry in following.entries] == [b"e"]
    assert log.amend(change).changed == 0
    again.close()
    writer.close()


def test_no_file_of_the_spool_holds_the_old_bytes_while_a_writer_and_a_reader_have_it_open(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path, min_free_bytes=0, linger=0)
    writer = log.writer()
    for n in range(20):
        writer.append([LogEntry(SECRET + b"%d" % n, n), LogEntry(b"other", n)])
    reader = log.subscribe()
    assert reader.read(5) is not None
    assert log.amend(change).notes == ()
    for file in tmp_path.iterdir():
        assert b"secret" not in file.read_bytes(), file
    writer.append([LogEntry(b"later", 30)])
    assert sum(entry.kind == "payload" for entry in log.peek()) == 21
    reader.close()
    writer.close()


def test_what_is_stored_and_not_deleted_yet_is_changed_too(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path, min_free_bytes=0, linger=0)
    writer = log.writer()
    writer.append([LogEntry(SECRET, 1)])
    reader = log.subscribe()
    batch = reader.read(5)
    assert batch is not None
    reader.commit(batch)
    assert log.stats().entries == 0
    assert log.amend(change).changed == 1
    assert not any(b"secret" in file.read_bytes() for file in tmp_path.iterdir())
    reader.close()
    writer.close()


def test_an_entry_keeps_its_length(log: EventLog) -> None:
    writer = log.writer()
    writer.append([LogEntry(b"abc", 1)])
    with pytest.raises(ValueError, match="3 bytes"):
        log.amend(lambda entry: LogEntry(b"x", entry.received_at))
    writer.close()
