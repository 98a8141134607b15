"""`snowgauge export`: events into files, and what is held about a person."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from snowgauge.actions.lifetime.exporting import Format
from snowgauge.cli.context import err, out, settings_of, table
from snowgauge.cli.erase_command import (
    AnywhereOption,
    DomainUserIdOption,
    EmailOption,
    IpOption,
    NetworkUserIdOption,
    UserIdOption,
    identifiers,
    progress_lines,
)
from snowgauge.errors import SnowgaugeError
from snowgauge.store.base import EventKind

FolderArgument = Annotated[Path, typer.Argument(help="Folder to write to.")]
SinceOption = Annotated[str, typer.Option("--since", help="Collected from then on: 2024-05-01 or an ISO instant, UTC.")]
UntilOption = Annotated[str, typer.Option("--until", help="Collected before then: 2024-05-01 or an ISO instant, UTC.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Events into files.", no_args_is_help=True)
    group.command("events")(events)
    group.command("person")(person)
    app.add_typer(group, name="export")


def instant(text: str, option: str) -> int | None:
    """An option's instant in ms. Raises ``SnowgaugeError`` with the form wanted."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise SnowgaugeError(
            f"{option} {text!r}: expected a day such as 2024-05-01 or an instant in ISO 8601"
        ) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def events(
    ctx: typer.Context,
    folder: FolderArgument,
    since: SinceOption = "",
    until: UntilOption = "",
    fmt: Annotated[
        Format,
        typer.Option(
            "--format",
            "-f",
            help="csv is for spreadsheets: no cell begins like a formula; csv-exact is as stored. "
            "tsv: Snowplow's enriched TSV; snowplow-json: as its analytics SDKs print it.",
        ),
    ] = "parquet",
    kind: Annotated[
        EventKind, typer.Option("--kind", help="Which events; failed ones are bad rows, as jsonl.")
    ] = "good",
) -> None:
    """Write events into one file a day. Again: only days that are missing or have changed.

    Example: `snowgauge export events --since 2024-05-01 --until 2024-06-01 --format parquet exported`
    """
    from snowgauge.actions.lifetime.exporting import export
    from snowgauge.pipeline.lifetime import opened

    first, last = instant(since, "--since"), instant(until, "--until")
    with opened(settings_of(ctx)) as (_, store):
        done = export(
            store,
            store.lifetime(),
            folder,
            kind=kind,
            fmt=fmt,
            since=first,
            until=last,
            progress=progress_lines("exporting"),
        )
    out.print(table(("file", "events"), [(file.path, f"{file.rows:,}") for file in done.written]))
    err.print(f"{len(done.written)} files written, {len(done.kept)} were there already")


def person(
    ctx: typer.Context,
    folder: FolderArgument,
    user_id: UserIdOption = None,
    domain_userid: DomainUserIdOption = None,
    network_userid: NetworkUserIdOption = None,
    ip: IpOption = None,
    email: EmailOption = None,
    anywhere: AnywhereOption = None,
) -> None:
    """Write everything that is held about one person, as JSON and as CSV, into a new folder.

    Example: `snowgauge export person --user-id ann --email ann@example.com for-ann`
    """
    from snowgauge.actions.lifetime.person_export import export_person
    from snowgauge.pipeline.lifetime import erasing, opened

    given = identifiers(user_id, domain_userid, network_userid, ip, email, anywhere)
    with opened(settings_of(ctx)) as (settings, store):
        counts = export_person(erasing(settings, store), given, folder, progress_lines("looking"))
    out.print(table(("where", "items"), [(name, f"{count:,}") for name, count in counts.items()]))
