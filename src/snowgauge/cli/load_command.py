"""`snowgauge load`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from snowgauge.cli.context import err, settings_of
from snowgauge.cli.importing import buckets, files_at, running
from snowgauge.errors import SnowgaugeError

if TYPE_CHECKING:
    from snowgauge.actions.imports.files import SourceFile


def register(app: typer.Typer) -> None:
    app.command("load", rich_help_panel="Running")(load)


def load(
    ctx: typer.Context,
    places: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            help="Enriched events (TSV): kafka://host:9092, or files, folders, s3://bucket/prefix; repeatable.",
        ),
    ] = None,
    bad_places: Annotated[
        list[str] | None, typer.Option("--bad-from", help="Bad rows (JSON lines), likewise; repeatable.")
    ] = None,
    topic: Annotated[str, typer.Option("--topic", help="Kafka: the topic of enriched events.")] = "snowplow-enriched",
    bad_topic: Annotated[str, typer.Option("--bad-topic", help="Kafka: the topic of bad rows.")] = "snowplow-bad",
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on with files as they are delivered, until stopped.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON, for programs.")] = False,
) -> None:
    """Load what Snowplow's enrich wrote into this deployment's store, each event once.

    Nothing else of a deployment needs to run: the store is laid out where it has to be, and waited for while it is
    unreachable. With `--watch`, a file is loaded once two looks find it unchanged.

    From Kafka it goes on until it is stopped, as a member of the consumer group `eventlog.kafka.group` with `-load`;
    start as many as you like. Brokers are reached as `eventlog.kafka.properties` says. What batches became is kept in a
    topic named `TOPIC-outcomes`.

    Example: `snowgauge load --from s3://my-archive/enriched/good/ --bad-from s3://my-archive/enriched/bad/ --watch`
    """
    from snowgauge.actions.imports.loading import Loading, Unchanged
    from snowgauge.pipeline import upgrades
    from snowgauge.pipeline.build import open_store
    from snowgauge.pipeline.lifetime import without_erased
    from snowgauge.pipeline.roles.worker import prepare_store

    if not places and not bad_places:
        raise SnowgaugeError("name what to load with --from, --bad-from or both")
    brokers = [place for place in places or [] if place.startswith("kafka://")]
    if brokers:
        if len(places or []) > 1 or bad_places or watch or as_json:
            raise SnowgaugeError(
                "from Kafka, give one --from with --topic and --bad-topic, and none of the options for files"
            )
        _load_topics(ctx, brokers[0], topic, bad_topic)
        return
    settings = settings_of(ctx)
    store = open_store(settings)
    storage = buckets(settings)
    try:
        with running(settings, as_json) as run:
            prepare_store(store, migrate=lambda: upgrades.migrate(settings, store), stop=run.stop, waits=run.told)
            loading = Loading(
                run.ledger,
                without_erased(settings, store),
                run.totals,
                partial(run.lines, count_equal=False),
                chunk=settings.imports.chunk_lines,
                told=run.told,
                wait=run.stop.wait,
            )
            good, bad = Unchanged(), Unchanged()

            def there(names: list[str] | None, unchanged: Unchanged) -> Iterator[SourceFile]:
                files = files_at(names or [], storage)
                return unchanged.of(files) if watch else files

            while not run.stop.is_set():
                found = loading.load({"tsv": lambda: there(places, good), "bad-rows": lambda: there(bad_places, bad)})
                if not watch or not found or run.stop.wait(settings.imports.watch_interval.total_seconds()):
                    return
                run.totals.files_known = 0
    finally:
        store.close()


def _load_topics(ctx: typer.Context, brokers: str, topic: str, bad_topic: str) -> None:
    from snowgauge.pipeline.loading import run_load

    names = (f"collector.streams.good.name={topic}", f"collector.streams.bad.name={bad_topic}")
    settings = settings_of(ctx, f"eventlog.url={brokers}", *names)
    kafka = settings.eventlog.kafka.model_copy(update={"group": f"{settings.eventlog.kafka.group}-load"})
    eventlog = settings.eventlog.model_copy(update={"kafka": kafka})
    run_load(
        settings.model_copy(update={"eventlog": eventlog}),
        lambda why: err.print(f"waiting for {why}", markup=False, soft_wrap=True),
    )
