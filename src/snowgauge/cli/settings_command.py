"""`snowgauge settings`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from snowgauge.cli.context import load_settings, out, settings_of, table


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True)
    group.callback()(show)
    group.command("to_dict")(to_dict)
    group.command("hostname")(hostname)
    app.add_typer(group, name="settings")


def show(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="The whole tree as JSON, secrets masked.")] = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not a default, as a table.")] = False,
    as_table: Annotated[bool, typer.Option("--table", help="As a table, also where a program reads it.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="As Python writes the objects, secrets masked.")] = False,
) -> None:
    """Show every setting: on a terminal as a table with sources, to a program as JSON. Secrets are masked.

    Example: `snowgauge settings --changed`
    """
    from snowgauge.settings import reference

    if ctx.invoked_subcommand:
        return
    loaded = load_settings(ctx, as_root=True)
    if raw:
        out.print(repr(loaded.settings), markup=False, soft_wrap=True)
    elif as_json or not (changed or as_table or sys.stdout.isatty()):
        print(json.dumps(reference.as_tree(loaded.settings), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        rows = [
            (line.name, line.value, line.source)
            for line in reference.lines(loaded.settings, loaded.sources)
            if not changed or line.source != "default"
        ]
        out.print(table(("setting", "value", "source"), rows))


def to_dict(ctx: typer.Context) -> None:
    """Print the settings section by section, one JSON object on a line. Secrets are masked.

    Example: `snowgauge settings to_dict`
    """
    from snowgauge.settings import reference

    for section, values in reference.as_tree(settings_of(ctx)).items():
        print(json.dumps({section: values}, ensure_ascii=False))


def hostname(ctx: typer.Context) -> None:
    """Print the address under which visitors reach the collector.

    Example: `snowgauge settings hostname`
    """
    print(settings_of(ctx).common.hostname)
