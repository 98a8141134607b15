"""`snowgauge db`."""

from __future__ import annotations

import typer

from snowgauge.cli.context import out, settings_of, table
from snowgauge.cli.upgrade_command import BackupOption, asker, upgrade_flags


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The store's layout.", no_args_is_help=True)
    group.command("init")(init)
    group.command("status")(status)
    group.command("vacuum")(vacuum)
    app.add_typer(group, name="db")


def init(ctx: typer.Context, backup: BackupOption = None) -> None:
    """Create or update the tables. Safe to repeat, also after it broke off; nothing is ever dropped.

    Before tables that are there are changed a backup is offered, as `store.backup_before_upgrade` says.

    Example: `snowgauge db init`
    """
    from snowgauge.pipeline.lifetime import opened
    from snowgauge.pipeline.upgrades import migrate

    with opened(settings_of(ctx, *upgrade_flags(backup))) as (settings, store):
        applied = migrate(settings, store, ask=asker())
    for step in applied:
        out.print(f"applied {step.version} {step.name}")
    out.print("nothing to do: the layout is up to date" if not applied else "the layout is up to date")


def status(ctx: typer.Context) -> None:
    """Show what the database is and can do, and which steps of the layout are applied.

    Example: `snowgauge db status`
    """
    from snowgauge.pipeline.build import open_store

    store = open_store(settings_of(ctx))
    try:
        steps = store.migrations()
        facts = store.status()
    finally:
        store.close()
    out.print(table(("store", ""), [(name.replace("_", " "), value) for name, value in facts.items() if value]))
    out.print()
    out.print(
        table(("step", "name", "applied"), [(step.version, step.name, step.applied_at or "not yet") for step in steps])
    )


def vacuum(ctx: typer.Context) -> None:
    """Let deleted rows leave the disk, and refresh the database's statistics.

    Example: `snowgauge db vacuum`
    """
    from snowgauge.pipeline.build import open_store

    store = open_store(settings_of(ctx))
    try:
        tables = store.vacuum()
    finally:
        store.close()
    out.print(f"tended {len(tables)} tables: {', '.join(tables)}" if tables else "nothing to tend")
