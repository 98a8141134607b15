"""The collector's end: records that every replica in sync has, or an answer of 503 in bounded time."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from snowgauge.delivery.kafka.client import Cluster, unavailable
from snowgauge.errors import LogUnavailable, PayloadRecordError
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload_record import decode
from snowgauge.telemetry.logs import logger

log = logger("eventlog")
_LINGER_MS = 3
_TRY_AGAIN = 1.0
"""Seconds for which requests are refused at once after brokers took nothing; then one waits for them again."""
_PROBE = 2.0
_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)


def record_key(entry: LogEntry, *, by_ip: bool) -> bytes:
    """The key of a record of the good or the bad topic, as Snowplow's collector makes it: random, or the IP address."""
    if by_ip and entry.kind == "payload":
        with suppress(PayloadRecordError):
            if address := decode(entry.body).ip_address:
                return address.encode()
    return str(uuid.uuid4()).encode()


class TooLarge(LogUnavailable):
    """Brokers refuse a record for its size, and with it those that were sent in one request with it."""


class _Ticket:
    """The entries of one append, until each has its report."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.error: KafkaError | None = None


class KafkaWriter:
    """One producer; calls from several threads share it."""

    def __init__(self, cluster: Cluster, *, delivery_timeout: float) -> None:
        self._cluster = cluster
        self._timeout = delivery_timeout
        self._changed = threading.Condition()
        self._closed = False
        self._refused_until = 0.0
        self._reason = ""
        self._producer = self._new_producer()
        self._polling = threading.Thread(target=self._poll, name="kafka-delivery", daemon=True)
        self._polling.start()

    def _new_producer(self) -> Producer:
        return self._cluster.producer(
            **{
                "linger.ms": _LINGER_MS,
                "delivery.timeout.ms": int(self._timeout * 1000),
                "partitioner": "murmur2_random",  # as Java's, so that a key stays where Snowplow's collector put it
                "message.max.bytes": self._cluster.largest_record,
            }
        )

    def append(self, entries: Sequence[LogEntry]) -> None:
        if not entries:
            return
        ticket = _Ticket(len(entries))
        with self._changed:
            if self._closed:
                raise LogUnavailable("the event log is closed")
            if time.monotonic() < self._refused_until:
                raise LogUnavailable(f"{self._reason} (seen just now; tried again within {_TRY_AGAIN:g} s)")
            producer = self._producer
        for place, entry in enumerate(entries):
            try:
                self._produce(producer, entry, ticket)
            except (BufferError, KafkaException) as error:
                with self._changed:
                    ticket.left -= len(entries) - place
                    full = KafkaError(KafkaError._QUEUE_FULL)
                    ticket.error = error.args[0] if isinstance(error, KafkaException) else full
                break
        self._wait(ticket)

    def _produce(self, producer: Producer, entry: LogEntry, ticket: _Ticket) -> None:
        def reported(error: KafkaError | None, _: Message) -> None:
            with self._changed:
                ticket.left -= 1
                ticket.error = ticket.error or error
                if not ticket.left:
                    self._changed.notify_all()

        streams = self._cluster.streams
        topic = streams.bad if entry.kind == "bad_row" else streams.good
        key = record_key(entry, by_ip=streams.key_by_ip)
        producer.produce(topic, entry.body, key, on_delivery=reported, timestamp=entry.received_at)

    def _wait(self, ticket: _Ticket) -> None:
        with self._changed:
            # every record has its report by the delivery timeout; the rest is for a machine that is busy
            self._changed.wait_for(lambda: not ticket.left, self._timeout + 5)
            error = ticket.error or (KafkaError(KafkaError._MSG_TIMED_OUT) if ticket.left else None)
            if error is None:
                if self._reason:
                    log.info("eventlog_accepts_again")
                self._reason = ""
                return
            refusal = unavailable(error, self._cluster)
            if error.code() in _TOO_LARGE and not error.fatal():  # that is one record's fault
                log.warning("eventlog_entry_too_large", reason=str(refusal))
                raise TooLarge(str(refusal))
            if not self._reason:
                log.error("eventlog_refuses", reason=str(refusal), effect="the collector answers 503")
            self._reason = str(refusal)
            self._refused_until = time.monotonic() + _TRY_AGAIN
            if error.fatal():
                self._replace()
        raise refusal

    def _replace(self) -> None:
        """After an error that this producer does not get over."""
        log.warning("kafka_producer_replaced", reason=self._reason)
        self._producer.purge()
        self._producer = self._new_producer()

    def _poll(self) -> None:
        while not self._closed:
            self._producer.poll(0.1)

    def healthy(self) -> bool:
        with self._changed:
            if self._closed or time.monotonic() < self._refused_until:
                return False
        try:
            found = self._producer.list_topics(self._cluster.streams.good, timeout=_PROBE).topics
        except KafkaException:
            return False
        topic = found.get(self._cluster.streams.good)
        return topic is not None and topic.error is None and all(one.leader >= 0 for one in topic.partitions.values())

    def close(self) -> None:
        with self._changed:
            if self._closed:
                return
            self._closed = True
        self._producer.flush(self._timeout)
        self._polling.join()
