"""`snowgauge pixel`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snowgauge.cli.context import err, out, settings_of, table


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The pixel hosted in a bucket behind a CDN, whose log is the data.", no_args_is_help=True)
    group.command("export")(export)
    app.add_typer(group, name="pixel")


def export(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder to write to; it is made.", file_okay=False)],
    bucket: Annotated[str, typer.Option("--bucket", help="Name of the bucket, for the upload command.")] = "BUCKET",
) -> None:
    """Write what to upload to a bucket: the pixel under every name that trackers use, and a manifest of headers.

    Example: `snowgauge pixel export ./pixel --bucket my-pixel`
    """
    from snowgauge.actions import pixel
    from snowgauge.actions.scripts.door import with_neutral_names
    from snowgauge.pipeline.public_door import collector_settings

    settings = settings_of(ctx)
    exported = pixel.export(folder, more=with_neutral_names(collector_settings(settings), settings.scripts).pixel_paths)
    rows = [(one.key, pixel.CONTENT_TYPE, pixel.CACHE_CONTROL) for one in exported]
    out.print(table(("key", "content type", "cache control"), rows))
    err.print(f"\nwritten to {folder}, with {pixel.MANIFEST}; upload:", markup=False)
    err.print(pixel.upload_command(folder, bucket), markup=False, soft_wrap=True)
