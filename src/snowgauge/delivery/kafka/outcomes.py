"""What batches became, in a topic of its own, for the worker that takes over their partition.

An outcome is cut into records that a broker takes. Records to which no committed offset points are nobody's: of a
worker that had lost the partition. The topic's retention deletes all of them.
"""

from __future__ import annotations

import threading
import time
import uuid

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from snowgauge.delivery import journal
from snowgauge.delivery.contract import Processed
from snowgauge.delivery.kafka.client import WAIT, Cluster, unavailable
from snowgauge.delivery.kafka.place import Written
from snowgauge.errors import LogUnavailable
from snowgauge.telemetry.logs import logger

log = logger("eventlog")
_PART_BYTES = 900_000
"""A broker takes records of 1,048,588 bytes unless told otherwise."""


class Outcomes:
    """Written by one thread of a worker, read by another."""

    def __init__(self, cluster: Cluster, *, delivery_timeout: float) -> None:
        self._cluster = cluster
        self._timeout = delivery_timeout
        self._producer = cluster.producer(
            **{"linger.ms": 0, "delivery.timeout.ms": int(delivery_timeout * 1000), "compression.type": "lz4"}
        )

    def write(self, partition: int, processed: Processed) -> Written:
        """Durable when this returns. Raises ``LogUnavailable``."""
        raw = journal.encode(processed)
        key = uuid.uuid4().hex[:12]
        parts = [raw[at : at + _PART_BYTES] for at in range(0, len(raw), _PART_BYTES)]
        done = threading.Event()
        offsets: list[int] = []
        errors: list[KafkaError] = []

        def reported(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                errors.append(error)
            else:
                offsets.append(message.offset() or 0)
            if len(offsets) + len(errors) == len(parts):
                done.set()

        topic, where = self._cluster.outcomes, partition % self._partitions()
        try:
            for part in parts:
                self._producer.produce(topic, part, key, partition=where, on_delivery=reported)
        except (BufferError, KafkaException) as error:
            raise LogUnavailable(f"Kafka at {self._cluster.servers} takes no outcome: {error}") from error
        until = time.monotonic() + self._timeout + 5
        while not done.is_set() and time.monotonic() < until:
            self._producer.poll(0.05)
        if errors or not done.is_set():
            raise unavailable(errors[0] if errors else KafkaError(KafkaError._MSG_TIMED_OUT), self._cluster)
        return Written(where, min(offsets), max(offsets), len(parts), key)

    def _partitions(self) -> int:
        try:
            found = self._producer.list_topics(self._cluster.outcomes, timeout=WAIT).topics[self._cluster.outcomes]
        except KafkaException as error:
            raise unavailable(error.args[0], self._cluster) from error
        if found.error is not None or not found.partitions:
            raise unavailable(found.error or KafkaError(KafkaError._UNKNOWN_TOPIC), self._cluster)
        return len(found.partitions)

    def read(self, written: Written) -> Processed | None:
        """``None`` where it is not there any more, or damaged. Raises ``LogUnavailable``."""
        parts: list[bytes] = []
        consumer = self._cluster.consumer()
        try:
            consumer.assign([TopicPartition(self._cluster.outcomes, written.partition, written.first)])
            until = time.monotonic() + WAIT
            while len(parts) < written.parts:
                message = consumer.poll(0.1)
                if message is None:
                    if time.monotonic() > until:
                        raise LogUnavailable(f"Kafka at {self._cluster.servers} does not give what a batch became")
                    continue
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:
                        break
                    raise unavailable(error, self._cluster)
                if (message.offset() or 0) > written.last:
                    break
                if message.key() == written.key.encode():
                    parts.append(message.value() or b"")
        finally:
            consumer.close()
        found = journal.decode(b"".join(parts)) if len(parts) == written.parts else None
        if found is None:
            log.warning("outcome_gone", topic=self._cluster.outcomes, partition=written.partition, offset=written.first,
                        effect="the batch is enriched again")  # fmt: skip
        return found
