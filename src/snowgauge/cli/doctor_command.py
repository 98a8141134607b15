"""`snowgauge doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from snowgauge.cli.context import err, out, settings_of

_MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]look[/]", "fail": "[bold red]bad[/]", "skip": "[dim]--[/]"}


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check this deployment: parts, disk, memory, DNS, TLS, clock, CORS, cookies, proxy, registries, robots.

    Each finding comes with its cure. Ends with status 1 when something is bad.

    Example: `snowgauge doctor`
    """
    from snowgauge.actions.doctor.examine import examine
    from snowgauge.pipeline.build import open_deployment

    deployment = open_deployment(settings_of(ctx))
    try:
        checks = examine(deployment, deployment.surroundings)
    finally:
        deployment.store.close()
    if as_json:
        out.print_json(json.dumps([asdict(check) for check in checks]))
    else:
        for check in checks:
            out.print(f"{_MARKS[check.status]:<6} ", end="")
            out.print(f"{check.title}: {check.found}", markup=False, soft_wrap=True)
            if check.cure:
                out.print(f"       {check.cure}", markup=False, soft_wrap=True)
    bad = sum(check.status == "fail" for check in checks)
    if bad:
        err.print(f"[bold red]{bad} bad[/]")
        raise typer.Exit(1)
