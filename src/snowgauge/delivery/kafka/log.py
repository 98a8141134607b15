"""Kafka as an event log, and how others look into it."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

import snowgauge
from snowgauge.collector.app import ARTIFACT
from snowgauge.collector.limits import SizeLimits
from snowgauge.delivery.backends import LogPlace
from snowgauge.delivery.contract import Amended, Doubt, LogStats, LogWriter, PartitionStats, Subscription
from snowgauge.delivery.kafka import topics
from snowgauge.delivery.kafka.client import WAIT, Cluster, passing, unavailable
from snowgauge.delivery.kafka.settings import KafkaSettings
from snowgauge.delivery.kafka.subscription import KafkaSubscription
from snowgauge.delivery.kafka.writer import KafkaWriter
from snowgauge.errors import LogUnavailable, PayloadRecordError
from snowgauge.events.failed import Processor
from snowgauge.events.log_entry import EntryKind, LogEntry
from snowgauge.events.payload_record import decode

Key = tuple[str, int]
_OVERHEAD = 2_000
"""Bytes by which a request to the brokers is larger than a record's value, at most."""


class KafkaLog:
    """The good and the bad topic of a cluster, read by one consumer group. Connects when it is used."""

    def __init__(self, cluster: Cluster, settings: KafkaSettings, place: LogPlace) -> None:
        self._cluster = cluster
        self._settings = settings
        self._place = place

    @property
    def cluster(self) -> Cluster:
        return self._cluster

    def writer(self) -> LogWriter:
        """Raises ``SettingsError`` when brokers answer that a topic is missing."""
        topics.refuse_missing(self._cluster, [self._cluster.outcomes])
        writer = KafkaWriter(self._cluster, delivery_timeout=self._settings.delivery_timeout.total_seconds())
        if self._settings.fallback == "spool" and self._place.spool is not None:
            from snowgauge.delivery.kafka.fallback import FallbackWriter

            return FallbackWriter(writer, self._place.spool(), self._cut)
        return writer

    def _cut(self, entry: LogEntry) -> list[LogEntry]:
        """What the good topic takes of a payload, as the collector makes it of large ones. Raises
        ``LogUnavailable``."""
        good = self._cluster.streams.good
        most = int(topics.configurations(self._cluster, [good])[good].get("max.message.bytes", "1048588"))
        limits = SizeLimits(
            max_bytes=min(most, self._cluster.largest_record) - _OVERHEAD,
            max_payload_size=self._cluster.largest_record,
            processor=Processor(ARTIFACT, snowgauge.__version__),
        )
        try:
            return limits.entries(entry.body, decode(entry.body).timestamp)
        except PayloadRecordError:
            raise LogUnavailable("a record of the spool is too large for Kafka, and no payload") from None

    def subscribe(self, share: int = 0, of: int = 1) -> Subscription:
        """``share`` and ``of`` are the group's business here. Raises ``SettingsError`` as ``writer`` does."""
        if not 0 <= share < of:
            raise ValueError(f"share must be from 0 to {of - 1}, found {share}")
        return self.subscription([self._cluster.outcomes])

    def subscription(self, more: Sequence[str] = ()) -> KafkaSubscription:
        """A member of the group. ``more``: topics that have to be there beside the two that are read."""
        topics.refuse_missing(self._cluster, more)
        return KafkaSubscription(
            self._cluster,
            self._place.limits,
            session_timeout=self._settings.session_timeout.total_seconds(),
            delivery_timeout=self._settings.delivery_timeout.total_seconds(),
        )

    def peek(self, limit: int | None = None, follow: bool = False) -> Iterator[LogEntry]:
        consumer = self._cluster.consumer()
        try:
            ranges = self._waiting(consumer)
            consumer.assign([TopicPartition(*key, first) for key, (first, _) in ranges.items()])
            yield from islice(self._merged(consumer, ranges, follow), limit)
        except KafkaException as error:
            raise unavailable(error.args[0], self._cluster) from error
        finally:
            consumer.close()

    def _merged(self, consumer: Consumer, ranges: dict[Key, tuple[int, int]], follow: bool) -> Iterator[LogEntry]:
        """Of all partitions the oldest first, as far as they were read; ``follow``: also what comes later."""
        held: dict[Key, deque[LogEntry]] = {key: deque() for key, (first, end) in ranges.items() if first < end}
        reached = {key: first for key, (first, _) in ranges.items()}
        late: list[tuple[int, int, LogEntry]] = []
        number = 0
        while held or follow:
            while held and all(held.values()):
                key = min(held, key=lambda one: held[one][0].received_at)
                yield held[key].popleft()
                if not held[key] and reached[key] >= ranges[key][1]:
                    del held[key]
            while not held and late:
                yield heapq.heappop(late)[2]
            if not held and not follow:
                return
            for message in consumer.consume(200, 0.1):
                key = (message.topic() or "", message.partition() or 0)
                error = message.error()
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise unavailable(error, self._cluster)
                    reached[key] = max(reached[key], message.offset() or 0)
                else:
                    reached[key] = (message.offset() or 0) + 1
                    kind: EntryKind = "bad_row" if key[0] == self._cluster.streams.bad else "payload"
                    entry = LogEntry(message.value() or b"", message.timestamp()[1], kind)
                    if key in held and (message.offset() or 0) < ranges[key][1]:
                        held[key].append(entry)
                    else:
                        number += 1
                        heapq.heappush(late, (entry.received_at, number, entry))
                if key in held and not held[key] and reached[key] >= ranges[key][1]:
                    del held[key]

    def _waiting(self, consumer: Consumer) -> dict[Key, tuple[int, int]]:
        """The first offset that is not stored, and the end, of every partition."""
        wanted = [self._cluster.streams.good, self._cluster.streams.bad]
        found = topics.settled(self._cluster, wanted)
        keys = [TopicPartition(name, one.id) for name in wanted if name in found for one in found[name].partitions]
        if len(found) < len(wanted):
            gone = ", ".join(name for name in wanted if name not in found)
            raise LogUnavailable(f"Kafka at {self._cluster.servers} has no topic {gone}: run `snowgauge eventlog init`")
        ranges: dict[Key, tuple[int, int]] = {}
        member = self._cluster.consumer(group=self._cluster.group)
        try:
            committed = _committed(member, keys)
        finally:
            member.close()
        for one in committed:
            low, high = consumer.get_watermark_offsets(TopicPartition(one.topic, one.partition), WAIT)
            first = low if one.offset == OFFSET_INVALID else min(max(one.offset, low), high)
            ranges[one.topic, one.partition] = (first, high)
        return ranges

    def stats(self) -> LogStats:
        """As the contract says. What waits is counted in offsets, of which some may hold no record; its bytes are not
        known."""
        consumer = self._cluster.consumer()
        try:
            ranges = self._waiting(consumer)
            late = {key: first for key, (first, end) in ranges.items() if first < end}
            ages = self._ages(consumer, late)
        except KafkaException as error:
            raise unavailable(error.args[0], self._cluster) from error
        finally:
            consumer.close()
        held = topics.readers(self._cluster)
        parts = [
            PartitionStats(
                f"{topic}/{partition}",
                end - first,
                ages.get((topic, partition), 0.0),
                None if held is None else held.get((topic, partition), ""),
            )
            for (topic, partition), (first, end) in sorted(ranges.items())
        ]
        return LogStats(sum(one.entries for one in parts), 0, max(ages.values(), default=0.0), partitions=parts)

    def _ages(self, consumer: Consumer, firsts: dict[Key, int]) -> dict[Key, float]:
        """The age of the first waiting record of each partition, in seconds."""
        if not firsts:
            return {}
        consumer.assign([TopicPartition(*key, first) for key, first in firsts.items()])
        found: dict[Key, float] = {}
        until = time.monotonic() + WAIT
        while len(found) < len(firsts) and time.monotonic() < until:
            for message in consumer.consume(len(firsts), 0.1):
                key = (message.topic() or "", message.partition() or 0)
                if key in found:
                    continue
                found[key] = 0.0 if message.error() else max(0.0, time.time() - message.timestamp()[1] / 1000)
                consumer.pause([TopicPartition(*key)])
        return found

    def amend(self, change: Callable[[LogEntry], LogEntry | None]) -> Amended:  # noqa: ARG002 - nothing can be changed
        names = f"{self._cluster.streams.good} and {self._cluster.outcomes}"
        return Amended(
            notes=(
                f"Kafka changes no record: the topics {names} hold raw requests until their retention deletes them. "
                "Nothing of them is stored any more",
            )
        )

    def doubts(self) -> list[Doubt]:
        return topics.doubts(self._cluster)


def _committed(member: Consumer, keys: list[TopicPartition]) -> list[TopicPartition]:
    """Asked again while the brokers find out which of them knows. Raises ``KafkaException``."""
    until = time.monotonic() + WAIT
    while True:
        try:
            found = member.committed(keys, WAIT)
            for one in found:
                if one.error is not None:
                    raise KafkaException(one.error)
        except KafkaException as error:
            if not passing(error.args[0]) or time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return found
