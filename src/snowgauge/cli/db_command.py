"""`snowgauge db`."""

from __future__ import annotations

from typing import Annotated

import typer

from snowgauge.cli.context import JsonOption, err, out, print_json, print_rows, records, settings_of, table
from snowgauge.cli.upgrade_command import BackupOption, asker, upgrade_flags
from snowgauge.errors import SnowgaugeError

_STEPS = ("step", "name", "applied")


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The store's layout.", no_args_is_help=True)
    group.command("init")(init)
    group.command("status")(status)
    group.command("columns")(columns)
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


def status(ctx: typer.Context, as_json: JsonOption = False) -> None:
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
    if as_json:
        applied = [(step.version, step.name, step.applied_at) for step in steps]
        print_json({"store": facts, "steps": records(_STEPS, applied)})
        return
    out.print(table(("store", ""), [(name.replace("_", " "), value) for name, value in facts.items() if value]))
    out.print()
    out.print(table(_STEPS, [(step.version, step.name, step.applied_at or "not yet") for step in steps]))


def columns(
    ctx: typer.Context,
    days: Annotated[int, typer.Option(min=1, help="How many days of events are counted.")] = 90,
    give_back: Annotated[
        list[str] | None, typer.Option(help="Drop this column; its data stays in the raw columns. May be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the columns of schemas in ClickHouse and how much they are used, the least used first; give some back.

    Example: `snowgauge db columns --give-back contexts_com_acme_cart_1`
    """
    from snowgauge.pipeline.build import open_clickhouse, store_kind

    settings = settings_of(ctx)
    if store_kind(settings) != "clickhouse":
        raise SnowgaugeError("only ClickHouse has columns of schemas; PostgreSQL has a table for each")
    store = open_clickhouse(settings)
    try:
        if give_back:
            store.give_back_columns(give_back)
        uses = store.column_uses(days)
    finally:
        store.close()
    limit = settings.clickhouse.configuration.max_schema_columns
    print_rows(("column", "schema", "events", "applications"), uses, as_json=as_json)
    err.print(f"{len(uses)} of {limit} columns; events of the last {days} days")


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
