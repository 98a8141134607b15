"""`snowgauge eventlog`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from snowgauge.cli.context import JsonOption, out, settings_of, table


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What has been received and is not stored yet.", no_args_is_help=True)
    group.command("show")(show)
    group.command("stats")(stats)
    app.add_typer(group, name="eventlog")


def show(
    ctx: typer.Context,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Most records to print.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with records as they come.")] = False,
) -> None:
    """Print waiting records in order of arrival as JSON lines, without consuming them.

    Example: `snowgauge eventlog show --limit 10`
    """
    from snowgauge.delivery.show import lines
    from snowgauge.pipeline.build import open_eventlog

    log = open_eventlog(settings_of(ctx))
    for line in lines(log.peek(limit, follow)):
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()


def stats(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Print how much waits: records, bytes, and the age of the oldest in seconds.

    Example: `snowgauge eventlog stats`
    """
    from snowgauge.delivery.show import stats_report
    from snowgauge.pipeline.build import open_eventlog

    found = open_eventlog(settings_of(ctx)).stats()
    if as_json:
        out.print_json(json.dumps(stats_report(found)))
        return
    capacity = f"of {found.capacity_bytes:,}" if found.capacity_bytes else ""
    rows = [("records", f"{found.entries:,}"), ("bytes", f"{found.bytes:,} {capacity}"),
            ("oldest", f"{found.oldest_seconds:.1f} s")]  # fmt: skip
    out.print(table(("waiting", ""), rows))
