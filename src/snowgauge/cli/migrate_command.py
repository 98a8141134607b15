"""`snowgauge migrate`."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from snowgauge.cli.context import err, out, settings_of, store_url, table
from snowgauge.cli.upgrade_command import BackupOption, asker, upgrade_flags
from snowgauge.errors import ActionRefused, SnowgaugeError

if TYPE_CHECKING:
    from snowgauge.actions.simple_snowplow.take_over import TakeOver

_URL_VARIABLE = "SIMPLE_SNOWPLOW_URL"
_MEANINGS = {
    "days": "days",
    "rows": "rows in the table",
    "distinct": "different event ids among them",
    "written": "events written now",
    "known": "rows taken over before",
    "refused": "refused by the database, kept as failed events",
    "found": "events of this table now in the store",
}


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Take over what another system has stored.", no_args_is_help=True)
    group.command("simple-snowplow")(simple_snowplow)
    app.add_typer(group, name="migrate")


def simple_snowplow(
    ctx: typer.Context,
    source: Annotated[
        str, typer.Option("--table", help="The table, as database.table; evnt has evnt.local.")
    ] = "snowplow.local",
    url: Annotated[
        str,
        typer.Option(
            "--url",
            help="ClickHouse that has it: clickhouse://host:8123, or `env:NAME` for one with a password, in a "
            f"variable. Default: what {_URL_VARIABLE} holds, else this deployment's own.",
        ),
    ] = "",
    vendor: Annotated[
        str, typer.Option("--vendor", help="Vendor of self-describing events that are none of Snowplow's own.")
    ] = "dev.snowplow.simple",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count, and show what the first row becomes; write nothing.")
    ] = False,
    aside: Annotated[
        bool,
        typer.Option(
            "--take-over",
            help="When all is copied, rename the table to <name>_before_snowgauge and put the view in its place. "
            "Only for a table on this deployment's own ClickHouse.",
        ),
    ] = False,
    backup: BackupOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON, for programs.")] = False,
) -> None:
    """Copy the rows of a Simple Snowplow (evnt) table into the store.

    Safe to run again, also after it broke off: every row is stored once. The old table is only read. Ends with an error
    when not every event of it is found in the store afterwards.

    Example: `snowgauge migrate simple-snowplow --url env:OLD_SERVER`
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from snowgauge.actions.simple_snowplow.rows import Rows
    from snowgauge.actions.simple_snowplow.take_over import Notes, plan, take_over
    from snowgauge.pipeline.build import data_dir, open_foreign_table, open_store
    from snowgauge.pipeline.upgrades import migrate

    settings = settings_of(ctx, *upgrade_flags(backup))
    url = store_url(url) if url else os.environ.get(_URL_VARIABLE, "")
    if aside and url:
        raise ActionRefused("--take-over is for a table on this deployment's own ClickHouse: leave --url out")
    old = open_foreign_table(settings, url, source)
    rows = Rows(source, settings.common.snowplow.schemas, vendor)
    expected = plan(old)
    if dry_run:
        _show(expected, as_json)
        day = next(iter(old.days()), None)
        first = next(iter(old.rows(day[0])), None) if day else None
        if first is not None and not as_json:
            made = {name: value for name, value in msgspec.structs.asdict(rows.event(first)).items() if value}
            out.print_json(msgspec.json.encode(made).decode())
        return
    name = hashlib.sha256(f"{url} {source} {vendor}".encode()).hexdigest()[:12]
    notes = Notes(data_dir(settings) / "migrations" / f"simple-snowplow-{name}.json")
    store = open_store(settings)
    try:
        migrate(settings, store, ask=asker())
        with Progress(
            TextColumn(source), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err, transient=True,
            disable=not err.is_terminal,
        ) as bar:  # fmt: skip
            task = bar.add_task("", total=expected.rows)
            done = take_over(old, rows, store, notes, progress=lambda number: bar.advance(task, number))
        _show(done, as_json)
        if not done.complete:
            raise SnowgaugeError(
                f"{done.distinct - done.found - done.refused} events of {source} are not in the store: run it again"
            )
        if aside:
            err.print(f"the old table is now {old.step_aside()}; drop it when you no longer need it")
            store.migrate()
    finally:
        store.close()


def _show(done: TakeOver, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**msgspec.structs.asdict(done), "complete": done.complete}))
        return
    rows = [(meaning, f"{getattr(done, name):,}") for name, meaning in _MEANINGS.items()]
    out.print(table((done.table, ""), rows))
