"""Makes parts from settings. Everything that needs several parts together is put together here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import snowgauge
from snowgauge.delivery.backends import Streams
from snowgauge.delivery.contract import EventLog, Sink
from snowgauge.delivery.spool.reserve import least_free_bytes
from snowgauge.errors import SettingsError
from snowgauge.iglu import build as iglu_build
from snowgauge.iglu.contract import Resolver
from snowgauge.iglu.registries.folder import FolderRegistry
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.iglu.settings import IGLU_CENTRAL
from snowgauge.iglu.validation import IgluValidator
from snowgauge.settings.model import Settings
from snowgauge.state.book import Book
from snowgauge.state.documents import Documents, FolderDocuments, SharedDocuments
from snowgauge.state.mirror import Mirror
from snowgauge.state.tables import SharedTables, Sharing
from snowgauge.store import build as store_build
from snowgauge.store.base import Store, StoreBatch
from snowgauge.store.clickhouse.foreign_table import ForeignTable
from snowgauge.store.clickhouse.passwords import with_passwords
from snowgauge.store.settings import ClickHouseSettings

if TYPE_CHECKING:  # most commands need one part or two; to import them all takes longer than a command runs
    from snowgauge.actions.deployment import Deployment, Outbox, Surroundings
    from snowgauge.actions.failed.kept import Kept
    from snowgauge.actions.failed.repair.means import RecoveryMeans
    from snowgauge.actions.lifetime.erasing import Erasing
    from snowgauge.actions.sinks import Sinks
    from snowgauge.alerts.delivering.post import Means
    from snowgauge.delivery.followers import Followers
    from snowgauge.enrich.enricher import Enricher
    from snowgauge.store.clickhouse.store import ClickHouseStore


def data_dir(settings: Settings) -> Path:
    """The data folder, absolute, made if it is missing; only this user may look into it."""
    folder = settings.common.data_dir.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def open_eventlog(settings: Settings) -> EventLog:
    least = least_free_bytes(settings.collector.streams.good.max_bytes)
    if settings.eventlog.uses_spool and settings.eventlog.spool.min_free_bytes < least:
        raise SettingsError(
            f"eventlog.spool.min_free_bytes: {settings.eventlog.spool.min_free_bytes} is too little to store requests "
            f"of collector.streams.good.max_bytes = {settings.collector.streams.good.max_bytes} on a full disk; "
            f"give at least {least}"
        )
    streams = settings.collector.streams
    return settings.eventlog.open(
        data_dir(settings),
        Streams(
            streams.good.name,
            streams.bad.name,
            key_by_ip=streams.use_ip_address_as_partition_key,
            max_bytes=streams.good.max_bytes,
        ),
    )


def make_topics(settings: Settings, partitions: int, replication: int, retention: timedelta) -> dict[str, str]:
    """Make the topics of a Kafka event log; what was done by topic. Raises ``SettingsError`` for another log."""
    if settings.eventlog.kind != "kafka":
        raise SettingsError("eventlog.url: there are no topics to make, since it does not begin with kafka://")
    from snowgauge.delivery.kafka.log import KafkaLog
    from snowgauge.delivery.kafka.topics import Layout, make

    log = open_eventlog(settings)
    assert isinstance(log, KafkaLog)
    return make(log.cluster, Layout(partitions, replication, retention))


def shares_state(settings: Settings) -> bool:
    """Is what all machines share kept in the store's database?"""
    if settings.shared_state.place == "auto":
        return settings.eventlog.kind == "kafka" and settings.pipeline.store != "none"
    return settings.shared_state.place == "store"


def open_book(settings: Settings, name: str, *, timeout: float = 20) -> Book:
    """What all machines share under a name, in the store's database. Raises ``SettingsError`` without a key."""
    key = settings.shared_state.key.get_secret_value()
    if not key:
        raise SettingsError(
            "shared_state.key is not set: machines that share their state through the store need a key, the same on "
            "each of them, such as `openssl rand -base64 32` makes. For a single machine set shared_state.place to "
            "data_dir"
        )
    log = store_build.state_log(settings.store, clickhouse_settings(settings), settings.postgres, timeout=timeout)
    return Book(log, name, key)


