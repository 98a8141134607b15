"""`snowgauge report`."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from snowgauge.cli.context import JsonOption, out, settings_of, table


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Figures by e-mail.", no_args_is_help=True)
    group.command("list")(listed)
    group.command("send")(send)
    app.add_typer(group, name="report")


def listed(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show who gets which figures by e-mail.

    Example: `snowgauge report list`
    """
    from snowgauge.actions.analytics.asking import saved
    from snowgauge.actions.analytics.email_reports.book import EmailReports
    from snowgauge.events.timestamps import iso_text
    from snowgauge.pipeline.alerts import opened_deployment

    with opened_deployment(settings_of(ctx)) as deployment:
        found = EmailReports(saved(deployment)).listed()
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
        return
    rows = [
        (one.id, one.app, one.every, ", ".join(one.recipients),
         "never" if one.last_sent_at is None else iso_text(one.last_sent_at), one.last_result)
        for one in found
    ]  # fmt: skip
    out.print(table(("id", "application", "every", "to", "last sent", "answer"), rows))


def send(
    ctx: typer.Context,
    report: Annotated[str, typer.Option("--report", help="Id of one report, with --to: its last one once more.")] = "",
    to: Annotated[str, typer.Option("--to", help="Address that this one goes to.")] = "",
) -> None:
    """Send the reports that are due and were not sent; the running console does so every ten minutes.

    Example: `snowgauge report send`
    """
    import time

    from snowgauge.actions.analytics.email_reports import sending
    from snowgauge.errors import SettingsError, SnowgaugeError
    from snowgauge.pipeline.alerts import opened_deployment

    if bool(report) != bool(to):
        raise SettingsError("--report and --to go together: which report, and who gets it")
    with opened_deployment(settings_of(ctx)) as deployment:
        if report:
            out.print(sending.try_out(deployment, report, to))
            return
        sent = sending.send_due(deployment, time.time_ns() // 1_000_000)
    out.print(
        f"{sent.sent} sent, {sent.failed} refused, {sent.again} to be tried again, "
        f"{sent.waiting} waiting for the modeller"
    )
    if sent.failed or sent.again:
        raise SnowgaugeError("not every report was sent: see the lines above")
