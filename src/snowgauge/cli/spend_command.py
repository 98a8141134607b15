"""`snowgauge spend`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snowgauge.cli.context import out, settings_of


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Marketing spend, for the return that attribution tells.", no_args_is_help=True)
    group.command("import")(import_)
    app.add_typer(group, name="spend")


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with a header.")],
) -> None:
    """Import spend from a CSV file with the columns date, amount and currency, and any of app, channel, source, medium
    and campaign. Importing the same day and marketing again replaces its amount.

    Example: `snowgauge spend import spend.csv`
    """
    from snowgauge.actions.analytics.saved.database import SavedDatabase
    from snowgauge.actions.analytics.spend import LARGEST, SpendBook
    from snowgauge.errors import ActionRefused
    from snowgauge.pipeline.build import data_dir, open_console

    if file.stat().st_size > LARGEST:
        raise ActionRefused(f"{file} is larger than {LARGEST:,} bytes: import it in parts")
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise ActionRefused(f"{file} is no text in UTF-8") from None
    settings = settings_of(ctx)
    made = SpendBook(SavedDatabase(open_console(settings) or data_dir(settings) / "console.sqlite")).take(text)
    out.print(f"{made.lines:,} lines, {made.replaced:,} of which replaced an earlier amount")
