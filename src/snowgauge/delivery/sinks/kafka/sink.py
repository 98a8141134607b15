"""Enriched events, incomplete events and bad rows to topics: at least once, with enrich's keys and headers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message

from snowgauge.delivery.backends import Streams
from snowgauge.delivery.contract import Refusal
from snowgauge.delivery.kafka.client import Cluster
from snowgauge.delivery.sinks.kafka.settings import KafkaSinkSettings
from snowgauge.delivery.sinks.rows import json_bytes, refused, rows_of
from snowgauge.errors import SettingsError, SinkUnavailable
from snowgauge.events.analytics_json import shredded
from snowgauge.events.enriched import ATOMIC_FIELD, EnrichedEvent
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.events.failed import FailedEvent
from snowgauge.events.timestamps import tsv_text
from snowgauge.store.base import EventKind, StoreBatch
from snowgauge.store.canonical import event_json
from snowgauge.store.lifetime import Row

_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})


class _Record(msgspec.Struct, frozen=True):
    topic: str
    kind: EventKind
    row: Row


class _Sent:
    """Reports of one batch's records."""

    def __init__(self) -> None:
        self.waiting = 0
        self.error: KafkaError | None = None
        self.refusals: list[Refusal] = []


def opened(settings: KafkaSinkSettings) -> KafkaSink:
    properties = {name: secret.get_secret_value() for name, secret in settings.properties.items()}
    try:
        return KafkaSink(Cluster(settings.brokers, properties, Streams(), "", ""), settings)
    except KafkaException as error:
        raise SettingsError(f"sinks.kafka.properties: {error.args[0].str()}") from None


class KafkaSink:
    def __init__(self, cluster: Cluster, settings: KafkaSinkSettings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._timeout = settings.delivery_timeout.total_seconds()
        self._producer = cluster.producer(
            **{
                "linger.ms": 5,
                "compression.type": "lz4",
                "delivery.timeout.ms": int(self._timeout * 1000),
                "partitioner": "murmur2_random",  # as Java's: a key stays where enrich put it
            }
        )

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        sent = _Sent()
        until = time.monotonic() + self._timeout + 5
        for record in self._records(batch):
            self._produce(record, sent, until)
        while sent.waiting and sent.error is None and time.monotonic() < until:
            self._producer.poll(0.1)
        if sent.error is not None or sent.waiting:
            self._producer.purge()  # what comes again is not to arrive a second time for that
            self._producer.flush(5)
            error = sent.error or KafkaError(KafkaError._MSG_TIMED_OUT)
            raise SinkUnavailable(f"Kafka at {self._cluster.servers}: {error.str()} ({error.name()}){self._missing()}")
        return sent.refusals

    def _missing(self) -> str:
        """What to do, where brokers answer that a topic is not there."""
        try:
            there = self._producer.list_topics(timeout=5).topics
        except KafkaException:
            return ""
        wanted = (self._settings.good, self._settings.incomplete, self._settings.bad)
        gone = [name for name in wanted if name and name not in there]
        return f"; make topic {', '.join(gone)}, or correct sinks.kafka" if gone else ""

    def close(self) -> None:
        self._producer.purge()
        self._producer.flush(5)

    def _records(self, batch: StoreBatch) -> Iterator[_Record]:
        topics: dict[EventKind, str] = {
            "good": self._settings.good, "incomplete": self._settings.incomplete, "failed": self._settings.bad
        }  # fmt: skip
        for kind, topic in topics.items():
            if topic:
                for row in rows_of(batch, kind):
                    yield _Record(topic, kind, row)

    def _produce(self, record: _Record, sent: _Sent, until: float) -> None:
        def reported(error: KafkaError | None, _: Message | None) -> None:
            sent.waiting -= 1
            if error is not None and error.code() in _TOO_LARGE:
                sent.refusals.append(refused([record.row], record.kind, f"{record.topic}: {error.str()}"))
            elif error is not None:
                sent.error = sent.error or error

        sent.waiting += 1
        while True:
            try:
                self._producer.produce(
                    record.topic, self._value(record.row), self._key(record.row), headers=self._headers(record.row),
                    on_delivery=reported,
                )  # fmt: skip
            except BufferError:
                self._producer.poll(0.1)
                if time.monotonic() > until:
                    sent.waiting -= 1
                    sent.error = sent.error or KafkaError(KafkaError._QUEUE_FULL)
                    return
            except KafkaException as error:
                reported(error.args[0], None)
                return
            else:
                return

    def _value(self, row: Row) -> bytes:
        if isinstance(row, FailedEvent):
            return row.bad_row_json()
        if self._settings.format == "json":
            return json_bytes(shredded(event_json(row)))
        return to_tsv(row).encode("utf-8", "replace")

    def _key(self, row: Row) -> bytes:
        found = self._column(row, self._settings.partition_key) if self._settings.partition_key else None
        return found or str(uuid.uuid4()).encode()

    def _headers(self, row: Row) -> dict[str, str | bytes | None]:
        """None of bad rows, as enrich does."""
        found = ((name, self._column(row, name)) for name in self._settings.attributes)
        return {name: value for name, value in found if value is not None}

    def _column(self, row: Row, name: str) -> bytes | None:
        if not isinstance(row, EnrichedEvent):
            return None
        value = getattr(row, name)
        if value is None or value == "":
            return None
        if ATOMIC_FIELD[name].kind == "timestamp":
            value = tsv_text(value)
        elif isinstance(value, bool):
            value = int(value)
        return str(value).encode("utf-8", "replace")
