"""`snowgauge import`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from snowgauge.cli import daily_imports
from snowgauge.cli.context import settings_of
from snowgauge.cli.importing import Run, buckets, files_at, running
from snowgauge.errors import SnowgaugeError

if TYPE_CHECKING:
    from snowgauge.actions.imports.into_log import IntoLog
    from snowgauge.actions.imports.into_store import Kind
    from snowgauge.settings.model import Settings
    from snowgauge.store.base import Store

Places = Annotated[list[str], typer.Argument(help="Files, folders, or s3://bucket/prefix; gzip is recognised.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the totals as JSON, for programs.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Bring in what was recorded elsewhere; nothing twice.", no_args_is_help=True)
    group.command("cloudfront")(cloudfront)
    group.command("payloads")(payloads)
    group.command("tsv")(tsv)
    group.command("bad-rows")(bad_rows)
    daily_imports.register(group)
    app.add_typer(group, name="import")


def cloudfront(
    ctx: typer.Context,
    places: Places,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with logs as they are delivered, until stopped.")
    ] = False,
    fields: Annotated[
        str | None,
        typer.Option("--fields", help="Names of the columns, for logs without a #Fields line (real-time logs)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import CloudFront access logs of a hosted pixel as if each request had come to the collector.

    Example: `snowgauge import cloudfront s3://my-logs/pixel/ --watch`
    """
    from snowgauge.actions.imports.access_log import COLLECTOR, AccessLogReader, TrackingPaths
    from snowgauge.actions.imports.cloudfront import LOADER, CloudFrontImport
    from snowgauge.actions.scripts.door import with_neutral_names
    from snowgauge.pipeline.public_door import collector_settings

    settings = settings_of(ctx)
    door = with_neutral_names(collector_settings(settings), settings.scripts)
    tracking = TrackingPaths(door.paths, door.pixel_paths)
    reader = AccessLogReader(tracking, fields.split() if fields else None)
    storage = buckets(settings)
    with running(settings, as_json) as run, _into_log(settings, run, LOADER, COLLECTOR) as sink:
        importing = CloudFrontImport(
            reader, run.ledger, sink, run.totals, told=run.told, progress=run.progress, stopped=run.stop.is_set
        )
        while True:
            importing.run(files_at(places, storage), growing=watch)
            if not watch or run.stop.wait(settings.imports.watch_interval.total_seconds()):
                return
            run.totals.files_known = 0


def payloads(ctx: typer.Context, places: Places, as_json: AsJson = False) -> None:
    """Import recorded payloads into the event log: JSON lines or Thrift records in Base64.

    Lines are as `snowgauge eventlog show` prints them. Equal lines of one file are different requests.

    Example: `snowgauge import payloads recorded.jsonl.gz`
    """
    from snowgauge.actions.imports.payloads import LOADER as PAYLOADS
    from snowgauge.actions.imports.payloads import take_line

    settings = settings_of(ctx)
    with running(settings, as_json) as run, _into_log(settings, run, PAYLOADS, "") as sink:
        for key, line in run.lines(files_at(places, buckets(settings)), "payloads", sink.flush, count_equal=True):
            take_line(sink, key, line)


def tsv(ctx: typer.Context, places: Places, as_json: AsJson = False) -> None:
    """Import Snowplow's enriched events (TSV, 131 columns) into the store. It must be running.

    Example: `snowgauge import tsv s3://my-archive/enriched/good/`
    """
    _stored(ctx, places, "tsv", as_json=as_json)


def bad_rows(ctx: typer.Context, places: Places, as_json: AsJson = False) -> None:
    """Import Snowplow's bad rows (JSON lines) as failed events; those that hold their request can be recovered.

    Example: `snowgauge import bad-rows s3://my-archive/enriched/bad/`
    """
    _stored(ctx, places, "bad-rows", as_json=as_json)


def _stored(ctx: typer.Context, places: list[str], kind: Kind, *, as_json: bool) -> None:
    from snowgauge.actions.imports.into_store import IntoStore
    from snowgauge.pipeline.build import open_store
    from snowgauge.pipeline.lifetime import without_erased

    settings = settings_of(ctx)
    store = open_store(settings)
    kept = without_erased(settings, store)
    try:
        with running(settings, as_json) as run:
            sink = IntoStore(run.ledger, kept, run.totals, kind, chunk=settings.imports.chunk_lines)
            for key, line in run.lines(files_at(places, buckets(settings)), kind, sink.flush, count_equal=False):
                sink.add(key, line)
    finally:
        store.close()


@contextmanager
def _into_log(settings: Settings, run: Run, loader: str, collector: str) -> Iterator[IntoLog]:
    from snowgauge.actions.imports.into_log import IntoLog
    from snowgauge.pipeline.build import open_eventlog, open_store

    if settings.eventlog.kind == "memory":
        raise SnowgaugeError("an import needs an event log that lasts: eventlog.url is memory://")
    opened: list[Store] = []

    def reader() -> Store:
        if not opened:
            opened.append(open_store(settings))
        return opened[0]

    sink = IntoLog(
        run.ledger,
        open_eventlog(settings),
        reader,
        run.totals,
        loader=loader,
        collector=collector,
        chunk=settings.imports.chunk_lines,
        stop=run.stop,
        waiting=run.told,
    )
    try:
        yield sink
        sink.flush()
    finally:
        sink.close()
        for store in opened:
            store.close()