def open_documents(settings: Settings, name: str) -> Documents:
    """The documents of this name that all machines share: a folder of the data folder, or a book in the store."""
    if shares_state(settings):
        return SharedDocuments(open_book(settings, name))
    return FolderDocuments(data_dir(settings) / name)


def open_kept(settings: Settings) -> Kept:
    """Runs, rules and notes about failed events: this machine's files, or what all machines share."""
    from snowgauge.actions.failed.kept import FOLDER, Kept

    return Kept(data_dir(settings), open_documents(settings, FOLDER) if shares_state(settings) else None)


def sinks_folder(settings: Settings) -> Path:
    """Where what was stored waits for the sinks, a folder for each worker."""
    return data_dir(settings) / "sinks"


def open_followers(settings: Settings, index: int, keep: Callable[[StoreBatch], StoreBatch]) -> list[Followers]:
    """The sinks of worker ``index``, which come first, and of workers that there are no more; none without sinks."""
    from snowgauge.delivery.followers import Followers

    places = [index]
    workers = settings.pipeline.worker_count()
    dead_letters = settings.sinks.dead_letters(data_dir(settings))
    for folder in sinks_folder(settings).glob("worker-*"):
        number = int(folder.name.removeprefix("worker-"))
        if number >= workers and number % workers == index:
            places.append(number)
    found = []
    for number in places:
        sinks = settings.sinks.open(data_dir(settings))
        if sinks:
            folder = sinks_folder(settings) / f"worker-{number}"
            found.append(
                Followers(
                    folder,
                    sinks,
                    backlog_bytes=settings.sinks.backlog_bytes,
                    dead_letters=dead_letters,
                    keep=keep,
                    pass_by=settings.pipeline.store != "none",
                )
            )
    return found


def open_sinks(settings: Settings) -> Sinks:
    """The sinks as people ask for them."""
    from snowgauge.actions.sinks import Sinks
    from snowgauge.pipeline.lifetime import tombstones

    known = cache(partial(tombstones, settings))
    # what is written with the log's offsets is no follower, and has dead letters all the same
    together = {"kafka": lambda: open_eventlog(settings).stats()} if settings.sinks.kafka.exactly_once else {}

    def opened() -> dict[str, Sink]:
        sinks = settings.sinks.open(data_dir(settings))
        if together:
            from snowgauge.delivery.sinks.kafka.exactly_once import at_least_once

            sinks["kafka"] = at_least_once(open_eventlog(settings), settings.sinks.kafka)
        return sinks

    return Sinks(
        sinks_folder(settings),
        [*settings.sinks.open(data_dir(settings)), *together],
        settings.sinks.dead_letters(data_dir(settings)),
        opened,
        lambda batch: known().without(batch),
        together,
    )


def clickhouse_settings(settings: Settings) -> ClickHouseSettings:
    """With the passwords of the embedded engine where that is the store."""
    if not embedded(settings):
        return settings.clickhouse
    engine = with_passwords(settings.clickhouse.engine, data_dir(settings))
    return settings.clickhouse.model_copy(update={"engine": engine})


def open_store(settings: Settings, resolver: Resolver | None = None) -> Store:
    """``resolver`` is the one that has looked for the schemas of events already, where there is one."""
    return store_build.build(
        settings.store,
        clickhouse_settings(settings),
        postgres=settings.postgres,
        resolver=resolver or open_iglu(settings)[0],
        pool=_pool(settings),
        schemas=settings.common.snowplow.schemas,
    )


