"""Streams out exactly once: what a batch became and the consumer's place are written in one transaction.

This stands where a store stands otherwise. Readers of committed records see a batch when the group's offset is past it,
and never twice: a transaction that was cut short is aborted, by the brokers at the latest, and the batch is read again.
Nothing is recorded before, since nobody sees what an aborted transaction has written.

The brokers take the offsets only from a member of the group's present generation, so a worker that has lost the
partition cannot finish its transaction (KIP-447). Whether one was committed of which the answer was lost, the group's
offset says: such a batch counts as lost, and the partition is read on from where the brokers say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from snowgauge.delivery.contract import EventLog, LogBatch, Processed, Refusal
from snowgauge.delivery.kafka.client import Cluster, lost, unavailable
from snowgauge.delivery.kafka.log import KafkaLog
from snowgauge.delivery.kafka.subscription import KafkaSubscription
from snowgauge.delivery.sinks.kafka.records import Records
from snowgauge.delivery.sinks.kafka.sending import Sending
from snowgauge.delivery.sinks.kafka.settings import KafkaSinkSettings
from snowgauge.delivery.sinks.kafka.sink import KafkaSink, missing, producer
from snowgauge.delivery.sinks.rows import id_of
from snowgauge.errors import BatchLost, LogUnavailable, SettingsError
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

log = logger("sinks")
_ENDING = 5.0
"""Seconds for ending a transaction that is given up."""


class ExactlyOnce:
    """A subscription whose ``commit`` sends what batches became. Owns ``subscription``.

    ``name`` tells this worker from all others that write to the cluster, and is the same after a restart: what it left
    half done is aborted at once then. ``refused`` keeps rows that are too large for the brokers.
    """

    def __init__(
        self,
        subscription: KafkaSubscription,
        cluster: Cluster,
        settings: KafkaSinkSettings,
        *,
        name: str,
        refused: Callable[[Refusal], None],
    ) -> None:
        self._inner = subscription
        self._cluster = cluster
        self._records = Records(settings)
        self._timeout = settings.delivery_timeout.total_seconds()
        self._name = name
        self._refused = refused
        self._made: dict[str, Processed] = {}
        self._too_large: set[str] = set()
        self._doubtful: set[str] = set()
        self._producer: Producer | None = None

    def read(self, timeout: float) -> LogBatch | None:
        return self._inner.read(timeout)

    def recall(self, batch: LogBatch) -> Processed | None:
        """What was recorded while a store was written; nothing is recorded here."""
        processed = self._inner.recall(batch)
        if processed is not None:
            self._made[batch.id] = processed
        return processed

    def record(self, batch: LogBatch, processed: Processed) -> None:
        self._made[batch.id] = processed

    def noted(self, batch: LogBatch) -> Mapping[str, Any]:
        return self._inner.noted(batch)

    def note(self, batch: LogBatch, about: Mapping[str, Any]) -> None:
        self._inner.note(batch, about)

    def commit(self, batch: LogBatch) -> None:
        processed = self._made.get(batch.id)
        if processed is None:  # it is committed
            return
        try:
            sender = self._begun()
            self._send(sender, processed)
            self._inner.commit(batch, lambda consumer, place: self._together(sender, consumer, place))
        except BatchLost:
            self._forget(batch)
            self._abort()
            if self._producer is None:
                with suppress(KafkaException):  # so that the brokers need not wait to know how it ended
                    self._producer = self._new_producer()
            raise
        except BaseException:
            self._abort()
            raise
        self._forget(batch)

    def _forget(self, batch: LogBatch) -> None:
        del self._made[batch.id]
        self._too_large.clear()
        self._doubtful.clear()

    def close(self) -> None:
        self._inner.close()
        self._abort()

    def _begun(self) -> Producer:
        try:
            if self._producer is None:
                self._producer = self._new_producer()
            self._producer.begin_transaction()
        except KafkaException as error:
            self._producer = None
            raise self._trouble(error.args[0]) from error
        return self._producer

    def _new_producer(self) -> Producer:
        """Ends what an earlier producer of this name left. Raises ``KafkaException``."""
        made = producer(
            self._cluster,
            self._timeout,
            **{"transactional.id": self._name, "transaction.timeout.ms": int(self._timeout * 2000)},
        )
        made.init_transactions(self._timeout)
        return made

    def _send(self, sender: Producer, processed: Processed) -> None:
        """A record that brokers refuse makes a transaction useless: the next one does without it."""
        records = [(id_of([record.row]), record) for record in self._records.of(processed.batch)]
        sending = Sending(sender, self._records, self._timeout)
        most = sending.send(record for key, record in records if key not in self._too_large | self._doubtful)
        rest = sending.send((record for key, record in records if key in self._doubtful - self._too_large), alone=True)
        for refusal in most.refusals + rest.refusals:
            log.warning("sink_refused", sink="kafka", letter=refusal.batch.id, reason=refusal.reason)
            self._refused(refusal)
            self._too_large.add(refusal.batch.id)
        self._doubtful |= {id_of([record.row]) for record in most.doubtful}
        if (error := most.error or rest.error) is not None:
            raise self._trouble(error)
        if most.doubtful or rest.too_large:
            self._producer = None  # its numbering of records has a hole now
            raise LogUnavailable(f"Kafka at {self._cluster.servers} refuses a record for its size; it is left out next")

    def _together(self, sender: Producer, consumer: Consumer, place: TopicPartition) -> None:
        """On the consumer's thread: nothing else writes the place down meanwhile, and the generation is the latest."""
        generation = consumer.consumer_group_metadata()
        until = time.monotonic() + self._timeout
        try:
            _repeated(lambda: sender.send_offsets_to_transaction([place], generation, self._timeout), until)
        except KafkaException as error:
            if lost(error.args[0]) or error.args[0].fatal():
                raise BatchLost(f"{place.topic}/{place.partition}: {error.args[0].str()}") from error
            raise self._trouble(error.args[0]) from error
        try:
            _repeated(lambda: sender.commit_transaction(self._timeout), until)
        except KafkaException as error:
            if error.args[0].txn_requires_abort():
                raise self._trouble(error.args[0]) from error
            self._producer = None  # the next of this name makes sure that it is the one or the other
            reason = f"whether the transaction was committed is not known: {error.args[0].str()}"
            raise BatchLost(f"{place.topic}/{place.partition}: {reason}") from error
        count("sink_batches", sink="kafka", result="delivered")

    def _abort(self) -> None:
        """End what is under way; a producer that cannot is replaced, and its transaction ended by the next one."""
        if self._producer is None:
            return
        try:
            _repeated(self._abort_once, time.monotonic() + _ENDING)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._STATE:  # none is under way
                return
            log.warning("kafka_producer_replaced", reason=error.args[0].str())
            self._producer = None

    def _abort_once(self) -> None:
        assert self._producer is not None
        self._producer.abort_transaction(_ENDING)

    def _trouble(self, error: KafkaError) -> LogUnavailable:
        more = missing(self._producer, self._records) if self._producer is not None else ""
        return LogUnavailable(f"{unavailable(error, self._cluster)}{more}")


def at_least_once(log: EventLog, settings: KafkaSinkSettings) -> KafkaSink:
    """For dead letters, which belong to no batch of ``log`` any more. Raises ``SettingsError``."""
    if not isinstance(log, KafkaLog):
        raise SettingsError("sinks.kafka.exactly_once needs an event log on Kafka: set eventlog.url to kafka://…")
    return KafkaSink(log.cluster, settings)


def _repeated(act: Callable[[], Any], until: float) -> None:
    """Until it is done, or another try would not help. Raises ``KafkaException``."""
    while True:
        try:
            act()
        except KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > until:
                raise
        else:
            return
