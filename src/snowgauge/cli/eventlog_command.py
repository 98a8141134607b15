"""`snowgauge eventlog`."""

from __future__ import annotations

import json
import signal
import sys
from typing import Annotated

import msgspec
import typer

from snowgauge.cli.context import JsonOption, err, out, settings_of, table


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What has been received and is not stored yet.", no_args_is_help=True)
    group.command("show")(show)
    group.command("stats")(stats)
    group.command("init")(init)
    group.command("copy")(copy)
    app.add_typer(group, name="eventlog")


def show(
    ctx: typer.Context,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Most records to print.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with records as they come.")] = False,
) -> None:
    """Print waiting records in order of arrival as JSON lines, without consuming them.

    Example: `snowgauge eventlog show --limit 10`
    """
    from snowgauge.delivery.show import lines
    from snowgauge.pipeline.build import open_eventlog

    log = open_eventlog(settings_of(ctx))
    for line in lines(log.peek(limit, follow)):
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()


def stats(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Print how much waits: records, bytes, and the age of the oldest in seconds. With Kafka also by partition, and on
    which machine the worker is that reads it.

    Example: `snowgauge eventlog stats`
    """
    from snowgauge.delivery.show import stats_report
    from snowgauge.pipeline.build import open_eventlog

    found = open_eventlog(settings_of(ctx)).stats()
    if as_json:
        partitions = [msgspec.structs.asdict(part) for part in found.partitions]
        out.print_json(json.dumps(stats_report(found) | ({"partitions": partitions} if partitions else {})))
        return
    capacity = f"of {found.capacity_bytes:,}" if found.capacity_bytes else ""
    rows = [("records", f"{found.entries:,}"), ("bytes", f"{found.bytes:,} {capacity}"),
            ("oldest", f"{found.oldest_seconds:.1f} s")]  # fmt: skip
    out.print(table(("waiting", ""), rows))
    if found.partitions:
        parts = [
            (part.name, f"{part.entries:,}", f"{part.oldest_seconds:.1f} s",
             "unknown" if part.reader is None else part.reader or "nobody")
            for part in found.partitions
        ]  # fmt: skip
        out.print(table(("partition", "records", "oldest", "read by"), parts))


def copy(
    ctx: typer.Context,
    to: Annotated[
        str, typer.Option("--to", help="Brokers, as kafka://host:9092,host:9092. Default: those of `eventlog.url`.")
    ] = "",
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with what collectors still write to the spool, until stopped.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy what waits in this machine's spool to Kafka, each record once, and take it out of the spool.

    For the move from one machine to many. Stop the workers of this machine first; collectors may go on. A copy that was
    stopped or killed goes on where it was. Records keep the time at which they were received. Topics have to exist
    (`snowgauge eventlog init`). Consumers that read committed records see each record once.

    Example: `snowgauge eventlog copy --to kafka://kafka-1:9092,kafka-2:9092`
    """
    from rich.progress import Progress

    from snowgauge.pipeline.copying import copying

    settings = settings_of(ctx, *([f"eventlog.url={to}"] if to else []))
    copy, waiting = copying(settings, lambda why: err.print(f"tried again: {why}", markup=False, soft_wrap=True))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: copy.stop.set())
    with Progress(console=err, transient=True, disable=as_json) as shown:
        task = shown.add_task("records copied", total=None if watch else waiting)
        copy.run(lambda done: shown.update(task, completed=sum(msgspec.structs.astuple(done))), until_empty=not watch)
    done = msgspec.structs.asdict(copy.copied)
    if as_json:
        out.print_json(json.dumps(done))
        return
    meanings = {"payloads": "payloads copied", "bad_rows": "bad rows copied", "erased": "erased, not copied",
                "again": "copied before"}  # fmt: skip
    out.print(table(("records", ""), [(meanings[name], f"{number:,}") for name, number in done.items()]))
    if copy.stop.is_set():
        out.print("stopped; start it again for the rest", markup=False)


def init(
    ctx: typer.Context,
    partitions: Annotated[
        int, typer.Option(min=1, max=10_000, help="Partitions of each topic: the most workers that share the work.")
    ] = 12,
    replication: Annotated[
        int,
        typer.Option(min=1, max=10, help="Copies of each record, on as many brokers. All but one have to be in sync."),
    ] = 3,
    retention: Annotated[
        str, typer.Option(help="How long brokers keep records: longer than the longest outage of the store.")
    ] = "7 days",
) -> None:
    """Make the topics of a Kafka event log that are not there yet, and nothing else.

    Example: `snowgauge eventlog init --partitions 24`
    """
    from datetime import timedelta

    from snowgauge.part_settings import parse_duration
    from snowgauge.pipeline.build import make_topics

    try:
        kept = parse_duration(retention)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--retention") from None
    if not isinstance(kept, timedelta) or kept < timedelta(hours=1):
        raise typer.BadParameter("expected an hour at least, such as '7 days'", param_hint="--retention")
    done = make_topics(settings_of(ctx), partitions, replication, kept)
    out.print(table(("topic", ""), list(done.items())))
