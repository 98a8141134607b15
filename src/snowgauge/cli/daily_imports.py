"""`snowgauge import plausible|umami|ga4`, `list` and `remove`: daily sums of other products."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from snowgauge.cli.context import JsonOption, err, out, settings_of, table

if TYPE_CHECKING:
    from snowgauge.actions.imports.daily.book import Product

Files = Annotated[list[Path], typer.Argument(help="CSV files, the ZIP of them, or a folder.")]
App = Annotated[str, typer.Option("--app-id", help="Application that the figures are of.")]


def register(group: typer.Typer) -> None:
    group.command("plausible")(plausible)
    group.command("umami")(umami)
    group.command("ga4")(ga4)
    group.command("list")(list_)
    group.command("remove")(remove)


def plausible(ctx: typer.Context, files: Files, app_id: App, as_json: JsonOption = False) -> None:
    """Import Plausible's export (Imports & Exports, Export to CSV): shown beside your own days, never added to them.

    Example: `snowgauge import plausible example_com_20261130.zip --app-id web`
    """
    _take(ctx, "plausible", files, app_id, as_json=as_json)


def umami(ctx: typer.Context, files: Files, app_id: App, as_json: JsonOption = False) -> None:
    """Import Umami's export (`website_event.csv`) as daily figures: shown beside your own days, never added to them.

    Example: `snowgauge import umami export.zip --app-id web`
    """
    _take(ctx, "umami", files, app_id, as_json=as_json)


def ga4(ctx: typer.Context, files: Files, app_id: App, as_json: JsonOption = False) -> None:
    """Import reports of Google Analytics 4, saved as CSV with the dimension Date: shown beside your own days.

    Example: `snowgauge import ga4 visits.csv sources.csv pages.csv --app-id web`
    """
    _take(ctx, "ga4", files, app_id, as_json=as_json)


def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the daily figures that were imported.

    Example: `snowgauge import list`
    """
    from snowgauge.actions.imports.daily.book import DailyImports
    from snowgauge.pipeline.modelling import opened_model

    with opened_model(settings_of(ctx)) as (_, store):
        held = DailyImports(store).all()
    if as_json:
        out.print_json(msgspec.json.encode(held).decode())
        return
    rows = [
        (
            one.id,
            one.app_id,
            one.product,
            f"{one.first_day} to {one.last_day}",
            f"{one.views:,}",
            ", ".join(one.reports),
        )
        for one in held
    ]
    out.print(table(("import", "application", "from", "days", "page views", "reports"), rows))


def remove(
    ctx: typer.Context, import_id: Annotated[str, typer.Argument(help="Its id, as `snowgauge import list` shows it.")]
) -> None:
    """Remove the figures of one import.

    Example: `snowgauge import remove 3f2a9c0d1e4b5a67`
    """
    from snowgauge.actions.imports.daily.book import DailyImports
    from snowgauge.pipeline.modelling import opened_model

    with opened_model(settings_of(ctx)) as (_, store):
        gone = DailyImports(store).remove(import_id)
    out.print(f"removed: {gone.rows:,} rows of {gone.product}, {gone.first_day} to {gone.last_day}")


def _take(ctx: typer.Context, product: Product, files: list[Path], app_id: str, *, as_json: bool) -> None:
    from snowgauge.actions.imports.daily.book import DailyImports
    from snowgauge.modelling.application_book import ApplicationBook
    from snowgauge.modelling.applications import settings_for
    from snowgauge.pipeline.modelling import opened_model

    with opened_model(settings_of(ctx)) as (settings, store):
        applications = ApplicationBook(store, settings.modelling.applications).applications()
        took = DailyImports(store).take(product, files, app_id, settings_for(applications, app_id))
    one = took.imported
    if as_json:
        out.print_json(msgspec.json.encode(took).decode())
        return
    if took.repeated:
        err.print(f"imported before, as {one.id}: nothing was done", markup=False)
        return
    rows = [(report, f"{first} to {last}") for report, (first, last) in one.reports.items()]
    out.print(table(("report", "days"), rows, title=f"import {one.id}: {one.rows:,} rows, {one.views:,} page views"))
