"""What the modeller remembers in the store between runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from snowgauge.modelling.events import Unit
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import Change, ModelStore
from snowgauge.modelling.tables.bookkeeping import DIRTY, QUARANTINE, STATE

_ALL = "*"
_DEFINITIONS = "definitions"
_FROZEN = "frozen"


class Progress(msgspec.Struct):
    """``position``: load_tstamp up to which stored events were looked at, ms; ``None``: never. ``until``: everything
    stored before is modelled. ``rebuild_day``: the next day to make again, going back."""

    position: int | None = None
    until: int = 0
    version: int = 0
    definitions: str = ""
    rebuild_day: int | None = None
    error: str = ""
    updated_at: int = 0
    frozen: dict[str, int] = msgspec.field(default_factory=dict)
    """Application -> instant before which its events may be gone by retention; ``''``: all that are not named."""

    def is_frozen(self, app_id: str, start: int) -> bool:
        """Is a session that started then never to be made again?"""
        return start < self.frozen.get(app_id, self.frozen.get("", 0))


class ModelState:
    """The bookkeeping of one deployment."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def read(self) -> Progress:
        progress = Progress()
        for row in self._store.all_rows(STATE):
            if row["table"] == _ALL:
                progress.position = int(row["ledger_position"]) if row["ledger_position"] else None
                progress.until = row["modelled_until"]
                progress.version = row["model_version"]
                progress.rebuild_day = row["rebuild_day"]
                progress.error = row["error"]
                progress.updated_at = row["updated_at"]
            elif row["table"] == _DEFINITIONS:
                progress.definitions = row["ledger_position"]
            elif row["table"] == _FROZEN:
                progress.frozen[row["app_id"]] = row["modelled_until"]
        return progress

    def write(self, progress: Progress, now: int) -> None:
        position = "" if progress.position is None else str(progress.position)
        common = {"model_version": progress.version, "modelled_until": progress.until, "updated_at": now}
        self._store.replace(
            [
                Change(
                    STATE,
                    [],
                    [
                        common
                        | {
                            "table": _ALL,
                            "app_id": "",
                            "ledger_position": position,
                            "rebuild_day": progress.rebuild_day,
                            "error": progress.error[:2000],
                        },
                        common | {"table": _DEFINITIONS, "app_id": "", "ledger_position": progress.definitions},
                    ],
                )
            ],
            now * 1000,
        )

    def freeze(self, before: dict[str, int], now: int) -> None:
        """Remember that events of these applications (``''``: of all others) before an instant may be gone."""
        known = self.read().frozen
        rows: list[Row] = [
            {"table": _FROZEN, "app_id": app_id, "modelled_until": max(at, known.get(app_id, 0)), "updated_at": now}
            for app_id, at in before.items()
        ]
        self._store.replace([Change(STATE, [], rows)], now * 1000)

    def dirty(self) -> list[Row]:
        return self._store.all_rows(DIRTY)

    def mark_dirty(self, units: Iterable[Unit], reason: str, cause: str, now: int) -> None:
        """Have units made again at the next run, whatever becomes of this process."""
        rows: list[Row] = [
            {
                "unit": unit.name,
                "kind": unit.kind,
                "since": unit.since,
                "until": unit.until,
                "reason": reason,
                "batch_id": cause,
                "at": now,
            }
            for unit in units
        ]
        if rows:
            self._store.replace([Change(DIRTY, [], rows)], now * 1000)

    def done(self, rows: Sequence[Row], now: int) -> None:
        """These rows of ``dirty`` have been seen to."""
        if rows:
            # a mark of deletion must be newer than the row
            later = max(now, *(row["at"] + 1 for row in rows))
            self._store.replace([Change(DIRTY, [row | {"at": later} for row in rows], [])], later * 1000)

    def quarantined(self) -> list[Row]:
        return self._store.all_rows(QUARANTINE)
