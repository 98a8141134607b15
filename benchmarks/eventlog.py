"""How fast the spool keeps and gives entries, beside the disk's own rate in the same run.

Usage: python benchmarks/eventlog.py [folder]        (the folder decides which disk; default: bench-data)
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from pathlib import Path

from snowgauge.delivery.contract import EventLog
from snowgauge.delivery.spool import SpoolLog
from snowgauge.events.log_entry import LogEntry

SECONDS = 3.0
ENTRY_BYTES = 3072
GROUP = 64


def syncs_per_second(folder: Path, size: int) -> float:
    """How often the disk can make ``size`` new bytes durable."""
    file = folder / "probe"
    data = os.urandom(size)
    handle = os.open(file, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        count, started = 0, time.perf_counter()
        while time.perf_counter() - started < SECONDS / 2:
            os.pwrite(handle, data, count * size)
            os.fdatasync(handle)
            count += 1
        return count / (time.perf_counter() - started)
    finally:
        os.close(handle)
        file.unlink()


def group(size: int) -> list[LogEntry]:
    now = int(time.time() * 1000)
    return [LogEntry(os.urandom(ENTRY_BYTES), now) for _ in range(size)]


def append_rate(log: EventLog, entries: list[LogEntry]) -> float:
    writer = log.writer()
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        writer.append(entries)
        count += len(entries)
    rate = count / (time.perf_counter() - started)
    writer.close()
    return rate


def read_rate(log: EventLog) -> float:
    subscription = log.subscribe()
    count, started = 0, time.perf_counter()
    while batch := subscription.read(0):
        subscription.commit(batch)
        count += len(batch.entries)
    rate = count / (time.perf_counter() - started)
    subscription.close()
    return rate


def delays(log: EventLog) -> list[float]:
    """Milliseconds from the start of an append to its entry in the reader's hand, one entry at a time."""
    writer, subscription = log.writer(), log.subscribe()
    started: list[float] = []

    def write() -> None:
        for _ in range(100):
            time.sleep(0.02)
            started.append(time.perf_counter())
            writer.append([LogEntry(b"x" * ENTRY_BYTES, int(time.time() * 1000))])

    thread = threading.Thread(target=write)
    thread.start()
    found: list[float] = []
    while len(found) < 100:
        batch = subscription.read(1)
        if batch is not None:
            now = time.perf_counter()
            found += [(now - at) * 1000 for at in started[len(found) : len(found) + len(batch.entries)]]
            subscription.commit(batch)
    thread.join()
    writer.close()
    subscription.close()
    return sorted(found)


def idle_share(log: EventLog) -> float:
    """Part of one core that a reader takes while nothing comes."""
    writer, subscription = log.writer(), log.subscribe()
    writer.append(group(1))
    while batch := subscription.read(0):
        subscription.commit(batch)
    before = time.process_time()
    subscription.read(SECONDS)
    share = (time.process_time() - before) / SECONDS
    writer.close()
    subscription.close()
    return share


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "bench-data") / "eventlog"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def fresh(**settings: bool | float) -> EventLog:
        shutil.rmtree(folder / "spool", ignore_errors=True)
        return SpoolLog(folder / "spool", **settings)  # type: ignore[arg-type]

    alone, together = ENTRY_BYTES, ENTRY_BYTES * GROUP
    rows: list[tuple[str, float, str, float | None]] = []
    for size, label in ((alone, "one at a time"), (together, f"groups of {GROUP}")):
        entries = group(size // ENTRY_BYTES)
        limit = syncs_per_second(folder, size) * len(entries)
        rows.append((f"append, {label}", append_rate(fresh(), entries), "entries/s", limit))
    rows.append(
        (
            f"append, groups of {GROUP}, fsync off",
            append_rate(log := fresh(fsync=False), group(GROUP)),
            "entries/s",
            None,
        )
    )
    rows.append(("read and commit", read_rate(log), "entries/s", None))
    found = delays(fresh(linger=0.0))
    rows.append(("append to read, median", found[50], "ms", None))
    rows.append(("append to read, p95", found[95], "ms", None))
    rows.append(("reader while idle", 100 * idle_share(fresh()), "% of a core", None))
    print(f"{'entries of ' + str(ENTRY_BYTES) + ' bytes':<40}{'measured':>12}  {'':<12}{'disk limit':>12}")
    for name, value, unit, disk in rows:
        limit_text = f"{disk:>12,.0f}" if disk is not None else ""
        print(f"{name:<40}{value:>12,.1f}  {unit:<12}{limit_text}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
