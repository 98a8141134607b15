"""The tracker's script from the first start on: the snippet and the demo page work without a further command."""

from __future__ import annotations

import threading
from pathlib import Path

from snowgauge.actions.scripts.download import Source, download
from snowgauge.actions.scripts.settings import ScriptsSettings
from snowgauge.errors import SnowgaugeError
from snowgauge.telemetry.logs import logger

_SOURCES: tuple[Source, ...] = ("npm", "release")


def has_tracker(folder: Path) -> bool:
    """Whether the collector has the tracker's script to serve from this folder."""
    return (folder / "sp.js").is_file()


def fetch_tracker(settings: ScriptsSettings, folder: Path) -> bool:
    """Download the tracker where it is missing, from npm or else from Snowplow's releases; ``False`` if neither works.

    What is there is never replaced. A failure is one log line with the command that does the same.
    """
    if has_tracker(folder):
        return True
    log = logger("scripts")
    reasons = []
    for source in _SOURCES:
        try:
            done = download(settings, folder, source=source, force=True)
        except (SnowgaugeError, OSError) as error:
            reasons.append(f"{source}: {error}")
        else:
            log.info("tracker_downloaded", version=done.version, source=source, folder=str(folder))
            return True
    log.warning("tracker_not_downloaded", reasons=reasons, cure="run `snowgauge scripts download`")
    return False


def fetch_in_background(settings: ScriptsSettings, folder: Path) -> None:
    """As ``fetch_tracker``, beside what the process does; it ends with the process."""
    if settings.enabled and settings.download == "auto":
        threading.Thread(target=fetch_tracker, args=(settings, folder), name="tracker", daemon=True).start()
