"""`snowgauge demo`: a deployment without visitors gets some."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from snowgauge.cli.context import err, out, settings_of, table
from snowgauge.cli.upgrade_command import asker
from snowgauge.errors import SnowgaugeError

if TYPE_CHECKING:
    from snowgauge.actions.demo import seeding
    from snowgauge.settings.model import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print the sums as JSON, for programs.")]
_MEANINGS = {
    "visits": "visits",
    "requests": "requests",
    "events": "events stored",
    "failed": "failed events stored",
    "dropped": "dropped by enrichments",
    "repeated": "stored before",
}


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Demo data from a fictional shop.", no_args_is_help=True)
    group.command("seed")(seed)
    group.command("clear")(clear)
    app.add_typer(group, name="demo")


def seed(
    ctx: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days up to now that the visits are spread over.")] = 30,
    visitors: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many people come.")] = 5000,
    number: Annotated[int, typer.Option("--seed", help="The same number makes the same visits, once.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Fill the store with visits of a small shop, about 20 events for each of its visitors.

    Requests as the JavaScript tracker sends them go through this deployment's enrichments into its store, whether it
    runs or not. One in a hundred events fails, for five reasons. Run again with the same options it adds nothing.
    Every event has the app id `snowgauge-demo`: `snowgauge demo clear` takes them out again.

    Example: `snowgauge demo seed --days 30 --visitors 5000`
    """
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from snowgauge.actions.demo import seeding
    from snowgauge.actions.demo.places import DocumentationAddresses
    from snowgauge.pipeline import build
    from snowgauge.pipeline.enriching import Enriching
    from snowgauge.pipeline.lifetime import gate, opened, without_erased
    from snowgauge.pipeline.upgrades import migrate

    settings = _lasting(settings_of(ctx))
    enriching = Enriching(settings, os.environ, start=False, more=[DocumentationAddresses()])
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
               TimeRemainingColumn())  # fmt: skip
    try:
        with opened(settings) as (here, store):
            migrate(here, store, ask=asker())
            with Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty()) as shown:
                task = shown.add_task("making visits", total=None)

                def progress(done: int, every: int, totals: seeding.Totals) -> None:
                    shown.update(task, completed=done, total=every, description=f"{totals.requests:,} events")

                totals = seeding.seed(
                    without_erased(settings, store), enriching.enricher, seeding.SeedBook(build.data_dir(settings)),
                    number=number, days=days, visitors=visitors, now=_now(), progress=progress,
                    gate=gate(settings).storing,
                )  # fmt: skip
    finally:
        enriching.close()
    found = msgspec.to_builtins(totals)
    if as_json:
        out.print_json(json.dumps(found))
        return
    out.print(table(("", ""), [(_MEANINGS[name], f"{count:,}") for name, count in found.items() if count]))
    if totals.repeated == totals.requests:
        err.print("all of it was there: another --seed makes other visits")


def clear(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Take everything that `demo seed` made out of the store: what has the app id `snowgauge-demo`, and nothing else.

    Example: `snowgauge demo clear`
    """
    from snowgauge.actions.demo import APP_ID, seeding
    from snowgauge.pipeline import build
    from snowgauge.pipeline.lifetime import gate, opened

    settings = _lasting(settings_of(ctx))
    with opened(settings) as (_, store):
        book = seeding.SeedBook(build.data_dir(settings))
        gone = seeding.clear(store.lifetime(), book, _now(), gate(settings).still)
    found = msgspec.to_builtins(gone)
    if as_json:
        out.print_json(json.dumps(found))
    else:
        out.print(table((f"taken out of {APP_ID}", ""), [(name, f"{count:,}") for name, count in found.items()]))


def _lasting(settings: Settings) -> Settings:
    from snowgauge.pipeline import build

    if build.store_kind(settings) == "memory":
        raise SnowgaugeError("store.url is memory://: what another process stores there cannot be seen here")
    return settings


def _now() -> int:
    return time.time_ns() // 1_000_000
