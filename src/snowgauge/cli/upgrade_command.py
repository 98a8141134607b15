"""`snowgauge upgrade`: what a new version would change."""

from __future__ import annotations

import typer

import snowgauge
from snowgauge.cli.context import out, settings_of, table
from snowgauge.pipeline.build import open_store


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What a new version would change.", no_args_is_help=True)
    group.command("check")(check)
    app.add_typer(group, name="upgrade")


def check(ctx: typer.Context) -> None:
    """Show which steps the store's layout lacks, that the next start of this version would apply. Changes nothing.

    Ends with 3 where there are some, so that a script can ask for a backup first.

    Example: `snowgauge upgrade check`
    """
    store = open_store(settings_of(ctx))
    try:
        steps = store.migrations()
    finally:
        store.close()
    missing = [step for step in steps if step.applied_at is None]
    out.print(f"snowgauge {snowgauge.__version__}: {len(steps) - len(missing)} of {len(steps)} steps are applied")
    if not missing:
        out.print("nothing to migrate: the layout is up to date")
        return
    out.print(table(("step", "name"), [(step.version, step.name) for step in missing], title="the next start applies"))
    if len(missing) < len(steps):
        out.print("Make a backup first; docs/guide/upgrading.md says how. Each step can be repeated: one that is")
        out.print("interrupted is done again by the next start.")
    raise typer.Exit(3)
