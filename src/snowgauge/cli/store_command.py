"""`snowgauge store`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from snowgauge.cli.context import err, out, settings_of, store_url, table
from snowgauge.cli.erase_command import progress_lines
from snowgauge.cli.export_command import SinceOption, UntilOption, instant
from snowgauge.cli.upgrade_command import BackupOption, asker, upgrade_flags
from snowgauge.errors import SnowgaugeError

if TYPE_CHECKING:
    from snowgauge.actions.lifetime.copying import Day


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Stores as a whole.", no_args_is_help=True)
    group.command("copy")(copy_command)
    app.add_typer(group, name="store")


def copy_command(
    ctx: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            help="Store to read: `here` for this deployment's, a URL as in store.url, or `env:NAME` for a URL with a "
            "password, in a variable."
        ),
    ],
    target: Annotated[str, typer.Argument(help="Store to write, in the same words.")],
    since: SinceOption = "",
    until: UntilOption = "",
    backup: BackupOption = None,
) -> None:
    """Copy all events, failed and incomplete ones too, from one store to another, and compare day by day.

    It may break off and be repeated: what is there is not copied again. The target is set up first; before tables that
    are there are changed a backup is offered, as `store.backup_before_upgrade` says.

    Example: `snowgauge store copy here env:NEW_STORE`
    """
    from snowgauge.actions.lifetime.copying import End, copy
    from snowgauge.pipeline.lifetime import opened, store_at, tombstones
    from snowgauge.pipeline.upgrades import migrate

    source, target = store_url(source), store_url(target)
    if source == target:
        raise SnowgaugeError("FROM and TO are the same store")
    first, last = instant(since, "--since"), instant(until, "--until")
    days: list[Day] = []
    given = settings_of(ctx, *upgrade_flags(backup))
    with (
        opened(store_at(given, source)) as (settings, origin),
        opened(store_at(settings, target) if target != "here" else given) as (there, goal),
    ):
        migrate(there, goal, ask=asker())
        ends = End(origin, origin.lifetime()), End(goal, goal.lifetime())
        for day in copy(*ends, tombstones(settings), since=first, until=last, progress=progress_lines("copying")):
            days.append(day)
            if not day.same:
                err.print(f"{day.kind} {day.day}: not the same: {day.source} in the source, {day.target} in the target")
    rows = [
        (
            day.day,
            day.kind,
            f"{day.source.rows:,}",
            f"{day.copied:,}",
            day.source.checksum,
            "same" if day.same else "DIFFERENT",
        )
        for day in days
    ]
    out.print(table(("day", "kind", "events", "copied now", "checksum", "compared"), rows))
    different = sum(not day.same for day in days)
    if different:
        raise SnowgaugeError(
            f"{different} days are not the same on both sides: were events coming in? Repeat the copy with the "
            "pipeline stopped"
        )
