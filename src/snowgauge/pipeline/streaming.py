"""A worker that writes no store: what is enriched goes to sinks alone, as Snowplow's enrich works."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import partial

from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.delivery.contract import Subscription
from snowgauge.delivery.worker import Worker
from snowgauge.errors import SettingsError
from snowgauge.pipeline import build, lifetime
from snowgauge.pipeline.reporters import reported
from snowgauge.pipeline.roles.process import mark_ready, mark_waiting, stopping
from snowgauge.pipeline.roles.worker import collect_seldom, enriching, run_with_followers
from snowgauge.settings.model import Settings
from snowgauge.store.base import StoreBatch, WriteResult
from snowgauge.telemetry.logs import logger

_log = logger("pipeline")


class NoStore:
    """Writes nothing: the sinks have every batch before it is committed."""

    def write(self, batch: StoreBatch) -> WriteResult:
        return WriteResult(len(batch.events), len(batch.failed), len(batch.incomplete))


class NotSent:
    """Sends nothing of persons who were erased; what was sent already is not this deployment's any more."""

    def __init__(self, tombstones: Tombstones) -> None:
        self._tombstones = tombstones

    def without(self, batch: StoreBatch) -> StoreBatch:
        return self._tombstones.without(batch)

    def after(self, stored: StoreBatch) -> None: ...


@reported("pipeline")
def run_streaming(settings: Settings, environment: Mapping[str, str], *, index: int = 0) -> None:
    """Take a share of the event log to the sinks until told to stop. Raises ``SettingsError``."""
    settings.pipeline.refuse_index(index)
    stop, abandon = stopping(settings)
    erased = NotSent(lifetime.tombstones(settings))
    followers = build.open_followers(settings, index, erased.without)
    if not followers and not settings.sinks.kafka.exactly_once:
        raise SettingsError("pipeline.store = none keeps no event anywhere: set one of sinks.*, or remove it")
    waits = partial(mark_waiting, settings, f"pipeline-{index}")
    made = enriching(settings, environment, build.open_iglu(settings), stop, waits)
    if stop.is_set() or made is None:
        return
    subscription = _subscription(settings, index)
    worker = Worker(
        subscription,
        made.enricher,
        NoStore(),
        processor=made.enricher.processor,
        followers=followers[0] if followers else None,
        gate=lifetime.gate(settings).storing,
        erasures=erased,
    )
    worker.stop, worker.abandon = stop, abandon
    collect_seldom()
    mark_ready(settings, f"pipeline-{index}")
    _log.info("worker_started", worker=index, store="none")
    run_with_followers(worker, followers, subscription)
    made.close()
    done = worker.tally
    _log.info("worker_stopped", worker=index, enriched=done.enriched, failed=done.failed, dropped=done.dropped)


def _subscription(settings: Settings, index: int) -> Subscription:
    log = build.open_eventlog(settings)
    if not settings.sinks.kafka.exactly_once:
        return log.subscribe(index, settings.pipeline.worker_count())
    if settings.eventlog.kind != "kafka":
        raise SettingsError(
            "sinks.kafka.exactly_once needs an event log on Kafka, whose offsets are part of each transaction: set "
            "eventlog.url to kafka://…, or sinks.kafka.brokers instead"
        )
    from snowgauge.delivery.kafka.log import KafkaLog
    from snowgauge.delivery.sinks.kafka.exactly_once import ExactlyOnce

    assert isinstance(log, KafkaLog)
    letters = settings.sinks.dead_letters(build.data_dir(settings))
    return ExactlyOnce(
        log.subscription(),
        log.cluster,
        settings.sinks.kafka,
        name=_transactional_id(settings, index),
        refused=partial(letters.put, "kafka"),
    )


def _transactional_id(settings: Settings, index: int) -> str:
    """The same after a restart on the same machine, and no other worker's."""
    place = f"{platform.node()}:{build.data_dir(settings)}:{index}"
    return f"{settings.eventlog.kafka.group}-{hashlib.blake2b(place.encode(), digest_size=8).hexdigest()}"
