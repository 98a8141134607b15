"""What is aimed at, and the table that `python -m benchmarks` prints of it after its measurements.

A measurement calls ``note`` with what it found; several figures that belong to one aim are put together here. Absolute
figures differ up to threefold between machines, so most aims are ratios of one run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

FILE = "SNOWGAUGE_BENCHMARK_FIGURES"
"""Environment variable: the file that ``note`` writes to, a JSON object on each line."""


class Aim(msgspec.Struct, frozen=True):
    """``figure`` raises ``KeyError`` where something it needs was not measured. ``most``: the limit is the most."""

    what: str
    figure: Callable[[Mapping[str, float]], float]
    limit: float
    unit: str
    most: bool = True

    def met(self, value: float) -> bool:
        return value <= self.limit if self.most else value >= self.limit


def _noted(name: str) -> Callable[[Mapping[str, float]], float]:
    return lambda noted: noted[name]


def _all_parts(noted: Mapping[str, float]) -> float:
    return sum(noted[f"{role}_us"] for role in ("collector", "pipeline", "clickhouse", "rest"))


AIMS = (
    Aim("processor time per event, in empty requests", lambda n: _all_parts(n) / n["empty_us"], 5, ""),
    Aim("processor time per event, all parts", _all_parts, 160, "µs"),
    Aim("events that two cores of their own bear", lambda n: 2e6 / _all_parts(n), 12_000, "/s", most=False),
    Aim("collector with spool, of the empty handler", _noted("collector_share"), 60, "%", most=False),
    Aim("collector with a log that forgets, of the same", _noted("forgetful_share"), 75, "%", most=False),
    # 12,000 events/s per core of a machine with 31,000 empty requests/s: of one core, to the same server
    Aim("p99 at half its rate, fsync of 10 ms", _noted("slow_disk_p99_ms"), 40, "ms"),
    Aim("Enricher.process, in empty requests per event", lambda n: n["enrich_us"] / n["empty_us"], 2.45, ""),
    Aim("ClickHouse store, of a bare Native insert, by CPU", _noted("clickhouse_share"), 60, "%", most=False),
    Aim("engine at 1,000 events/s, of its time per event at full load", _noted("small_batches"), 1.5, ""),
    Aim("PostgreSQL store, of a bare COPY", _noted("postgres_times"), 1.7, ""),
    Aim("start to ready, new folder, from outside", _noted("ready_s"), 2.5, "s"),
    Aim("start to ready, the same folder again", _noted("ready_again_s"), 2, "s"),
    Aim("snowgauge --help, of python -c pass", _noted("help_times"), 8, ""),
    Aim('sql "SELECT 1" and status, processor time', _noted("command_s"), 0.6, "s"),
    Aim("memory, idle", _noted("idle_mb"), 450, "MB"),
    Aim("memory, full load", _noted("peak_mb"), 900, "MB"),
    Aim("time from 200 to queryable at 1,000 events/s, p95", _noted("delay_p95_s"), 1, "s"),
    Aim("4 + 4 processes, of the time per event of 1 + 1", _noted("more_processes"), 1.1, ""),
    Aim("import of CloudFront logs", _noted("cloudfront_lines"), 60_000, "/s", most=False),
    Aim("disk of an installation, without Python", _noted("installation_mb"), 600, "MB"),
)


def note(**figures: float) -> None:
    """Keep what was measured for the table at the end; without one, nothing."""
    if path := os.environ.get(FILE):
        with Path(path).open("a") as file:
            file.write(json.dumps(figures) + "\n")


def noted(path: Path) -> dict[str, float]:
    """Everything that was noted; of a name that was noted twice, the last."""
    figures: dict[str, float] = {}
    for line in path.read_text().splitlines():
        figures.update(json.loads(line))
    return figures


def show(figures: Mapping[str, float], *, everything: bool) -> None:
    """Each aim beside its limit; with ``everything`` those that were not measured, too."""
    table = Table(title="Aims")
    for title in ("", "measured", "limit", ""):
        table.add_column(title, justify="right" if title else "left")
    for aim in AIMS:
        limit = f"{'≤' if aim.most else '≥'} {_text(aim.limit)} {aim.unit}".rstrip()
        try:
            value = aim.figure(figures)
        except KeyError:
            if everything:
                table.add_row(aim.what, "–", limit, "not measured")
        else:
            table.add_row(aim.what, f"{_text(value)} {aim.unit}".rstrip(), limit, "met" if aim.met(value) else "missed")
    if table.row_count:
        Console(width=110).print(table)


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}".rstrip("0").rstrip(".")
