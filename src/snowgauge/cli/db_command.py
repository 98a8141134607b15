"""`snowgauge db`."""

from __future__ import annotations

import typer

from snowgauge.cli.context import out, settings_of, table
from snowgauge.pipeline.build import open_store


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The store's layout.", no_args_is_help=True)
    group.command("init")(init)
    group.command("status")(status)
    app.add_typer(group, name="db")


def init(ctx: typer.Context) -> None:
    """Create or update the tables. Safe to repeat; nothing is ever dropped.

    Example: `snowgauge db init`
    """
    store = open_store(settings_of(ctx))
    try:
        applied = store.migrate()
    finally:
        store.close()
    for step in applied:
        out.print(f"applied {step.version} {step.name}")
    out.print("nothing to do: the layout is up to date" if not applied else "the layout is up to date")


def status(ctx: typer.Context) -> None:
    """Show which steps of the layout are applied.

    Example: `snowgauge db status`
    """
    store = open_store(settings_of(ctx))
    try:
        steps = store.migrations()
    finally:
        store.close()
    out.print(
        table(("step", "name", "applied"), [(step.version, step.name, step.applied_at or "not yet") for step in steps])
    )
