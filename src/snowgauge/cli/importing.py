"""What `snowgauge import` and `snowgauge load` share: one run over files, its ledger, its sums and how it is shown."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer
from rich.progress import Progress

from snowgauge.actions.imports.files import Buckets, SourceFile, find_files
from snowgauge.actions.imports.into_log import Stopped
from snowgauge.actions.imports.ledger import Ledger
from snowgauge.actions.imports.recorded import new_lines
from snowgauge.actions.imports.totals import Totals
from snowgauge.cli.context import err, out, table

if TYPE_CHECKING:
    from snowgauge.settings.model import Settings

_MEANINGS = {
    "lines": "lines read",
    "events": "imported",
    "repeated": "imported before",
    "not_ours": "not tracking requests",
    "unreadable": "unreadable, kept as failed events",
    "files": "files read",
    "files_known": "files read before",
    "files_failed": "files not read to their end",
}


def buckets(settings: Settings) -> Callable[[], Buckets]:
    """Object storage, made when it is first asked for."""
    from snowgauge.actions.imports.s3 import S3

    made: list[Buckets] = []

    def open_buckets() -> Buckets:
        if not made:
            made.append(S3(settings.imports))
        return made[0]

    return open_buckets


def files_at(places: Iterable[str], storage: Callable[[], Buckets]) -> Iterator[SourceFile]:
    """The files of all places, as they are now."""
    return (file for place in places for file in find_files(place, storage))


class Run:
    """One import: its ledger, its sums, and what is shown of it."""

    def __init__(self, ledger: Ledger, shown: Progress) -> None:
        self.ledger = ledger
        self.totals = Totals()
        self.stop = threading.Event()
        self._shown = shown
        self._task = shown.add_task("", total=None)
        self._last_told = ""

    def told(self, message: str) -> None:
        if message != self._last_told:
            self._last_told = message
            err.print(message, markup=False, soft_wrap=True)

    def progress(self, file: SourceFile | None) -> None:
        totals = self.totals
        name = f" {Path(file.name).name}" if file else ""
        text = f"{totals.lines:,} lines, {totals.events:,} imported, {totals.files:,} files{name}"
        self._shown.update(self._task, description=text)

    def lines(
        self,
        files: Iterable[SourceFile],
        kind: str,
        flush: Callable[[], None],
        *,
        count_equal: bool,
    ) -> Iterator[tuple[bytes, bytes]]:
        for pair in new_lines(
            iter(files),
            self.ledger,
            self.totals,
            kind=kind,
            told=self.told,
            flush=flush,
            progress=self.progress,
            count_equal=count_equal,
        ):
            if self.stop.is_set():
                raise Stopped
            yield pair


@contextmanager
def running(settings: Settings, as_json: bool) -> Iterator[Run]:
    """Shows progress, stops in order at Ctrl-C and SIGTERM, and prints the sums at the end."""
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    from snowgauge.pipeline.build import data_dir

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with (
        Ledger(data_dir(settings) / "imports") as ledger,
        Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as shown,
    ):
        run = Run(ledger, shown)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: run.stop.set())
        try:
            yield run
        except Stopped:
            err.print("stopped; run it again to go on")
    found = msgspec.to_builtins(run.totals)
    if as_json:
        out.print_json(json.dumps(found))
    else:
        rows = [
            (_MEANINGS[name], f"{count:,}") for name, count in found.items() if count or name in ("lines", "events")
        ]
        out.print(table(("", ""), rows))
    if run.totals.files_failed:
        raise typer.Exit(1)
