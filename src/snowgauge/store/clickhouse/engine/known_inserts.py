"""Inserts that the engine takes for known, and has no rows of.

It writes the token of an insert into the log of its table before it gives the part its name (measured, chDB 4.4: a
tenth of a millisecond before, and longer on a busy machine). Killed in between, it has the token and not the part, and
what was never confirmed is taken for known when it comes again. So before a folder is opened its logs are held against
the parts that lie there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from snowgauge.telemetry.logs import logger

log = logger("clickhouse")
_LOGS = "deduplication_logs"
_PART = re.compile(r"(?P<partition>.+?)_(?P<first>\d+)_(?P<last>\d+)_\d+(_\d+)?")
_BEING_MADE = ("tmp_", "tmp-fetch_", "delete_tmp_")
_ADDED = "1"


class _Blocks(NamedTuple):
    """What a part holds: inserts by their number, of one partition."""

    partition: str
    first: int
    last: int


def forget_unwritten(folder: Path) -> None:
    """Take the tokens out of the logs below an engine's folder whose parts are not there, nor any they went into."""
    for logs in (*folder.glob(f"store/*/*/{_LOGS}"), *folder.glob(f"data/*/*/{_LOGS}")):
        parts = list(_parts(logs.parent))
        for file in sorted(logs.glob("*.txt")):
            lines = file.read_text("utf-8", "surrogateescape").splitlines(keepends=True)
            kept = [line for line in lines if _stands(line, parts)]
            if len(kept) < len(lines):
                log.warning(
                    "engine_inserts_forgotten",
                    file=str(file),
                    inserts=len(lines) - len(kept),
                    effect="they were never confirmed, and are stored when they come again",
                )
                _replace(file, "".join(kept))


def _parts(table: Path) -> Iterator[_Blocks]:
    with os.scandir(table) as entries:
        for entry in entries:
            found = _PART.fullmatch(entry.name)
            if found and not entry.name.startswith(_BEING_MADE):
                yield _Blocks(found["partition"], int(found["first"]), int(found["last"]))


def _stands(line: str, parts: list[_Blocks]) -> bool:
    """``line``: 1 for an insert or 2 for one that was dropped, the name of its part, its token."""
    kind, _, rest = line.partition("\t")
    name, _, token = rest.partition("\t")
    found = _PART.fullmatch(name)
    if found is None or not token.endswith("\n"):  # the disk was full
        return False
    partition, first, last = found["partition"], int(found["first"]), int(found["last"])
    return kind != _ADDED or any(
        one.partition == partition and one.first <= first and last <= one.last for one in parts
    )


def _replace(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.new")
    with new.open("w", encoding="utf-8", errors="surrogateescape") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    new.rename(file)
