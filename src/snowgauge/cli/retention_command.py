"""`snowgauge retention`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from snowgauge.cli.context import JsonOption, err, out, settings_of, table

if TYPE_CHECKING:
    from snowgauge.actions.lifetime import retention
    from snowgauge.settings.model import Settings


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="How long data is kept (settings `retention.*`).", no_args_is_help=True)
    group.command("plan")(plan)
    group.command("run")(run)
    app.add_typer(group, name="retention")


def plan(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show what is past its time and would be removed now. Changes nothing.

    Example: `snowgauge retention plan`
    """
    from snowgauge.actions.lifetime import retention
    from snowgauge.pipeline.lifetime import opened, spool_folder

    settings = settings_of(ctx)
    with opened(settings) as (_, store):
        steps = retention.plan(store.lifetime(), settings.retention, datetime.now(UTC), spool_folder(settings))
    _show(settings, steps, as_json, "would go")


def run(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Remove what is past its time, now instead of at the daily hour.

    Example: `snowgauge retention run`
    """
    from snowgauge.actions.lifetime import retention
    from snowgauge.pipeline.lifetime import opened, spool_folder

    settings = settings_of(ctx)
    with opened(settings) as (_, store):
        steps = retention.run(store.lifetime(), settings.retention, datetime.now(UTC), spool_folder(settings))
    _show(settings, steps, as_json, "removed")


def _show(settings: Settings, steps: Sequence[retention.Step], as_json: bool, verb: str) -> None:
    from snowgauge.events.timestamps import iso_text

    if as_json:
        out.print_json(
            json.dumps(
                [
                    {
                        "table": step.rule.table,
                        "apps": list(step.rule.apps.names),
                        "appsMode": step.rule.apps.mode,
                        "before": iso_text(step.rule.before),
                        "rows": step.rows,
                        "partitions": step.partitions,
                        "files": step.files,
                    }
                    for step in steps
                ]
            )
        )
        return
    if not steps:
        out.print("everything is kept indefinitely: no time is set below `retention`")
        return
    rows = []
    for step in steps:
        rule = step.rule
        named = ", ".join(name or "(none)" for name in rule.apps.names)
        apps = named if rule.apps.mode == "only" else f"all but {named}" if named else "all"
        more = [f"{len(step.partitions)} whole partitions"] if step.partitions else []
        more += [f"{step.files} damaged files"] if step.files else []
        rows.append((rule.table, apps, f"{rule.days:g} days", iso_text(rule.before), f"{step.rows:,}", ", ".join(more)))
    out.print(table(("class", "app ids", "kept for", "collected before", verb, "of it"), rows))
    err.print(f"[dim]days of {settings.retention.timezone}[/]")
