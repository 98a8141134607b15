"""Settings of the spool."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from snowgauge.delivery.backends import LogPlace, LogSettings
from snowgauge.delivery.contract import EventLog
from snowgauge.part_settings import ByteSize


class SpoolSettings(LogSettings):
    """Files on this machine that survive a power cut."""

    folder: Path | None = None
    """Folder of the spool. Not set: `spool` below `common.data_dir`. It must be on a local disk, not a network one."""

    fsync: bool = True
    """Wait for the disk before a request is answered. `false` answers sooner on slow disks; then what came in the last
    seconds before a power cut can be lost, though not when only a process is killed."""

    max_bytes: ByteSize = Field(default=8 * 1024**3, ge=1024**2)
    """What the spool may take on disk. When it is reached the collector answers 503, so that trackers keep their
    events; nothing that waits is ever overwritten."""

    min_free_bytes: ByteSize = Field(default=256 * 1024**2, ge=0)
    """Room that stays free on the disk, and on that of `common.data_dir`; below it the collector answers 503 as well.
    What requests become is written down before it is stored; without room for that nothing would be stored and the
    disk would stay full. So it is at least 128 times `collector.streams.good.max_bytes`, and half as much is held back
    from others by a file `reserve` in the data folder."""

    segment_bytes: ByteSize = Field(default=64 * 1024**2, ge=64 * 1024)
    """Size at which a file of the spool is closed and a new one begun (at most an eighth of `max_bytes`). Stored
    entries free their room file by file."""

    def open(self, url: str, place: LogPlace) -> EventLog:  # noqa: ARG002 - there is one spool
        from snowgauge.delivery.spool.log import SpoolLog

        limits = place.limits
        return SpoolLog(
            self.folder or place.data_dir / "spool",
            max_bytes=self.max_bytes,
            min_free_bytes=self.min_free_bytes,
            segment_bytes=self.segment_bytes,
            max_batch_entries=limits.entries,
            max_batch_bytes=limits.bytes,
            linger=limits.linger,
            fsync=self.fsync,
            drain_folder=place.data_dir,
        )
