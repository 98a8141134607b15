"""Enriched events, incomplete events and bad rows to topics: at least once, with enrich's keys and headers."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import KafkaException, Producer

from snowgauge.delivery.backends import Streams
from snowgauge.delivery.contract import Refusal
from snowgauge.delivery.kafka.client import Cluster, unavailable
from snowgauge.delivery.sinks.kafka.records import Records
from snowgauge.delivery.sinks.kafka.sending import Sending, Sent
from snowgauge.delivery.sinks.kafka.settings import KafkaSinkSettings
from snowgauge.errors import SettingsError, SinkUnavailable
from snowgauge.store.base import StoreBatch


def opened(settings: KafkaSinkSettings) -> KafkaSink:
    properties = {name: secret.get_secret_value() for name, secret in settings.properties.items()}
    try:
        return KafkaSink(Cluster(settings.brokers, properties, Streams(), "", "", "sinks.kafka"), settings)
    except KafkaException as error:
        raise SettingsError(f"sinks.kafka.properties: {error.args[0].str()}") from None


class KafkaSink:
    def __init__(self, cluster: Cluster, settings: KafkaSinkSettings) -> None:
        self._cluster = cluster
        self._records = Records(settings)
        timeout = settings.delivery_timeout.total_seconds()
        self._producer = producer(cluster, timeout)
        self._sending = Sending(self._producer, self._records, timeout)

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        sent = self._sent(self._sending.send(self._records.of(batch)))
        alone = self._sent(self._sending.send(sent.doubtful, alone=True))
        return sent.refusals + alone.refusals

    def _sent(self, sent: Sent) -> Sent:
        if sent.error is not None:
            self._producer.purge()  # what comes again is not to arrive a second time for that
            self._producer.flush(5)
            text = unavailable(sent.error, self._cluster)
            raise SinkUnavailable(f"{text}{missing(self._producer, self._records)}")
        return sent

    def close(self) -> None:
        self._producer.purge()
        self._producer.flush(5)


def producer(cluster: Cluster, timeout: float, **more: object) -> Producer:
    """One for topics of enrich. ``timeout`` is how long a record may wait for the brokers, in seconds."""
    return cluster.producer(
        **{
            "linger.ms": 5,
            "compression.type": "lz4",
            "delivery.timeout.ms": int(timeout * 1000),
            "partitioner": "murmur2_random",  # as Java's: a key stays where enrich put it
            **more,
        }
    )


def missing(producer: Producer, records: Records) -> str:
    """What to do, where brokers answer that a topic is not there; empty where that is not the trouble."""
    try:
        there = producer.list_topics(timeout=5).topics
    except KafkaException:
        return ""
    gone = [name for name in records.topics if name not in there]
    return f"; make topic {', '.join(gone)}, or correct sinks.kafka" if gone else ""
