"""Copies a Simple Snowplow table into the store: in batches that are stored once however often this is run.

A batch's id is made of its content, so a copy that broke off, or one of a table that has grown, is simply run again.
Days that are through are noted in a file and not read again unless their number of rows changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

from snowgauge.actions.simple_snowplow.rows import Rows
from snowgauge.errors import ActionRefused
from snowgauge.store.base import EventStore, Filter, Selection, StoreBatch

_ROWS = 5_000


class SourceTable(Protocol):
    """Where rows come from; ``store.clickhouse.foreign_table`` is one."""

    name: str

    def engine(self) -> tuple[str, str]: ...

    def columns(self) -> list[str]: ...

    def days(self) -> list[tuple[str, int]]: ...

    def distinct(self) -> int: ...

    def rows(self, day: str) -> Iterator[dict[str, Any]]: ...


class TakeOver(msgspec.Struct):
    """``rows`` of the source, ``distinct`` event ids among them; ``written`` now, ``known`` from an earlier run;
    ``refused`` by the database and kept as failed events; ``found``: events of this table in the store at the end."""

    table: str
    days: int = 0
    rows: int = 0
    distinct: int = 0
    written: int = 0
    known: int = 0
    refused: int = 0
    found: int = 0

    @property
    def complete(self) -> bool:
        """Is every event of the source in the store?"""
        return self.found + self.refused >= self.distinct


class Notes:
    """Days that are through, with their number of rows, in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._days: dict[str, int] = msgspec.json.decode(file.read_bytes(), type=dict[str, int])
        except (FileNotFoundError, msgspec.MsgspecError):
            self._days = {}

    def through(self, day: str, rows: int) -> bool:
        return self._days.get(day) == rows

    def note(self, day: str, rows: int) -> None:
        self._days[day] = rows
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._file.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(self._days))
        os.replace(part, self._file)


def plan(table: SourceTable) -> TakeOver:
    """What there is to copy. Raises ``ActionRefused`` when the table is none of Simple Snowplow's."""
    engine, comment = table.engine()
    if engine == "View" and "Snowgauge" in comment:
        raise ActionRefused(f"{table.name} is Snowgauge's own view: there is nothing to take over")
    missing = {"event_id", "time", "event_type", "platform", "page"} - set(table.columns())
    if missing:
        raise ActionRefused(
            f"{table.name} is no table of Simple Snowplow: it lacks the columns {', '.join(sorted(missing))}"
        )
    days = table.days()
    return TakeOver(table.name, days=len(days), rows=sum(rows for _, rows in days), distinct=table.distinct())


def take_over(
    table: SourceTable,
    rows: Rows,
    store: EventStore,
    notes: Notes,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> TakeOver:
    """Copy, then count in the store. ``progress`` is told the number of source rows done."""
    done = plan(table)
    for day, number in table.days():
        if notes.through(day, number):
            done.known += number
            progress(number)
            continue
        read = 0
        for lines in _parts(table.rows(day)):
            events = [rows.event(line) for line in lines]
            result = store.write(StoreBatch(_batch_id(rows.mark, lines), events))
            if result.repeated:
                done.known += len(events)
            else:
                done.written += result.events
                done.refused += result.refused
            read += len(lines)
            progress(len(lines))
        notes.note(day, read)
    done.found = store.count("good", Selection(filters=[Filter("etl_tags", "in", [rows.mark])]))
    return done


def _parts(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == _ROWS:
            yield part
            part = []
    if part:
        yield part


def _batch_id(mark: str, lines: list[dict[str, Any]]) -> str:
    digest = hashlib.sha256(mark.encode())
    for line in sorted(msgspec.json.encode(line, order="deterministic") for line in lines):
        digest.update(line)
    return f"{mark}/{digest.hexdigest()[:32]}"
