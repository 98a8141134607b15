"""`snowgauge sinks`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from snowgauge.cli.context import err, out, settings_of, table
from snowgauge.events.timestamps import instant_text

SinkArgument = Annotated[str, typer.Argument(help="The sink, such as http.crm.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
IdOption = Annotated[list[str] | None, typer.Option("--id", help="Only these dead letters; repeatable.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Places beside the store that events go to, and what they refused.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("replay")(replay)
    group.command("discard")(discard)
    app.add_typer(group, name="sinks")


def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show each sink: what waits for it, what it refused, what is wrong.

    Example: `snowgauge sinks list`
    """
    from snowgauge.pipeline.build import open_sinks

    found = open_sinks(settings_of(ctx)).states()
    if as_json:
        out.print_json(json.dumps([asdict(one) for one in found]))
        return
    columns = ("sink", "waiting", "bytes", "oldest", "passed by", "dead letters", "")
    out.print(
        table(
            columns,
            [
                (one.name, one.waiting, f"{one.waiting_bytes:,}", f"{one.waits_seconds:.0f} s", one.passed_by,
                 one.dead_letters, one.note or ("" if one.configured else "not in the settings any more"))
                for one in found
            ],
        )
    )  # fmt: skip


def show(
    ctx: typer.Context,
    sink: SinkArgument,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most dead letters to show.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the dead letters of a sink, the oldest first: why they were refused, and how often.

    Example: `snowgauge sinks show http.crm`
    """
    from snowgauge.pipeline.build import open_sinks

    letters = open_sinks(settings_of(ctx)).letters(sink, limit)
    if as_json:
        out.print_json(json.dumps([asdict(one) for one in letters]))
        return
    rows = [(one.id, instant_text(one.at), one.events, one.attempts, one.reason) for one in letters]
    out.print(table(("dead letter", "refused first", "events", "attempts", "reason"), rows))


def replay(ctx: typer.Context, sink: SinkArgument, ids: IdOption = None) -> None:
    """Send dead letters again, as the settings are now. What is delivered goes from the list.

    Example: `snowgauge sinks replay http.crm`
    """
    from snowgauge.pipeline.build import open_sinks

    done = open_sinks(settings_of(ctx)).replay(sink, ids or None)
    out.print(f"{done.delivered} delivered, {done.refused} refused again, {done.left} left")
    if done.trouble:
        err.print(done.trouble, markup=False, soft_wrap=True)
    if done.refused or done.left:
        raise typer.Exit(1)


def discard(ctx: typer.Context, sink: SinkArgument, ids: IdOption = None) -> None:
    """Delete dead letters for good. Their events stay in the store.

    Example: `snowgauge sinks discard http.crm`
    """
    from snowgauge.pipeline.build import open_sinks

    out.print(f"{open_sinks(settings_of(ctx)).discard(sink, ids or None)} deleted")
