"""Entries that were acknowledged and cannot be read any more: said in the log, counted, and noted for a person."""

from __future__ import annotations

from pathlib import Path

import msgspec

from snowgauge.delivery.spool import folder as files
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

log = logger("eventlog")

_SUFFIX = ".report.json"


class Loss(msgspec.Struct, frozen=True):
    """What became of a segment that was damaged or is gone. ``exact``: the segment's own count of entries was there;
    without it ``unreadable`` counts the gaps between those that were saved. ``found_at``: clock seconds."""

    segment: str
    reason: str
    saved: int
    unreadable: int
    exact: bool
    found_at: float


def report(folder: Path, loss: Loss, set_aside: Path | None) -> None:
    """Tell of a loss. ``set_aside``: where the damaged file is kept; ``None`` if there is no file."""
    count("eventlog_unreadable", loss.unreadable)
    log.error(
        "eventlog_segment_damaged" if set_aside else "eventlog_segment_gone",
        file=loss.segment,
        reason=loss.reason,
        saved_entries=loss.saved,
        unreadable_entries=loss.unreadable if loss.exact else f"at least {loss.unreadable}",
        set_aside=str(set_aside or "there is no file"),
        effect="unreadable entries are not stored" if loss.unreadable or not loss.exact else "nothing is lost",
    )
    aside = folder / files.DAMAGED
    name = set_aside.name if set_aside else loss.segment
    try:
        aside.mkdir(exist_ok=True)
        (aside / f"{name}{_SUFFIX}").write_bytes(msgspec.json.encode(loss))
    except OSError as error:  # the disk may be full; what is above stands
        log.error("eventlog_report_not_written", file=loss.segment, reason=str(error))


def losses(folder: Path) -> list[Loss]:
    """All that were reported and whose report still lies in the folder of damaged files."""
    aside = folder / files.DAMAGED
    found = []
    for file in sorted(aside.glob(f"*{_SUFFIX}")) if aside.is_dir() else ():
        try:
            found.append(msgspec.json.decode(file.read_bytes(), type=Loss))
        except (OSError, msgspec.MsgspecError):  # deleted meanwhile, or not one of ours
            continue
    return found
