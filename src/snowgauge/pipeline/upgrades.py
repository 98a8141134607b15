"""Changing a store's layout that holds events already: a backup is offered first, and what was decided is written down.

A new store has nothing to lose and is laid out without a word. With the embedded engine the backup is taken here, into
``backups`` of the data folder; with a database server it is that server's own. ``upgrades.jsonl`` of the data folder
has a line for every change: when, by which version, which steps, and where the backup is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

import snowgauge
from snowgauge.errors import SnowgaugeError
from snowgauge.events.timestamps import iso_text
from snowgauge.pipeline import build
from snowgauge.pipeline.lifetime import take_backup
from snowgauge.settings.model import Settings
from snowgauge.store.base import Migration, Migrator
from snowgauge.telemetry.logs import logger

_log = logger("upgrade")

Choice = Literal["ask", "always", "never"]
Ask = Callable[[list[Migration], bool], Choice]
"""Asks a person about steps; the flag says whether a backup can be taken here. "ask" back means: change nothing."""


class Record(msgspec.Struct, frozen=True):
    """One change of the layout. ``backup`` is empty where none was taken here."""

    at: str
    version: str
    steps: list[str]
    backup: str
    decided: str


def pending(store: Migrator) -> list[Migration]:
    """Steps that would change tables which are there already; none for a store that is new or up to date."""
    steps = store.migrations()
    missing = [step for step in steps if step.applied_at is None]
    return missing if len(missing) < len(steps) else []


def migrate(settings: Settings, store: Migrator, *, ask: Ask | None = None) -> list[Migration]:
    """Bring the layout up to date, after the backup that the settings, or the person asked, want.

    Unattended (no ``ask``) the setting ``ask`` means to go on without: no step drops events, and each can be repeated.
    Raises ``SnowgaugeError`` where a backup is wanted and cannot be had; nothing is changed then.
    """
    steps = pending(store)
    if not steps:
        return store.migrate()
    choice: Choice = settings.store.backup_before_upgrade
    decided = "the setting"
    if choice == "ask" and ask is not None:
        choice, decided = ask(steps, build.embedded(settings)), "a person"
        if choice == "ask":
            raise SnowgaugeError("nothing was changed: the layout stays as it was")
    backup = ""
    if choice == "always":
        backup = str(_backup(settings))
    elif choice == "ask":
        decided = "nobody was asked"
        _log.warning(
            "upgrading_without_backup",
            steps=[step.name for step in steps],
            note="every step can be repeated, and none drops events; `store.backup_before_upgrade` can ask for one",
        )
    applied = store.migrate()
    _write(settings, Record(iso_text(_now()), snowgauge.__version__, [step.name for step in applied], backup, decided))
    return applied


def records(settings: Settings) -> list[Record]:
    """Every change so far, oldest first."""
    try:
        lines = _file(settings).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=Record) for line in lines if line.strip()]


def _backup(settings: Settings) -> Path:
    if not build.embedded(settings):
        raise SnowgaugeError(
            "store.backup_before_upgrade: backups of a database server are that server's own (BACKUP, pg_dump, a "
            "snapshot); make one, then set it to never for this start"
        )
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    folder = build.data_dir(settings) / "backups" / f"before-{snowgauge.__version__}-{stamp}"
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _log.info("backup_started", folder=str(folder))
    take_backup(settings, folder)
    _log.info("backup_taken", folder=str(folder))
    return folder


def _write(settings: Settings, record: Record) -> None:
    handle = os.open(_file(settings), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(handle, "ab") as file:
        file.write(msgspec.json.encode(record) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _file(settings: Settings) -> Path:
    return build.data_dir(settings) / "upgrades.jsonl"


def _now() -> int:
    return int(time.time() * 1000)
