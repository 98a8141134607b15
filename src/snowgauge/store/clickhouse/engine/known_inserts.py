"""Inserts that the engine takes for known, and has no rows of.

It writes the token of an insert into the log of its table before it gives the part its name (measured, chDB 4.4: a
tenth of a millisecond before, and longer on a busy machine). Killed in between, it has the token and not the part, and
what was never confirmed is taken for known when it comes again. So before a folder is opened its logs are held against
the parts that lie there.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from math import inf
from pathlib import Path

from snowgauge.telemetry.logs import logger

log = logger("clickhouse")
_LOGS = "deduplication_logs"
_PART = re.compile(r"(?P<partition>.+?)_(?P<first>\d+)_(?P<last>\d+)_\d+(_\d+)?")
_BEING_MADE = ("tmp_", "tmp-fetch_", "delete_tmp_")
_ADDED = "1"


_Spans = dict[str, list[tuple[int, int]]]
"""The numbers of the inserts that are there, by partition: first and last of each row of them, ascending."""


def forget_unwritten(folder: Path) -> None:
    """Take the tokens out of the logs below an engine's folder whose parts are not there, nor any they went into."""
    for logs in (*folder.glob(f"store/*/*/{_LOGS}"), *folder.glob(f"data/*/*/{_LOGS}")):
        there = _there(logs.parent)
        for file in sorted(logs.glob("*.txt")):
            lines = file.read_text("utf-8", "surrogateescape").splitlines(keepends=True)
            kept = [line for line in lines if _stands(line, there)]
            if len(kept) < len(lines):
                log.warning(
                    "engine_inserts_forgotten",
                    file=str(file),
                    inserts=len(lines) - len(kept),
                    effect="they were never confirmed, and are stored when they come again",
                )
                _replace(file, "".join(kept))


def _there(table: Path) -> _Spans:
    found: _Spans = {}
    with os.scandir(table) as entries:
        for entry in entries:
            part = _PART.fullmatch(entry.name)
            if part and not entry.name.startswith(_BEING_MADE):
                found.setdefault(part["partition"], []).append((int(part["first"]), int(part["last"])))
    return {partition: _joined(sorted(spans)) for partition, spans in found.items()}


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those within others, which merges leave for a while."""
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def _stands(line: str, there: _Spans) -> bool:
    """``line``: 1 for an insert or 2 for one that was dropped, the name of its part, its token."""
    kind, _, rest = line.partition("\t")
    name, _, token = rest.partition("\t")
    part = _PART.fullmatch(name)
    if part is None or not token.endswith("\n"):  # the disk was full
        return False
    if kind != _ADDED:
        return True
    number = int(part["first"])
    spans = there.get(part["partition"], [])
    at = bisect_right(spans, (number, inf)) - 1
    return at >= 0 and number <= spans[at][1]


def _replace(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.new")
    with new.open("w", encoding="utf-8", errors="surrogateescape") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    new.rename(file)
