"""The spool into Kafka: each record once, through kills at any moment."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer

from snowgauge.delivery.backends import Streams
from snowgauge.delivery.contract import Processed
from snowgauge.delivery.kafka.client import Cluster
from snowgauge.delivery.kafka.copying import Copying, too_old
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.errors import ActionRefused, LogUnavailable, SettingsError
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Tally
from snowgauge.store.base import StoreBatch
from snowgauge.testing import kafka
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.kafka import KafkaBrokers
from snowgauge.testing.roles import role

pytestmark = pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing")

BEGAN = int(time.time() * 1000) - 60_000
"""When the first record was received."""


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBrokers]:
    cluster = KafkaBrokers(tmp_path_factory.mktemp("kafka") / "one").start()
    yield cluster
    cluster.stop()


class Move:
    """A spool in ``folder``, and topics of its own to copy it to."""

    def __init__(self, brokers: KafkaBrokers, folder: Path, **topic: str) -> None:
        self.brokers = brokers
        self.folder = folder
        name = f"t{uuid.uuid4().hex[:8]}"
        self.streams = Streams(f"{name}-raw", f"{name}-bad")
        brokers.make_topics(self.streams.good, self.streams.bad, partitions=2, config=topic)
        given = {"max_batch_entries": 5, "linger": "1 ms", "spool": {"min_free_bytes": 0}, "kafka": {"group": name}}
        self.settings = EventLogSettings.model_validate(given)
        self.cluster = Cluster.of(brokers.url, self.settings.kafka, self.streams)
        self.spool = self.settings.open(folder)

    def receive(self, numbers: range) -> None:
        writer = self.spool.writer()
        writer.append(
            [
                LogEntry(f"{number}".encode(), BEGAN + number, "bad_row" if number % 10 == 0 else "payload")
                for number in numbers
            ]
        )
        writer.close()

    def copying(self, told: Callable[[str], None] = print) -> Copying:
        return Copying(self.spool, self.cluster, "here", told)

    def read(self, number: int) -> list[Any]:
        """Committed records, which are ``number`` and no more."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.brokers.servers,
                "group.id": uuid.uuid4().hex,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        consumer.subscribe([self.streams.good, self.streams.bad])
        found: list[Any] = []

        def reads() -> bool:
            found.extend(message for message in consumer.consume(500, 0.2) if message.error() is None)
            return len(found) >= number

        wait_until(reads, f"{number} records come")
        found += [message for message in consumer.consume(500, 0.5) if message.error() is None]
        consumer.close()
        return found


def test_records_go_to_their_topics_and_leave_the_spool(brokers: KafkaBrokers, tmp_path: Path) -> None:
    move = Move(brokers, tmp_path)
    move.receive(range(23))
    copy = move.copying()
    seen: list[int] = []
    copy.run(lambda done: seen.append(done.payloads + done.bad_rows))
    assert seen == [5, 10, 15, 20, 23]
    assert (copy.copied.payloads, copy.copied.bad_rows, copy.copied.again) == (20, 3, 0)
    assert move.spool.stats().entries == 0
    records = move.read(23)
    assert sorted(int(one.value()) for one in records) == list(range(23))
    for one in records:
        number = int(one.value())
        assert one.topic() == (move.streams.bad if number % 10 == 0 else move.streams.good)
        assert one.timestamp()[1] == BEGAN + number
        assert uuid.UUID(one.key().decode())


def test_what_kafka_has_and_the_spool_does_not_know_is_not_copied_again(brokers: KafkaBrokers, tmp_path: Path) -> None:
    move = Move(brokers, tmp_path)
    move.receive(range(5))
    subscription = move.spool.subscribe()
    batch = subscription.read(10)
    assert batch is not None
    first = move.copying()
    first._send(batch)  # and here it dies
    subscription.close()
    move.receive(range(5, 8))
    second = move.copying()
    second.run(lambda _: None)
    assert (second.copied.again, second.copied.payloads + second.copied.bad_rows) == (5, 3)
    assert sorted(int(one.value()) for one in move.read(8)) == list(range(8))


@pytest.mark.e2e
def test_each_record_is_copied_once_through_kills(brokers: KafkaBrokers, tmp_path: Path) -> None:
    move = Move(brokers, tmp_path)
    move.receive(range(3000))
    given = {
        "common.data_dir": str(tmp_path),
        "common.run_as_root": "true",
        "eventlog.max_batch_entries": "20",
        "eventlog.spool.min_free_bytes": "128 MB",
        "eventlog.kafka.group": move.settings.kafka.group,
        "collector.streams.good.name": move.streams.good,
        "collector.streams.bad.name": move.streams.bad,
    }
    log = tmp_path / "copy.log"

    def start() -> subprocess.Popen[bytes]:
        return role("eventlog copy", given, log, ["--to", brokers.url, "--json"])

    left = 3000
    for _ in range(3):
        process = start()
        try:
            wait_until(
                lambda before=left, running=process: move.spool.stats().entries < before or running.poll() is not None,
                "some are copied", within=240,
            )  # fmt: skip
        finally:
            process.kill()
            process.wait()
        left = move.spool.stats().entries
    log.unlink()
    assert start().wait(300) == 0
    json.loads(log.read_text())
    assert move.spool.stats().entries == 0
    counts = Counter(int(one.value()) for one in move.read(3000))
    assert set(counts) == set(range(3000))
    assert set(counts.values()) == {1}


def test_what_a_worker_has_begun_to_store_is_refused(brokers: KafkaBrokers, tmp_path: Path) -> None:
    move = Move(brokers, tmp_path)
    move.receive(range(5))
    subscription = move.spool.subscribe()
    with pytest.raises(LogUnavailable, match="read"):
        move.copying().run(lambda _: None)
    batch = subscription.read(10)
    assert batch is not None
    subscription.record(batch, Processed(StoreBatch(batch.id), Tally()))
    subscription.close()
    with pytest.raises(ActionRefused, match=r"finishes what was begun"):
        move.copying().run(lambda _: None)
    assert move.spool.stats().entries == 5


def test_records_that_brokers_would_delete_at_once_are_named(brokers: KafkaBrokers, tmp_path: Path) -> None:
    move = Move(brokers, tmp_path, **{"retention.ms": "3600000"})
    assert too_old(move.cluster, 3601) == [move.streams.good, move.streams.bad]
    assert not too_old(move.cluster, 3599)


def test_missing_topics_stop_it(brokers: KafkaBrokers, tmp_path: Path) -> None:
    move = Move(brokers, tmp_path)
    other = Cluster.of(brokers.url, move.settings.kafka, Streams("no-such", "no-such-bad"))
    with pytest.raises(SettingsError, match="eventlog init"):
        Copying(move.spool, other, "here", print).run(lambda _: None)
