"""`snowgauge upgrade`: what a new version would change."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

import snowgauge
from snowgauge.cli.context import JsonOption, err, out, print_json, records, settings_of, table

if TYPE_CHECKING:
    from snowgauge.pipeline.upgrades import Ask, Choice
    from snowgauge.store.base import Migration

BackupOption = Annotated[
    bool | None,
    typer.Option(
        "--backup/--no-backup",
        help="Back up before tables that hold events are changed. Default: `store.backup_before_upgrade`.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What a new version would change.", no_args_is_help=True)
    group.command("check")(check)
    app.add_typer(group, name="upgrade")


def asker() -> Ask | None:
    """How a person is asked about a backup; ``None`` where none is at the terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    return _ask


def _ask(steps: list[Migration], possible: bool) -> Choice:
    err.print(f"snowgauge {snowgauge.__version__} changes tables that are there already:")
    for step in steps:
        err.print(f"  {step.version} {step.name}", markup=False)
    if possible:
        return "always" if typer.confirm("Back up first?", default=True, err=True) else "never"
    err.print("Events are in a database server: make a backup with its own means first.")
    return "never" if typer.confirm("Go on?", default=False, err=True) else "ask"


def upgrade_flags(backup: bool | None) -> list[str]:
    """The setting that the option stands for."""
    if backup is None:
        return []
    return [f"store.backup_before_upgrade={'always' if backup else 'never'}"]


def check(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show which steps the store's layout lacks, that the next start of this version would apply. Changes nothing.

    Ends with 3 where there are some, so that a script can ask for a backup first.

    Example: `snowgauge upgrade check`
    """
    from snowgauge.pipeline import upgrades
    from snowgauge.pipeline.build import open_store

    settings = settings_of(ctx)
    store = open_store(settings)
    try:
        steps = store.migrations()
    finally:
        store.close()
    missing = [step for step in steps if step.applied_at is None]
    if as_json:
        print_json(
            {
                "version": snowgauge.__version__,
                "steps": records(("step", "name", "applied"), [(s.version, s.name, s.applied_at) for s in steps]),
                "missing": len(missing),
            }
        )
        raise typer.Exit(3 if missing else 0)
    for record in upgrades.records(settings)[-1:]:
        backup = f"backup in {record.backup}" if record.backup else f"no backup here ({record.decided})"
        out.print(f"last change: {record.at}, {', '.join(record.steps)}; {backup}", markup=False)
    out.print(f"snowgauge {snowgauge.__version__}: {len(steps) - len(missing)} of {len(steps)} steps are applied")
    if not missing:
        out.print("nothing to migrate: the layout is up to date")
        return
    out.print(table(("step", "name"), [(step.version, step.name) for step in missing], title="the next start applies"))
    if len(missing) < len(steps):
        out.print("Make a backup first, or start with --backup; docs/guide/upgrading.md says how. Each step can be")
        out.print("repeated: one that is interrupted is done again by the next start.")
    raise typer.Exit(3)
