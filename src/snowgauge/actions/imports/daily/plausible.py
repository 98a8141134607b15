"""Plausible's export: a ZIP of ten tables, ``imported_<table>_<first>_<last>.csv``, each with sums by day.

The format is that of Plausible's documentation, "Import stats using CSV files", and of its exporter; columns differ
between versions, so any of them may be missing, and those that are not known are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from snowgauge.actions.imports.daily.lines import CsvFile
from snowgauge.actions.imports.daily.sums import Sums, Visited, day_of, device, whole
from snowgauge.errors import ActionRefused

_NAME = re.compile(r"(imported_[a-z]+(?:_[a-z]+)*?)(?:_\d{8}_\d{8})?\.csv", re.IGNORECASE)
_Get = Callable[[str], str]
_Values = Callable[[_Get, Sums], Mapping[str, str]]

_COUNTS = {
    "visitors": "visitors", "visits": "visits", "entrances": "visits", "exits": "visits", "pageviews": "views",
    "bounces": "bounces", "visit_duration": "duration_s", "events": "events",
}  # fmt: skip
"""Their columns of figures, and ours."""


def _origin(get: _Get, sums: Sums) -> Mapping[str, str]:
    referrer = get("referrer")
    host, slash, path = (referrer.partition("://")[2] or referrer).partition("/")
    return sums.origin(
        Visited(
            get("source"), host.lower(), slash + path, get("utm_medium"), get("utm_source"), get("utm_campaign"),
            get("utm_content"), get("utm_term"),
        )
    )  # fmt: skip


def _place(get: _Get, _sums: Sums) -> Mapping[str, str]:
    """A city is a number of GeoNames there, which no name follows from here."""
    country = get("country").upper()
    return {"geo_country": country, "geo_region": get("region").upper().removeprefix(f"{country}-")}


_TABLES: dict[str, tuple[str, _Values]] = {
    "imported_visitors": ("visits", lambda _get, _sums: {}),
    "imported_sources": ("sources", _origin),
    "imported_pages": (
        "pages", lambda get, sums: {"page_urlhost": get("hostname").lower(), "page_path": sums.page(get("page"))}
    ),
    "imported_entry_pages": ("entry_pages", lambda get, sums: {"entry_path": sums.page(get("entry_page"))}),
    "imported_exit_pages": ("exit_pages", lambda get, sums: {"exit_path": sums.page(get("exit_page"))}),
    "imported_locations": ("locations", _place),
    "imported_devices": ("devices", lambda get, _sums: {"dvce_type": device(get("device"))}),
    "imported_browsers": (
        "browsers", lambda get, _sums: {"br_family": get("browser"), "br_version": get("browser_version")}
    ),
    "imported_operating_systems": (
        "systems",
        lambda get, _sums: {"os_family": get("operating_system"), "os_version": get("operating_system_version")},
    ),
    "imported_custom_events": ("events", lambda get, _sums: {"event_name": get("name")}),
}  # fmt: skip
"""Their tables: our report, and its values in one of their rows."""


def take(files: Iterable[CsvFile], sums: Sums) -> None:
    """Raises ``ActionRefused`` with file, line and value."""
    for file in files:
        named = _NAME.fullmatch(file.name)
        table = _TABLES.get(named[1].lower()) if named else None
        if table is None:
            raise ActionRefused(
                f"{file.name} is no table of Plausible's export: they are called like "
                f"imported_pages_20250101_20251231.csv, and there are {', '.join(_TABLES)}",
                status=422,
            )
        _table(file, sums, *table)


def _table(file: CsvFile, sums: Sums, report: str, values: _Values) -> None:
    _, header = next(file.lines, (0, []))
    columns = {name.strip().lower(): at for at, name in enumerate(header)}
    if "date" not in columns:
        found = ", ".join(header)[:100]
        raise ActionRefused(f"{file.place(1)}: there is no column date, only {found!r}", status=422)
    figures = [(name, at, _COUNTS[name]) for name, at in columns.items() if name in _COUNTS]
    if report == "exit_pages":  # of these their visits are what ended there
        figures = [one for one in figures if one[0] in ("visitors", "exits")]
    for line, cells in file.lines:
        if not cells:
            continue
        place = file.place(line)
        if len(cells) != len(header):
            raise ActionRefused(f"{place}: {len(cells)} cells, and the header has {len(header)}", status=422)

        def get(name: str, cells: list[str] = cells) -> str:
            return cells[columns[name]].strip() if name in columns else ""

        counted: dict[str, int] = {}
        for name, at, ours in figures:
            counted[ours] = counted.get(ours, 0) + whole(cells[at], f"{place}, {name}")
        sums.add(day_of(get("date"), place), report, values(get, sums), counted)
