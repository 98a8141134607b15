"""`snowgauge alerts`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from snowgauge.cli.context import out, settings_of, table

if TYPE_CHECKING:
    from snowgauge.actions.deployment import Deployment

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Alerts: what fires, and trying channels and alerts out.", no_args_is_help=True)
    group.command("list")(listed)
    group.command("test")(test)
    group.command("preview")(preview)
    app.add_typer(group, name="alerts")


def listed(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show every alert, and what of it fires.

    Example: `snowgauge alerts list`
    """
    from snowgauge.actions import alerts
    from snowgauge.events.timestamps import iso_text

    with _deployment(ctx) as deployment:
        found = alerts.alerts(alerts.alert_book(deployment))
    if as_json:
        out.print_json(msgspec.json.encode(found, enc_hook=lambda rule: rule.model_dump(mode="json")).decode())
        return
    rows = []
    for one in found:
        until = "never yet" if one.evaluated_until is None else iso_text(one.evaluated_until)
        about = [(state.key, state.summary) for state in one.states] or [("", "")]
        for number, told in enumerate(about):
            first = (one.rule.id, one.rule.name, one.status, until) if not number else ("", "", "", "")
            rows.append((*first, *told))
    out.print(table(("id", "alert", "is", "checked until", "about", "what"), rows))


def test(
    ctx: typer.Context,
    channel: Annotated[str, typer.Argument(help="Id or name of the channel, as the console shows it.")],
) -> None:
    """Send a test message to a channel. Ends with 1 if it does not arrive.

    Example: `snowgauge alerts test Ops`
    """
    from snowgauge.actions import alerts

    with _deployment(ctx) as deployment:
        known = alerts.channels(alerts.alert_book(deployment))
        ids = [one.id for one in known if channel in (one.id, one.name)]
        done = alerts.send_test(deployment, ids[0] if ids else channel)
    out.print(f"delivered: {done.answer}" if done.ok else f"not delivered: {done.answer}")
    if not done.ok:
        raise typer.Exit(1)


def preview(
    ctx: typer.Context,
    alert: Annotated[str, typer.Argument(help="Id of an alert, or a JSON file with one.")],
    days: Annotated[int, typer.Option("--days", min=1, max=90, help="How far back.")] = 28,
    as_json: JsonOption = False,
) -> None:
    """Show when an alert would have fired, by what is stored. Sends nothing.

    Example: `snowgauge alerts preview traffic --days 14`
    """
    from snowgauge.actions import alerts
    from snowgauge.events.timestamps import iso_text

    with _deployment(ctx) as deployment:
        values = _read(Path(alert)) if alert.endswith(".json") else None
        if values is None:
            values = alerts.alert_book(deployment).rule(alert).model_dump(mode="json")
        found = alerts.tried_on_history(deployment, values, days)
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
        return
    rows = [
        (iso_text(one.started_at), "" if one.resolved_at is None else iso_text(one.resolved_at), one.key, one.summary)
        for one in found.incidents
    ]
    if rows:
        out.print(table(("fires", "resolved", "about", "what"), rows))
    out.print(f"would have fired {len(rows):,} times in {found.checks:,} checks over {days} days")


def _read(file: Path) -> dict[str, object]:
    from snowgauge.errors import SettingsError

    try:
        found = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"{file} is no alert as JSON: {error}") from None
    if not isinstance(found, dict):
        raise SettingsError(f"{file}: expected a JSON object, found a {type(found).__name__}")
    return found


@contextmanager
def _deployment(ctx: typer.Context) -> Iterator[Deployment]:
    """The deployment, whether it runs or not."""
    from snowgauge.pipeline.alerts import opened_deployment

    with opened_deployment(settings_of(ctx)) as found:
        yield found
