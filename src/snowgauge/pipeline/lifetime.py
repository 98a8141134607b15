"""Puts together what erasure, export, backup and retention work on: the only place that knows all places."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from pydantic import SecretStr

import snowgauge
from snowgauge.actions.lifetime import backup, retention
from snowgauge.actions.lifetime.backup import Root
from snowgauge.actions.lifetime.erased import Erased, WithoutErased
from snowgauge.actions.lifetime.erasing import Erasing, take_over
from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.places import (
    EventLogPlace,
    Place,
    Progress,
    silent,
    store_places,
)
from snowgauge.actions.lifetime.tombstones import FOLDER, Tombstones
from snowgauge.errors import SettingsError, SnowgaugeError
from snowgauge.modelling.store import HasModelling
from snowgauge.pipeline import build
from snowgauge.pipeline.personal_places import CohortsPlace, JournalPlace, ModelledPlace, RecoveriesPlace
from snowgauge.settings.model import Settings
from snowgauge.state.documents import FolderDocuments, MemoryDocuments
from snowgauge.store.base import HasLifetime, Store
from snowgauge.store.clickhouse import snapshot
from snowgauge.store.clickhouse.schemas import SchemaColumns
from snowgauge.telemetry.logs import logger

if TYPE_CHECKING:
    from snowgauge.store.clickhouse.store import ClickHouseStore

log = logger("retention")
_LOOK_EVERY = 60.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not listened on


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Settings, Store]]:
    """The store of a deployment, whether it runs or not; with settings that lead to it.

    The embedded engine is asked where it runs, and started in this process for the length of the block where not.
    """
    if build.embedded(settings):
        with opened_engine(settings) as found:
            yield found
        return
    store = build.open_store(settings)
    try:
        yield settings, store
    finally:
        store.close()


@contextmanager
def opened_engine(settings: Settings, *, maintenance: bool = False) -> Iterator[tuple[Settings, ClickHouseStore]]:
    """As ``opened``, for a deployment that is known to have the embedded engine.

    ``maintenance``: with the rights of backup and restore.
    """
    engine = settings.clickhouse.engine
    if _listens(engine.host, engine.port):
        store = build.open_clickhouse(settings, maintenance=maintenance)
        try:
            yield settings, store
        finally:
            store.close()
        return
    from snowgauge.store.clickhouse.engine.server import EngineServer

    quiet = build.clickhouse_settings(settings).engine.model_copy(update={"port": 0, "host": "127.0.0.1"})
    server = EngineServer(quiet, engine_folder(settings))
    server.start()
    try:
        here = quiet.model_copy(update={"port": server.port})
        clickhouse = settings.clickhouse.model_copy(update={"engine": here})
        chosen = settings.model_copy(update={"clickhouse": clickhouse})
        store = build.open_clickhouse(chosen, maintenance=maintenance)
        try:
            yield chosen, store
        finally:
            store.close()
    finally:
        server.stop()


def store_at(settings: Settings, url: str) -> Settings:
    """The same deployment with its store at this URL; ``here``: where it is."""
    if url == "here":
        return settings
    if "://" not in url:
        raise SettingsError(f"{url!r} is no store: write a URL as in store.url, or 'here' for this deployment's store")
    return settings.model_copy(update={"store": settings.store.model_copy(update={"url": SecretStr(url)})})


def engine_folder(settings: Settings) -> Path:
    return settings.clickhouse.engine.path or build.data_dir(settings) / "clickhouse"


def _listens(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((_ANY.get(host, host), port)) == 0


def tombstones(settings: Settings) -> Tombstones:
    """Those of this deployment, with those that its data folder alone has where all machines share them."""
    shared = Tombstones(build.open_documents(settings, FOLDER), settings.privacy.person_fields)
    if build.shares_state(settings):
        own = FolderDocuments(build.data_dir(settings) / FOLDER)
        shared.merge(Tombstones(own))
        take_over(own, shared.documents)
    return shared


def erased(settings: Settings, store: HasLifetime) -> Erased:
    """What a worker that stores asks about erasures."""
    return Erased(tombstones(settings), store.lifetime())


def gate(settings: Settings) -> Gate:
    return Gate(build.data_dir(settings))


def spool_folder(settings: Settings) -> Path:
    return settings.eventlog.spool.folder or build.data_dir(settings) / "spool"


def erasing(settings: Settings, store: HasLifetime) -> Erasing:
    """Everything that an erasure (or an export about a person) has to look at."""
    places: list[Place] = [
        EventLogPlace(build.open_eventlog(settings)),
        JournalPlace(build.data_dir(settings) / "journal"),
        JournalPlace(build.sinks_folder(settings), "sinks"),
        RecoveriesPlace(build.open_kept(settings).documents),
        *store_places(store.lifetime()),
    ]
    if isinstance(store, HasModelling):
        places += [ModelledPlace(store.modelling()), CohortsPlace(store.modelling())]
    return Erasing(places, tombstones(settings), gate(settings), names=settings.privacy.person_fields)


def backup_roots(settings: Settings, file: Path | None = None) -> list[Root]:
    """What a backup holds: the data folder and the event log; and beside them what settings point to: local schema
    folders, enrichments, and the settings' own ``file``."""
    data = build.data_dir(settings)
    roots = [Root("data", data)]
    spool = spool_folder(settings).absolute()
    if not spool.is_relative_to(data):
        roots.append(Root("spool", spool))
    elsewhere = [
        file,
        Path(settings.enrichments.folder or data),
        *(Path(name) for name in settings.iglu.registries if "://" not in name),
    ]
    found = [path.absolute() for path in elsewhere if path is not None and path.exists()]
    found = [path for path in dict.fromkeys(found) if not path.is_relative_to(data)]
    return [*roots, *(Root(f"elsewhere/{n}-{path.name}", path, False) for n, path in enumerate(found))]