def open_clickhouse(settings: Settings, *, maintenance: bool = False) -> ClickHouseStore:
    """As ``open_store``, for a deployment that is known to have ClickHouse. ``maintenance``: with the rights of backup
    and restore."""
    return store_build.build_clickhouse(
        settings.store,
        clickhouse_settings(settings),
        pool=_pool(settings),
        schemas=settings.common.snowplow.schemas,
        maintenance=maintenance,
    )


def _pool(settings: Settings) -> tuple[int, int]:
    return settings.performance.db_pool_size, settings.performance.db_pool_overflow


def open_foreign_table(settings: Settings, url: str, name: str) -> ForeignTable:
    """A table of another system on a ClickHouse server; an empty ``url`` is this deployment's own."""
    return store_build.foreign_table(settings.store, clickhouse_settings(settings), url, name)


def store_kind(settings: Settings) -> str:
    """`clickhouse`, `postgres` or `memory`: which sort of store this deployment has."""
    scheme = settings.store.url.get_secret_value().partition("://")[0]
    return {"postgresql": "postgres", "postgres": "postgres", "memory": "memory"}.get(scheme, "clickhouse")


def embedded(settings: Settings) -> bool:
    """Does this deployment run the embedded engine?"""
    return store_build.embedded(settings.store, settings.clickhouse)


def open_iglu(settings: Settings) -> tuple[IgluResolver, IgluValidator]:
    return iglu_build.build(
        settings.iglu,
        data_dir(settings),
        max_json_depth=settings.enrich.max_json_depth,
        local=local_schemas(settings),
    )


def local_schemas(settings: Settings) -> FolderRegistry:
    """The schemas published in this deployment: a folder, which where machines share them is this machine's copy."""
    copies = None
    if shares_state(settings):
        documents = SharedDocuments(open_book(settings, "schemas"))
        copies = Mirror(documents, max_age=settings.shared_state.max_age.total_seconds())
    return iglu_build.local_schemas(data_dir(settings), copies)


def open_deployment(settings: Settings, environment: Mapping[str, str] | None = None) -> Deployment:
    """``environment`` is what enrichments' configurations may refer to; without it no enricher can be lent."""
    from snowgauge.actions.deployment import Deployment
    from snowgauge.actions.elsewhere.looking import OtherDeployments
    from snowgauge.actions.lifetime.tombstones import FOLDER
    from snowgauge.pipeline.enriching import LentEnricher

    resolver, validator = open_iglu(settings)
    return Deployment(
        store=open_store(settings),
        eventlog=open_eventlog(settings),
        resolver=resolver,
        validator=validator,
        data_dir=data_dir(settings),
        version=snowgauge.__version__,
        collector_url=collector_url(settings),
        surroundings=surroundings(settings),
        applications_file=settings.modelling.applications,
        console_tables=open_console(settings),
        registry_tables=open_registry(settings),
        local_schemas=local_schemas(settings),
        shared_state=open_documents(settings, FOLDER) if shares_state(settings) else None,
        shared_kept=open_kept(settings) if shares_state(settings) else None,
        sinks=open_sinks(settings),
        elsewhere=OtherDeployments(settings.console.deployments),
        alert_means=cache(partial(open_alert_means, settings)),
        outbox=open_outbox(settings),
        lend_enricher=None if environment is None else LentEnricher(settings, environment),
        recovery=None if environment is None else open_recovery(settings, environment),
        erasing=cache(partial(open_erasing, settings)),
    )


def open_erasing(settings: Settings) -> Erasing:
    """What people are erased and exported through; with a store of its own, opened when it is first needed."""
    from snowgauge.pipeline.lifetime import erasing

    return erasing(settings, open_store(settings))


def open_recovery(settings: Settings, environment: Mapping[str, str]) -> RecoveryMeans:
    """Recovery runs have an enricher of their own, store nothing while the store must stand still, and nothing of a
    person who was erased."""
    from snowgauge.actions.failed.repair.means import RecoveryMeans
    from snowgauge.pipeline import lifetime
    from snowgauge.pipeline.enriching import Enriching

    @contextmanager
    def enricher() -> Iterator[Enricher]:
        enriching = Enriching(settings, environment, start=False)
        try:
            yield enriching.enricher
        finally:
            enriching.close()

    return RecoveryMeans(enricher, lifetime.gate(settings).storing, partial(lifetime.erased, settings))


