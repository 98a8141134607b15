"""Imports of daily sums: taken whole or not at all, the same content once, days of one report once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import orjson

from snowgauge.actions.imports.daily import google, plausible, umami
from snowgauge.actions.imports.daily.lines import CsvFile, csv_files
from snowgauge.actions.imports.daily.sums import Sums
from snowgauge.errors import ActionRefused
from snowgauge.modelling.applications import Application
from snowgauge.modelling.store import Change, ModelStore
from snowgauge.modelling.tables import IMPORTED_DAYS, IMPORTS

Product = Literal["plausible", "umami", "ga4"]
_TAKEN = {"plausible": plausible.take, "umami": umami.take, "ga4": google.take}
_ROWS_TOGETHER = 20_000
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class DailyImport:
    """``reports``: report -> its first and last day. ``at``: when it was imported, ms."""

    id: str
    app_id: str
    product: str
    first_day: str
    last_day: str
    rows: int
    views: int
    reports: dict[str, tuple[str, str]]
    files: list[str]
    at: int


@dataclass(frozen=True)
class Took:
    """``repeated``: it was there already, and nothing was done."""

    imported: DailyImport
    repeated: bool


class DailyImports:
    """Those of a deployment."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def all(self) -> list[DailyImport]:
        """The newest first."""
        return sorted((_read(row) for row in self._store.all_rows(IMPORTS)), key=lambda one: (-one.at, one.id))

    def take(self, product: Product, paths: Sequence[Path], app_id: str, application: Application) -> Took:
        """Import files. Raises ``ActionRefused`` for what is wrong with them, and for days that another import has."""
        if not app_id or len(app_id) > 200:
            raise ActionRefused("say which application it is for: its app_id, of 200 characters at most", status=422)
        sums = Sums(application)
        names: list[str] = []
        _TAKEN[product](_noted(csv_files(paths), names), sums)
        if not len(sums):
            raise ActionRefused("there are no rows in it", status=422)
        id_ = sums.digest(app_id)
        held = self.all()
        if known := next((one for one in held if one.id == id_), None):
            return Took(known, repeated=True)
        reports = {report: (_text(first), _text(last)) for report, (first, last) in sorted(sums.reports().items())}
        _refuse_days_twice(reports, [one for one in held if one.app_id == app_id])
        now = self._store.now()
        first, last = min(days[0] for days in reports.values()), max(days[1] for days in reports.values())
        made = DailyImport(id_, app_id, product, first, last, len(sums), sums.views(), reports, names[:100], now)
        # what an import that broke off has left
        self._store.drop(IMPORTED_DAYS, "import_id", [id_])
        rows = ({**row, "import_id": id_, "app_id": app_id} for row in sums.rows())
        while piece := list(islice(rows, _ROWS_TOGETHER)):
            self._store.replace([Change(IMPORTED_DAYS, [], piece)], now * 1000)
        self._store.replace([Change(IMPORTS, [], [_row(made)])], now * 1000)
        return Took(made, repeated=False)

    def remove(self, id_: str) -> DailyImport:
        """Raises ``ActionRefused`` for an id that no import has."""
        found = next((one for one in self.all() if one.id == id_), None)
        if found is None:
            raise ActionRefused(f"there is no import {id_[:40]!r}: `snowgauge import list` shows them", status=404)
        self._store.drop(IMPORTS, "id", [id_])
        self._store.drop(IMPORTED_DAYS, "import_id", [id_])
        return found


def _noted(files: Iterator[CsvFile], names: list[str]) -> Iterator[CsvFile]:
    for file in files:
        names.append(file.name)
        yield file


def _refuse_days_twice(reports: dict[str, tuple[str, str]], held: Sequence[DailyImport]) -> None:
    for one in held:
        for report, (first, last) in reports.items():
            known = one.reports.get(report)
            if known is not None and known[0] <= last and known[1] >= first:
                raise ActionRefused(
                    f"{report} from {first} to {last}: import {one.id} ({one.product}) has {known[0]} to {known[1]}, "
                    f"and a day counts once. Remove that one first: snowgauge import remove {one.id}",
                    status=409,
                )


def _row(one: DailyImport) -> dict[str, Any]:
    return {
        "id": one.id,
        "app_id": one.app_id,
        "product": one.product,
        "first_day": _number(one.first_day),
        "last_day": _number(one.last_day),
        "rows": one.rows,
        "views": one.views,
        "reports": orjson.dumps(one.reports).decode(),
        "files": orjson.dumps(one.files).decode(),
        "at": one.at,
    }


def _read(row: dict[str, Any]) -> DailyImport:
    reports = {report: (days[0], days[1]) for report, days in orjson.loads(row["reports"]).items()}
    return DailyImport(
        row["id"], row["app_id"], row["product"], _text(row["first_day"]), _text(row["last_day"]), row["rows"],
        row["views"], reports, orjson.loads(row["files"]), row["at"],
    )  # fmt: skip


def _text(day: int) -> str:
    return date.fromordinal(day + _EPOCH).isoformat()


def _number(day: str) -> int:
    return date.fromisoformat(day).toordinal() - _EPOCH
