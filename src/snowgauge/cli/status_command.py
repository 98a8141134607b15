"""`snowgauge status`: how a running deployment is, on one screen."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from snowgauge.cli.context import out, settings_of, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from snowgauge.actions.overview import Capacity, Fact, Overview

_FAR_DAYS = 3650
"""A disk that is full in more than ten years is not worth a figure."""
_WELL, _NOT_WELL, _NOTHING_RUNS = 0, 1, 3


def register(app: typer.Typer) -> None:
    app.command("status", rich_help_panel="Running")(status)


def status(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Stay, and show it again until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks of --watch.")] = 2.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, as the API gives it; with --watch a line for each look.")
    ] = False,
) -> None:
    """Show how this deployment is: parts, rates, lag, failures, disk, memory, the last stored batch.

    Ends with status 0 when everything works, 1 when something does not, 3 when nothing of it runs on this machine.
    It asks the parts themselves, so it needs no private port and no login. `snowgauge doctor` looks for causes.

    Example: `snowgauge status --watch`
    """
    from snowgauge.actions.overview import overview
    from snowgauge.pipeline.build import open_deployment
    from snowgauge.pipeline.roles.process import share_metrics
    from snowgauge.telemetry import logs

    settings = settings_of(ctx)
    logs.configure("ERROR", json_format=settings.logging.json_format)  # what is unreachable is on the screen
    share_metrics(settings)
    deployment = open_deployment(settings)
    try:
        shown = _json_lines if as_json else _screens
        found = shown(lambda: overview(deployment), every if watch else None)
    finally:
        deployment.store.close()
    if not found.running:
        raise typer.Exit(_NOTHING_RUNS)
    raise typer.Exit(_WELL if found.ready else _NOT_WELL)


def _json_lines(look: Callable[[], Overview], every: float | None) -> Overview:
    for found in _looks(look, every):
        text = json.dumps(asdict(found))
        out.print_json(text, indent=None if every else 2)
    return found


def _screens(look: Callable[[], Overview], every: float | None) -> Overview:
    from rich.live import Live

    if every is None:
        found = look()
        out.print(screen(found))
        return found
    with Live(console=out, screen=out.is_terminal, auto_refresh=False, redirect_stderr=False) as live:
        for found in _looks(look, every):
            live.update(screen(found), refresh=True)
    return found


def _looks(look: Callable[[], Overview], every: float | None) -> Iterator[Overview]:
    """One, or one after another until Ctrl-C."""
    if every is None:
        yield look()
        return
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    yield look()
    while not stop.wait(every):
        yield look()


def screen(found: Overview) -> RenderableType:
    """All of it, for people."""
    from rich.console import Group

    return Group(*_lines(found))


def _lines(found: Overview) -> Iterator[RenderableType]:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    state = Text("everything works", "bold green") if found.ready else Text("something is wrong", "bold red")
    if not found.running:
        state = Text("nothing of it runs on this machine", "bold red")
    yield Text.assemble(("Snowgauge ", "bold"), f"{found.version}  ", state, f"  {found.data_dir}")
    if not found.running:
        yield Text("Start it with `snowgauge serve`, or name its settings with --config.")
        return
    yield ""
    parts = Table.grid(padding=(0, 2))
    for part in found.parts:
        mark = Text("ok", "green") if part.ok else Text("bad", "bold red")
        facts = Text(", ".join(f"{fact.label} {_value(fact)}" for fact in part.facts))
        note = [Text(part.note, "red")] if part.note else []
        parts.add_row(mark, Text(part.name, "bold"), Group(*note, facts))
    yield parts
    if found.failures:
        yield ""
        counted = ", ".join(f"{one.type} {one.count:,}" for one in found.failures)
        yield Text(f"failed within 24 hours: {counted}; see `snowgauge failed groups`")
    if found.capacity is not None:
        yield ""
        yield from _capacity(found.capacity)
    if found.processes:
        yield ""
        rows = [(one.name, one.pid, _bytes(one.memory), one.restarts or "") for one in found.processes]
        yield table(("process", "pid", "memory", "restarts"), rows)


def _capacity(capacity: Capacity) -> Iterator[RenderableType]:
    from rich.text import Text

    able = "" if capacity.able is None else f", able to do {_rate(capacity.able)}"
    yield Text(f"rate    now {_rate(capacity.now)}, busiest minute of 24 hours {_rate(capacity.busiest)}{able}")
    near = capacity.days_left is not None and capacity.days_left < _FAR_DAYS
    left = f", full in {capacity.days_left:,.0f} days at this rate" if near else ""
    yield Text(
        f"disk    {_bytes(capacity.disk_free)} of {_bytes(capacity.disk_total)} free, "
        f"{_bytes(capacity.used)} taken by the data folder{left}"
    )


def _value(fact: Fact) -> str:
    match fact.kind:
        case "seconds":
            return _span(fact.value)
        case "bytes":
            return _bytes(fact.value)
        case "time":
            ahead = fact.value / 1000 - time.time()
            return f"in {_span(ahead)}" if ahead > 0 else f"{_span(-ahead)} ago"
        case "rate":
            return _rate(fact.value)
        case _:
            return f"{fact.value:,.0f}"


def _rate(value: float) -> str:
    return f"{value:,.0f}/s" if value >= 10 or value == 0 else f"{value:.2f}/s"


def _bytes(value: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
