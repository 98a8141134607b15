"""`snowgauge enrich`: recorded payloads to outcomes, without a running deployment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TextIO

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from snowgauge.cli.context import err, settings_of
from snowgauge.errors import SnowgaugeError


def register(app: typer.Typer) -> None:
    app.command("enrich")(enrich)


def enrich(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="File of payloads, one per line; `-` is standard input.")] = "-",
    fmt: Annotated[Literal["json", "tsv"], typer.Option("--format", "-f", help="Form of the outcomes.")] = "json",
    resolver: Annotated[
        Path | None, typer.Option(help="A Snowplow resolver.json.", exists=True, dir_okay=False)
    ] = None,
    schemas: Annotated[
        list[Path] | None, typer.Option(help="Folder of schemas in Iglu's layout. May be repeated.", exists=True)
    ] = None,
    enrichments: Annotated[str | None, typer.Option(help="Folder of enrichment configurations, or `none`.")] = None,
) -> None:
    """Enrich recorded payloads: one outcome per line.

    A line of input is a payload as JSON with the Thrift struct's field names, or its record in Base64: what
    `snowgauge eventlog show` prints can be given as it is.

    Example: `snowgauge enrich payloads.jsonl --schemas ./schemas --enrichments none`
    """
    from snowgauge.enrich.recorded import run_lines
    from snowgauge.events.outcome import Tally
    from snowgauge.pipeline.enriching import Enriching

    flags = []
    if resolver is not None:
        flags.append(f"iglu.resolver={resolver.absolute()}")
    if schemas:
        flags.append("iglu.registries=" + json.dumps([str(folder.absolute()) for folder in schemas]))
    if enrichments is not None:
        flags.append(f"enrichments.folder={enrichments}")
    enriching = Enriching(settings_of(ctx, *flags), os.environ)
    tally = Tally()
    try:
        with _progress(file) as lines:
            for line in run_lines(lines, enriching.enricher, fmt, on_error=_complain, tally=tally):
                sys.stdout.write(line + "\n")
        sys.stdout.flush()
    finally:
        enriching.close()
    if err.is_terminal:
        done = f"{tally.enriched:,} enriched, {tally.failed:,} failed, {tally.dropped:,} dropped"
        err.print(f"{tally.records:,} payloads: {done}")


def _complain(text: str) -> None:
    err.print(text, markup=False, soft_wrap=True)


class _progress:  # noqa: N801 - reads as the verb it is
    """The lines of a file, with a bar on a terminal."""

    def __init__(self, file: str) -> None:
        self._file: TextIO
        if file == "-":
            self._file, self._size = sys.stdin, None
        else:
            try:
                self._file = Path(file).open(encoding="utf-8", errors="surrogateescape")  # noqa: SIM115
            except OSError as error:
                raise SnowgaugeError(f"{file}: cannot be read: {error.strerror}") from None
            self._size = Path(file).stat().st_size
        self._bar = Progress(
            SpinnerColumn(), TextColumn("enriching"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
            console=err, transient=True, disable=not err.is_terminal or self._size is None,
        )  # fmt: skip

    def __enter__(self) -> Iterator[str]:
        self._bar.start()
        task = self._bar.add_task("", total=self._size)

        def read() -> Iterator[str]:
            for line in self._file:
                yield line
                self._bar.advance(task, len(line))

        return read()

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        if self._size is not None:
            self._file.close()
