"""Three brokers, of which one, two and all are lost and come back: what was acknowledged is there."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from snowgauge.delivery.backends import Streams
from snowgauge.delivery.contract import EventLog, LogWriter
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.errors import LogUnavailable
from snowgauge.testing import kafka
from snowgauge.testing.eventlog.asking import bodies, entries, subscribed

pytest.importorskip("confluent_kafka", reason="the extra kafka is not installed")
pytestmark = pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing")

STREAMS = Streams("payloads", "bad-rows")


def taken(writer: LogWriter, name: str, within: float = 180) -> str:
    """Append until it is acknowledged, as a tracker does that sends again."""
    until = time.monotonic() + within
    while True:
        try:
            writer.append(entries(name))
        except LogUnavailable:
            assert time.monotonic() < until, f"{name} was never taken"
            time.sleep(0.5)
        else:
            return name


def refused(writer: LogWriter) -> None:
    """Something is refused sooner or later, once brokers know of each other's death."""
    for number in range(1000):
        try:
            writer.append(entries(f"maybe {number}"))
        except LogUnavailable:
            return
    raise AssertionError("nothing was refused")


def read_all(log: EventLog) -> list[str]:
    found: list[str] = []
    with subscribed(log) as subscription:
        until = time.monotonic() + 180
        while log.stats().entries and time.monotonic() < until:
            with suppress(LogUnavailable):
                batch = subscription.read(1)
                if batch is not None:
                    subscription.commit(batch)
                    found += bodies(batch.entries)
    return found


def test_one_two_and_all_brokers_are_lost_and_come_back(tmp_path: Path) -> None:
    from snowgauge.delivery.kafka.client import Cluster
    from snowgauge.delivery.kafka.topics import Layout, doubts, make

    brokers = kafka.KafkaBrokers(tmp_path / "kafka", 3).start(240)
    try:
        settings = EventLogSettings.model_validate(
            {"url": brokers.url, "kafka": {"delivery_timeout": "3 s", "session_timeout": "6 s"}}
        )
        cluster = Cluster.of(settings.url, settings.kafka, STREAMS)
        make(cluster, Layout(1, 3, timedelta(days=1)))
        assert doubts(cluster) == []
        log = settings.open(tmp_path, STREAMS)
        writer = log.writer()
        acknowledged = [taken(writer, "with all")]
        brokers.kill(0)
        acknowledged.append(taken(writer, "without one"))
        brokers.kill(1)
        refused(writer)
        brokers.start_one(1)
        acknowledged.append(taken(writer, "two again"))
        brokers.stop()
        refused(writer)
        for broker in range(3):
            brokers.start_one(broker)
        brokers.wait(240)
        acknowledged.append(taken(writer, "all again"))
        writer.close()
        # what was refused may be there all the same, as brokers took it and could not say so
        found = dict.fromkeys(name for name in read_all(log) if not name.startswith("maybe"))
        assert list(found) == acknowledged
    finally:
        brokers.stop()
