"""Everything that is held about one person, as files that the person can be given: JSON, and CSV beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import msgspec

from snowgauge.actions import spreadsheet
from snowgauge.actions.lifetime.erasing import Erasing, Identifier
from snowgauge.actions.lifetime.files import written
from snowgauge.actions.lifetime.places import Progress, shown, silent
from snowgauge.actions.lifetime.pruning import own_part
from snowgauge.errors import SnowgaugeError


def export_person(
    erasing: Erasing, identifiers: Sequence[Identifier], folder: Path, progress: Progress = silent
) -> dict[str, int]:
    """Write ``<place>.json`` (one array) and ``<place>.csv`` for every place that holds something; answers how much.

    It finds what an erasure of the same identifiers would take out. Of requests that carry several persons' events
    only the person's own are given. The JSON is as stored; in the CSV no cell begins like a formula.
    """
    finder = erasing.finder(identifiers)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()):
        raise SnowgaugeError(f"{folder} is not empty: name a new folder, so that nothing of someone else gets mixed in")
    counts: dict[str, int] = {}
    for place in erasing.places:
        columns: dict[str, None] = {}
        count = 0
        rows = folder / f".{place.name}.rows"
        with rows.open("wb") as lines:
            for found in place.find(finder):
                value = shown(own_part(found.item, finder))
                row = {
                    "place": found.place,
                    "found_by": found.by,
                    **(value if isinstance(value, dict) else {"": value}),
                }
                columns.update(dict.fromkeys(row))
                lines.write(msgspec.json.encode(row) + b"\n")
                count += 1
                progress(place.name, count)
        if count:
            _finish(rows, folder / place.name, list(columns))
        rows.unlink()
        counts[place.name] = count
    return counts


def _finish(rows: Path, target: Path, columns: list[str]) -> None:
    with rows.open("rb") as lines, written(target.with_suffix(".json")) as file:
        for number, line in enumerate(lines):
            file.write(b"[\n" if not number else b",\n")
            file.write(line.rstrip(b"\n"))
        file.write(b"\n]\n")
    with rows.open("rb") as lines, written(target.with_suffix(".csv")) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(map(spreadsheet.cell, columns))
        for line in lines:
            row = msgspec.json.decode(line)
            writer.writerow([_cell(row.get(column)) for column in columns])
        text.flush()
        text.detach()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return spreadsheet.cell(value) if isinstance(value, str) else msgspec.json.encode(value).decode()
