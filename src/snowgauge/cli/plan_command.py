"""`snowgauge plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from snowgauge.cli.context import out, settings_of

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
AppOption = Annotated[list[str], typer.Option("--app", help="Only these applications.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The tracking plan: what is sent, and what was meant to be.", no_args_is_help=True)
    group.command("export")(export)
    group.command("check")(check)
    app.add_typer(group, name="plan")


def export(
    ctx: typer.Context,
    form: Annotated[
        Literal["markdown", "csv", "json"], typer.Option("--format", help="markdown, csv or json.")
    ] = "markdown",
    app: AppOption = [],  # noqa: B006 - Typer copies it
) -> None:
    """Write the tracking plan to standard output.

    Example: `snowgauge plan export --format json > plan.json`
    """
    from snowgauge.actions import plan

    found = _plan(ctx, tuple(app))
    text = {
        "markdown": lambda: plan.as_markdown(found),
        "csv": lambda: plan.as_csv(found),
        "json": lambda: msgspec.json.encode(found).decode(),
    }[form]()
    out.out(text, highlight=False)


def check(
    ctx: typer.Context,
    micro: Annotated[
        str, typer.Option("--micro", help="Address of Micro, which took what the build sent.")
    ] = "http://127.0.0.1:9090",
    plan_file: Annotated[
        Path | None,
        typer.Option("--plan", help="A plan from `plan export --format json`, instead of the deployment's."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what a build sent to Micro with the plan. Ends with 1 if something of it is not in the plan, or failed.

    Example: `snowgauge plan check --plan plan.json --micro http://127.0.0.1:9090`
    """
    from snowgauge.actions import plan

    known = _read(plan_file) if plan_file else msgspec.to_builtins(_plan(ctx, ()).events)
    good, bad = _of_micro(micro, "good"), _of_micro(micro, "bad")
    missing = plan.unknown_to_plan(known, [one.get("event") or {} for one in good])
    if as_json:
        told = {"events": len(good), "failed": len(bad), "not_in_the_plan": missing}
        out.print_json(msgspec.json.encode(told).decode())
        raise typer.Exit(1 if missing or bad or not good else 0)
    for one in missing:
        out.print(f"not in the plan: {one}", markup=False)
    if bad:
        out.print(f"failed: {len(bad):,} events; {micro}/micro/bad has them", markup=False)
    if not good and not bad:
        out.print("Micro has no events: did the build send any?")
    if missing or bad or not good:
        raise typer.Exit(1)
    out.print(f"all {len(good):,} events are in the plan")


def _plan(ctx: typer.Context, apps: tuple[str, ...]) -> Any:
    from snowgauge.actions import plan
    from snowgauge.pipeline.alerts import opened_deployment

    with opened_deployment(settings_of(ctx)) as deployment:
        return plan.tracking_plan(deployment, apps)


def _read(file: Path) -> list[dict[str, Any]]:
    from snowgauge.errors import SettingsError

    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        return msgspec.convert(found["events"], list[dict[str, Any]])
    except (OSError, KeyError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{file} is no plan of `snowgauge plan export --format json`: {error}") from None


def _of_micro(address: str, which: str) -> list[dict[str, Any]]:
    import httpx

    from snowgauge.errors import SettingsError

    try:
        answer = httpx.get(f"{address.rstrip('/')}/micro/{which}", timeout=30)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=list[dict[str, Any]])
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError) as error:
        raise SettingsError(f"--micro {address}: {error}") from None
