"""Settings of the event log."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from snowgauge.part_settings import ByteSize, Duration, PartSettings


class EventLogSettings(PartSettings):
    backend: Literal["spool", "memory"] = "spool"
    """Where payloads wait between collector and pipeline. `spool`: files on this machine that survive a power cut.
    `memory`: lost when the process ends, and only for a collector and a pipeline in one process, as in tests."""

    folder: Path | None = None
    """Folder of the spool. Not set: `spool` below `common.data_dir`. It must be on a local disk, not a network one."""

    fsync: bool = True
    """Wait for the disk before a request is answered. `false` answers sooner on slow disks; then what came in the last
    seconds before a power cut can be lost, though not when only a process is killed."""

    max_bytes: ByteSize = Field(default=8 * 1024**3, ge=1024**2)
    """What the event log may take on disk. When it is reached the collector answers 503, so that trackers keep their
    events; nothing that waits is ever overwritten."""

    min_free_bytes: ByteSize = Field(default=256 * 1024**2, ge=0)
    """Room that stays free on the disk, and on that of `common.data_dir`; below it the collector answers 503 as well.
    What requests become is written down before it is stored; without room for that nothing would be stored and the
    disk would stay full. So it is at least 128 times `collector.streams.good.max_bytes`, and half as much is held back
    from others by a file `reserve` in the data folder."""

    segment_bytes: ByteSize = Field(default=64 * 1024**2, ge=64 * 1024)
    """Size at which a file of the spool is closed and a new one begun (at most an eighth of `max_bytes`). Stored
    entries free their room file by file."""

    max_batch_entries: int = Field(default=5000, ge=1)
    """Most entries that are enriched and stored together."""

    max_batch_bytes: ByteSize = Field(default=32 * 1024**2, ge=1)
    """Most bytes that are enriched and stored together; one entry that is larger goes alone."""

    linger: Duration = Field(default=timedelta(milliseconds=200), ge=timedelta(0))
    """How long an entry may wait for others to be stored with. Longer means fewer, larger inserts."""