def take_backup(
    settings: Settings, folder: Path, progress: Progress = silent, *, file: Path | None = None
) -> backup.Backup:
    """Back up this deployment, which may be running. Raises ``SnowgaugeError`` for one with a database server."""
    _refuse_server(settings)
    data = engine_folder(settings)
    name = uuid.uuid4().hex
    with opened_engine(settings, maintenance=True) as (_, store):

        def freeze() -> backup.Snapshot:
            frozen = snapshot.freeze(store.connection, store.layout, data, name)
            return backup.Snapshot([msgspec.Raw(msgspec.json.encode(one)) for one in frozen.tables], frozen.folders)

        return backup.take(
            folder.absolute(),
            backup_roots(settings, file),
            gate(settings),
            freeze,
            lambda: snapshot.thaw(data),
            version=snowgauge.__version__,
            at=int(time.time() * 1000),
            progress=progress,
        )


def restore_backup(
    settings: Settings, folder: Path, *, replace: bool = False, progress: Progress = silent
) -> tuple[backup.Backup, int, list[Path]]:
    """Make a deployment of a backup; nothing of it may be running. Answers the backup, how much tombstones took out
    again, and where what was in the place has been moved."""
    _refuse_server(settings)
    engine = settings.clickhouse.engine
    if _listens(engine.host, engine.port):
        raise SnowgaugeError(f"something listens on {engine.host}:{engine.port}: stop the deployment before a restore")
    if engine.path is not None and not engine.path.absolute().is_relative_to(build.data_dir(settings)):
        raise SnowgaugeError(
            "clickhouse.engine.path is outside of the data folder: restore without it and move it then"
        )
    found = backup.read(folder.absolute(), progress)
    roots = backup_roots(settings)
    restoring = backup.Restoring(folder.absolute(), roots)
    if not replace:
        restoring.refuse_used()
    restoring.begin()
    drafts = {draft.name: draft.path for draft in restoring.drafts()}
    changes = {
        "common": settings.common.model_copy(update={"data_dir": drafts["data"]}),
        "eventlog": settings.eventlog.model_copy(
            update={"spool": settings.eventlog.spool.model_copy(update={"folder": drafts.get("spool")})}
        ),
        "clickhouse": settings.clickhouse.model_copy(
            update={"engine": engine.model_copy(update={"path": None, "port": 0, "sync": False})}
        ),
    }
    draft_settings = settings.model_copy(update=changes)
    # what was erased since the backup was taken stays erased
    present = _present_erasures(settings)
    with opened_engine(draft_settings, maintenance=True) as (here, store):
        tables = [msgspec.json.decode(raw, type=snapshot.Table) for raw in found.tables]
        parts = folder.absolute() / "clickhouse"
        store.migrate()
        schemas = SchemaColumns(store.connection, store.layout, store.features)
        attached = snapshot.attach(store.connection, store.layout, schemas, engine_folder(here), tables, parts)
        for number, _ in enumerate(attached):
            progress("tables", number + 1)
        store.migrate()  # the backup of what this changes is the one being restored
        kept = tombstones(here)  # which may be in the store itself
        kept.merge(present)
        gone = backup.forget_again(kept, store.lifetime(), build.open_eventlog(here), progress)
        gone += JournalPlace(drafts["data"] / "journal").forget(kept)
        gone += JournalPlace(build.sinks_folder(draft_settings), "sinks").forget(kept)
    moved = restoring.finish(f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    return found, gone, moved


def _present_erasures(settings: Settings) -> Tombstones:
    """Those of the deployment in whose place a backup comes. Where they are in its engine, another process reads them:
    a process can open one engine."""
    own = Tombstones(FolderDocuments(build.data_dir(settings) / FOLDER))
    if not build.shares_state(settings) or not engine_folder(settings).is_dir():
        return own
    present = Tombstones(MemoryDocuments())
    present.merge(own)
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
            contents = other.submit(_documents_in_engine, settings).result()
    except (SnowgaugeError, BrokenProcessPool) as error:
        cure = "erase again those who were erased since the backup"
        log.error("erasures_not_read", reason=str(error), cure=cure)
        return present
    present.merge(Tombstones(MemoryDocuments(contents)))
    return present


def _documents_in_engine(settings: Settings) -> dict[str, bytes]:
    with opened_engine(settings) as (here, _):
        return build.open_documents(here, FOLDER).contents("")


def _refuse_server(settings: Settings) -> None:
    if not build.embedded(settings):
        raise SnowgaugeError(
            "backup and restore are for the embedded engine. This deployment's events are in a database server: use "
            "that server's own backup, and copy the data folder while nothing runs"
        )


def keep_retention(settings: Settings, store: HasLifetime, stop: threading.Event) -> threading.Thread | None:
    """Run retention once a day in the background of this process, until ``stop``. ``None``: nothing ever goes."""
    daily = retention.Daily(settings.retention, build.open_documents(settings, FOLDER))
    if not daily.wanted:
        return None
    lifetime = store.lifetime()

    def keep() -> None:
        while not stop.is_set():
            try:
                if daily.due():
                    retention.run(lifetime, settings.retention, datetime.now(UTC), spool_folder(settings))
                    daily.done()
            except SnowgaugeError as error:
                log.warning("retention_failed", reason=str(error), effect="tried again in a minute")
            stop.wait(_LOOK_EVERY)

    thread = threading.Thread(target=keep, name="retention", daemon=True)
    thread.start()
    return thread


def without_erased(settings: Settings, store: Store) -> WithoutErased:
    """Writing to the store past this deployment's tombstones."""
    return WithoutErased(store, erased(settings, store))
