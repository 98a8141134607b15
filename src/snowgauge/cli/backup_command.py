"""`snowgauge backup` and `snowgauge restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snowgauge.cli.context import err, options, out, settings_of
from snowgauge.cli.erase_command import progress_lines


def register(app: typer.Typer) -> None:
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    ctx: typer.Context, folder: Annotated[Path, typer.Argument(help="New folder to write the backup to.")]
) -> None:
    """Back up a deployment with the embedded engine, while it runs: events, event log, schemas, accounts, tombstones.

    Example: `snowgauge backup /backups/2024-05-01`
    """
    from snowgauge.pipeline.lifetime import take_backup
    from snowgauge.settings.load import DEFAULT_FILE

    settings = settings_of(ctx)
    file = options(ctx).config or Path(DEFAULT_FILE)
    made = take_backup(settings, folder, progress_lines("backing up"), file=file if file.is_file() else None)
    out.print(f"{folder}: {len(made.files):,} files, taken at {made.taken_at}")


def restore(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of the backup.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Move a deployment that is in the place aside; its tombstones are kept.")
    ] = False,
) -> None:
    """Make a deployment of a backup, checked against its checksums. Nothing may be running in its place.

    Example: `snowgauge restore /backups/2024-05-01`
    """
    from snowgauge.pipeline.lifetime import restore_backup

    made, gone, moved = restore_backup(settings_of(ctx), folder, replace=replace, progress=progress_lines("restoring"))
    out.print(f"restored what was taken at {made.taken_at}")
    if gone:
        err.print(f"{gone:,} items of persons who had been erased were taken out again")
    for path in moved:
        err.print(f"what was there before is in {path}")
