"""What waits in a log on this machine, into Kafka: each record once, also through kills.

A batch of the source is one transaction: its records, and the batch's id in the metadata of an offset that a group of
the copy's own commits. The source's batches are frozen and in order, and the next is read when the last was committed,
so that after a kill one batch at most is in doubt; the group's offset says whether Kafka has it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from snowgauge.backoff import Backoff
from snowgauge.delivery import whole_file
from snowgauge.delivery.contract import EventLog, LogBatch, Subscription
from snowgauge.delivery.kafka import topics
from snowgauge.delivery.kafka.client import WAIT, Cluster, lost, passing, unavailable
from snowgauge.delivery.kafka.writer import record_key
from snowgauge.errors import ActionRefused, LogUnavailable
from snowgauge.events.log_entry import LogEntry

_PLACE = 0
"""The offset itself says nothing; brokers want one."""


class Copied(msgspec.Struct):
    """Sums of one copy. ``again`` are records of a batch that Kafka had already; ``erased`` have nothing left."""

    payloads: int = 0
    bad_rows: int = 0
    erased: int = 0
    again: int = 0


def copy_id(file: Path) -> str:
    """Which log this is, for Kafka: made once, and kept in a file beside it. Raises ``OSError``."""
    if not file.exists():
        whole_file.write(file, uuid.uuid4().hex.encode())
    return file.read_text("ascii")


class Copying:
    """From ``source`` to the topics of ``cluster``. ``name`` is always the same for this source, and no other's.

    ``told`` hears what is wrong while it is tried again.
    """

    def __init__(self, source: EventLog, cluster: Cluster, name: str, told: Callable[[str], None]) -> None:
        self._source = source
        self._cluster = cluster
        self._name = f"{cluster.group}-copy-{name}"
        self._told = told
        self._producer: Producer | None = None
        self._consumer = cluster.consumer(group=self._name)
        self.copied = Copied()
        self.stop = threading.Event()

    def run(self, progress: Callable[[Copied], None], *, until_empty: bool = True) -> None:
        """Copy until nothing waits, or ``stop`` is set. Raises ``LogUnavailable`` where the source is being read, and
        ``ActionRefused`` for what a worker has begun to store."""
        topics.refuse_missing(self._cluster, ())
        subscription = self._source.subscribe()
        try:
            while not self.stop.is_set():
                batch = subscription.read(0.5)
                if batch is None:
                    if until_empty:
                        return
                    continue
                if subscription.recall(batch) is not None:
                    raise ActionRefused(
                        f"a worker has begun to store batch {batch.id}. Run `snowgauge pipeline` with the settings "
                        "that it had, which finishes what was begun, stop it with Ctrl-C, and copy the rest then"
                    )
                self._copy(subscription, batch)
                progress(self.copied)
        finally:
            subscription.close()
            self._consumer.close()

    def _copy(self, subscription: Subscription, batch: LogBatch) -> None:
        backoff = Backoff()
        while not self.stop.is_set():
            try:
                there = self._last() == batch.id
                if not there:
                    self._send(batch)
            except LogUnavailable as error:
                self._told(str(error))
                self._producer = None  # the next of this name ends what is half done
                self.stop.wait(backoff.pause())
            else:
                subscription.commit(batch)
                self._count(batch, there)
                return

    def _count(self, batch: LogBatch, there: bool) -> None:
        kinds = [entry.kind for entry in batch.entries]
        self.copied.erased += kinds.count("erased")
        if there:
            self.copied.again += len(kinds) - kinds.count("erased")
        else:
            self.copied.payloads += kinds.count("payload")
            self.copied.bad_rows += kinds.count("bad_row")

    def _mark(self, metadata: str = "") -> TopicPartition:
        return TopicPartition(self._cluster.streams.good, 0, _PLACE, metadata)

    def _last(self) -> str:
        """The last batch that Kafka has. Raises ``LogUnavailable``."""
        self._made()  # which ends a transaction that was cut short: the answer holds then
        while True:
            try:
                (found,) = self._consumer.committed([self._mark()], WAIT)
                if found.error is not None:
                    raise KafkaException(found.error)
            except KafkaException as error:
                if not passing(error.args[0]):
                    raise self._trouble(error.args[0]) from error
                if self.stop.wait(0.1):
                    raise self._trouble(error.args[0]) from error
            else:
                return found.metadata or ""

    def _made(self) -> Producer:
        if self._producer is None:
            made = self._cluster.producer(
                **{
                    "transactional.id": self._name,
                    "transaction.timeout.ms": 60_000,
                    "delivery.timeout.ms": 30_000,
                    "linger.ms": 5,
                    "partitioner": "murmur2_random",
                    "message.max.bytes": self._cluster.largest_record,
                }
            )
            try:
                made.init_transactions(WAIT)
            except KafkaException as error:
                raise self._trouble(error.args[0]) from error
            self._producer = made
        return self._producer

    def _send(self, batch: LogBatch) -> None:
        """One transaction. Raises ``LogUnavailable``: whether it was committed, ``_last`` says."""
        producer = self._made()
        errors: list[KafkaError] = []

        def reported(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                errors.append(error)

        try:
            producer.begin_transaction()
            for entry in batch.entries:
                if entry.kind != "erased":
                    self._produce(producer, entry, reported)
            place = [self._mark(batch.id)]
            producer.send_offsets_to_transaction(place, self._consumer.consumer_group_metadata(), WAIT)
            producer.commit_transaction(2 * WAIT)
        except KafkaException as error:
            cause = next((one for one in errors if one.code() != KafkaError._PURGE_QUEUE), error.args[0])
            if lost(cause):
                raise ActionRefused(f"another copy of this log runs: {cause.str()}") from error
            raise self._trouble(cause) from error

    def _produce(
        self, producer: Producer, entry: LogEntry, reported: Callable[[KafkaError | None, Message], None]
    ) -> None:
        streams = self._cluster.streams
        topic = streams.bad if entry.kind == "bad_row" else streams.good
        key = record_key(entry, by_ip=streams.key_by_ip)
        while True:
            try:
                producer.produce(topic, entry.body, key, on_delivery=reported, timestamp=entry.received_at)
            except BufferError:
                producer.poll(0.1)
            else:
                return

    def _trouble(self, error: KafkaError) -> LogUnavailable:
        return unavailable(error, self._cluster)


def too_old(cluster: Cluster, oldest_seconds: float) -> Sequence[str]:
    """The topics whose retention is shorter than the age of the oldest record: they would delete it at once."""
    kept = topics.retention(cluster, [cluster.streams.good, cluster.streams.bad])
    return [name for name, seconds in kept.items() if 0 <= seconds < oldest_seconds]
