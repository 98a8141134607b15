"""`snowgauge enrichments` and `snowgauge assets`."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snowgauge.cli.context import JsonOption, err, out, print_rows, settings_of, table
from snowgauge.errors import SnowgaugeError

if TYPE_CHECKING:
    from snowgauge.enrich.explain import Explanation
    from snowgauge.pipeline.enriching import Enriching


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The enrichments of this deployment.", no_args_is_help=True)
    group.command("list")(list_enrichments)
    group.command("check")(check)
    group.command("explain")(explain)
    app.add_typer(group, name="enrichments")
    assets = typer.Typer(help="Files that enrichments need.", no_args_is_help=True)
    assets.command("fetch")(fetch)
    app.add_typer(assets, name="assets")


def list_enrichments(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the enrichments in the order they run: on or off, where configured, and the age of their files.

    Example: `snowgauge enrichments list`
    """
    from snowgauge.pipeline.enriching import Enriching

    _print(Enriching(settings_of(ctx), os.environ, start=False), whole=True, as_json=as_json)


def check(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of configurations.", exists=True)],
    as_json: JsonOption = False,
) -> None:
    """Check a folder of configurations as a start would, files fetched too; all faults are reported together.

    Example: `snowgauge enrichments check ./enrichments`
    """
    from snowgauge.pipeline.enriching import Enriching

    _print(Enriching(settings_of(ctx, f"enrichments.folder={folder}"), os.environ, start=False), as_json=as_json)
    err.print(f"{folder}: no problems")


def _print(enriching: Enriching, *, whole: bool = False, as_json: bool = False) -> None:
    from snowgauge.enrich.listing import listed, not_configured

    try:
        lines = listed(enriching.loaded, enriching.assets.ages())
        if whole:
            lines = sorted(lines + not_configured(enriching.loaded), key=lambda line: line.runs_at)
        rows = [
            (
                line.runs_at,
                line.name,
                "on" if line.on else f"off: {line.why_off}" if line.why_off else "off",
                line.source,
                ", ".join(f"{asset.uri} ({_age(asset.age)})" for asset in line.assets),
            )
            for line in lines
        ]
    finally:
        enriching.close()
    for warning in enriching.loaded.warnings:
        err.print(f"[yellow]warning:[/] {warning}")
    print_rows(("place", "enrichment", "state", "configured in", "files"), rows, as_json=as_json)


def _age(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} old"
    return "new"


def explain(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(help="File of payloads, `-`, or the id of a failed event.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON lines, for programs.")] = False,
) -> None:
    """Show what each step changed in an event, and how long it took.

    Payloads are lines as `snowgauge eventlog show` prints them; an id is that of a failed event in the store.

    Example: `snowgauge enrichments explain payloads.jsonl`
    """
    from snowgauge.pipeline.build import open_store
    from snowgauge.pipeline.enriching import Enriching

    settings = settings_of(ctx)
    if what == "-" or Path(what).is_file():
        records = _records(sys.stdin.read() if what == "-" else Path(what).read_text("utf-8", "surrogateescape"))
    else:
        store = open_store(settings)
        try:
            failed = store.failed_event(what)
        finally:
            store.close()
        if failed is None:
            raise SnowgaugeError(f"{what!r} is neither a file nor the id of a failed event")
        if not failed.get("record"):
            raise SnowgaugeError(f"{what}: the request behind this failed event was not kept")
        records = [failed["record"]]
    enriching = Enriching(settings, os.environ, start=False)
    try:
        for record in records:
            for explanation in enriching.enricher.explain(record):
                _show(explanation, as_json=as_json)
    finally:
        enriching.close()


def _records(text: str) -> list[bytes]:
    from snowgauge.enrich.recorded import BadLine, read_line
    from snowgauge.events import payload_record

    records = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            read = read_line(line)
        except BadLine as error:
            raise SnowgaugeError(f"line {number}: {error}") from None
        records.append(read if isinstance(read, bytes) else payload_record.encode(read.payload()))
    return records


def _show(explanation: Explanation, *, as_json: bool) -> None:
    from snowgauge.enrich.recorded import outcome_line
    from snowgauge.events.json_text import stored

    outcome = stored(outcome_line(None, explanation.outcome))
    if as_json:
        steps = [
            {"name": s.name, "microseconds": s.microseconds, "set": s.set, "entities": s.entities, "failure": s.failure}
            for s in explanation.steps
        ]
        sys.stdout.write(json.dumps({"outcome": outcome["outcome"], "steps": steps}, ensure_ascii=False) + "\n")
        return
    event = outcome["event"] or {}
    out.print(f"[bold]{outcome['outcome']}[/] {event.get('event_name') or ''} {event.get('event_id') or ''}")
    rows = []
    for step in explanation.steps:
        changes = [f"{column} = {json.dumps(value, ensure_ascii=False)}" for column, value in step.set.items()]
        changes += [f"+ {item['schema']} {json.dumps(item['data'], ensure_ascii=False)}" for item in step.entities]
        changes += [f"failed: {json.dumps(item, ensure_ascii=False)}" for item in step.failure]
        rows.append((step.name, f"{step.microseconds} µs", "\n".join(changes)))
    out.print(table(("step", "took", "changed"), rows))
    out.print()


def fetch(ctx: typer.Context) -> None:
    """Fetch the free city and ASN databases (DB-IP Lite, CC BY 4.0) into the data folder, for the IP lookups.

    Example: `snowgauge assets fetch`
    """
    from snowgauge.enrich import city_database
    from snowgauge.pipeline.build import data_dir
    from snowgauge.pipeline.enriching import open_outgoing

    settings = settings_of(ctx)
    http = open_outgoing(settings)
    try:
        for database in city_database.fetch(data_dir(settings) / "assets", http, datetime.now(UTC).date()):
            out.print(f"{database.path} ({database.size / 1e6:.0f} MB) from {database.address}")
        out.print(city_database.ATTRIBUTION)
    finally:
        http.close()