def open_outbox(settings: Settings) -> Outbox | None:
    """Where e-mail goes; ``None`` where no mail server is set."""
    if not settings.mail.host:
        return None
    from snowgauge.mail.send import send

    return Outbox(partial(send, settings.mail), settings.mail.sender, settings.alerts.console_url)


def open_alert_means(settings: Settings) -> Means:
    """What messages of alerts are sent with. Makes a key where the settings have none: of this machine, or of all that
    share their state."""
    from snowgauge.alerts.delivering.post import Means, Post
    from snowgauge.alerts.sealing import BOOK, Seal, own_key
    from snowgauge.mail.send import send
    from snowgauge.outgoing import HttpClient

    own = settings.alerts
    http = HttpClient(
        timeout=10,
        retries=0,
        allow_private_hosts=own.allow_private_hosts,
        private_hosts_cure="alerts.allow_private_hosts allows it",
    )
    post = Post(own, http, partial(send, settings.mail), settings.mail.sender)
    if key := own.key.get_secret_value():
        seal = Seal(key)
    elif shares_state(settings):
        seal = Seal.shared(open_documents(settings, BOOK), data_dir(settings))
    else:
        seal = Seal(own_key(data_dir(settings)))
    return Means(seal, post, own.console_url)


def surroundings(settings: Settings) -> Surroundings:
    """What the doctor looks at beside the parts themselves."""
    from snowgauge.actions.deployment import Surroundings

    places = [*settings.iglu.registries, *([IGLU_CENTRAL] if settings.iglu.iglu_central else [])]
    return Surroundings(
        registries=tuple(place.rstrip("/") for place in places if "://" in place),
        engine_memory=settings.clickhouse.engine.memory_limit if embedded(settings) else None,
        cookie_domains=tuple(settings.collector.cookie.domains),
        scripts=scripts_folder(settings) if settings.scripts.enabled else None,
        json_columns=store_kind(settings) == "clickhouse",
    )


def scripts_folder(settings: Settings) -> Path:
    """Where scripts are kept; it may not be there yet."""
    folder = settings.scripts.folder
    return folder.expanduser().absolute() if folder else data_dir(settings) / "static"


def collector_url(settings: Settings) -> str:
    """Where trackers send to: what the settings say, else where the collector listens."""
    if settings.console.collector_url:
        return settings.console.collector_url.rstrip("/")
    if settings.tls.enabled:
        port = "" if settings.tls.port_of_visitors == 443 else f":{settings.tls.port_of_visitors}"
        return f"https://{settings.tls.domains[0]}{port}"
    host = settings.collector.interface
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104 - recognised, not listened on
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.collector.port}"


def open_console(settings: Settings) -> SharedTables | None:
    """People, keys and what people save, where machines share them."""
    from snowgauge.actions.console_tables import NAME, console_tables

    if not shares_state(settings):
        return None
    return console_tables(data_dir(settings) / "shared" / "console.sqlite", _sharing(settings, NAME, "console.sqlite"))


def open_registry(settings: Settings) -> SharedTables | None:
    """What the registry knows beside the schemas, where machines share it."""
    from snowgauge.actions.registry.database import KEYS, LAYOUT

    if not shares_state(settings):
        return None
    copy = data_dir(settings) / "shared" / "schemas.db"
    return SharedTables(copy, LAYOUT, KEYS, _sharing(settings, "registry", "schemas.db"))


def _sharing(settings: Settings, book: str, first: str) -> Sharing:
    own = settings.shared_state
    return Sharing(
        open_book(settings, book, timeout=5),
        data_dir(settings) / first,
        own.max_age.total_seconds(),
        own.outage.total_seconds(),
    )
