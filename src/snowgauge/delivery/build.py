"""Makes the event log that the settings describe."""

from __future__ import annotations

from pathlib import Path

from snowgauge.delivery.contract import EventLog
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.reserve import Reserve
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.delivery.spool import SpoolLog


def build(settings: EventLogSettings, data_dir: Path) -> EventLog:
    """The log of a deployment. Opening the same spool again, from any process, gives the same log."""
    if settings.backend == "memory":
        return MemoryLog(
            capacity_bytes=settings.max_bytes,
            max_batch_entries=settings.max_batch_entries,
            max_batch_bytes=settings.max_batch_bytes,
        )
    return SpoolLog(
        settings.folder or data_dir / "spool",
        max_bytes=settings.max_bytes,
        min_free_bytes=settings.min_free_bytes,
        segment_bytes=settings.segment_bytes,
        max_batch_entries=settings.max_batch_entries,
        max_batch_bytes=settings.max_batch_bytes,
        linger=settings.linger.total_seconds(),
        fsync=settings.fsync,
        drain_folder=data_dir,
    )


def reserve(settings: EventLogSettings, data_dir: Path) -> Reserve:
    """The room for emptying the log, for those who write results down."""
    return Reserve(data_dir, settings.min_free_bytes)
