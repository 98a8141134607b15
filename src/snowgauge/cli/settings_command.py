"""`snowgauge settings`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from snowgauge.cli.context import load_settings, out, table
from snowgauge.settings import reference


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True)
    group.callback()(show)
    app.add_typer(group, name="settings")


def show(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="The whole tree as JSON, secrets masked.")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not a default.")] = False,
) -> None:
    """Show every setting with its value and source; secrets are masked.

    Example: `snowgauge settings --changed`
    """
    if ctx.invoked_subcommand:
        return
    loaded = load_settings(ctx)
    if as_json:
        out.print_json(json.dumps(reference.as_tree(loaded.settings)))
        return
    rows = [
        (line.name, line.value, line.source)
        for line in reference.lines(loaded.settings, loaded.sources)
        if not changed or line.source != "default"
    ]
    out.print(table(("setting", "value", "source"), rows))
