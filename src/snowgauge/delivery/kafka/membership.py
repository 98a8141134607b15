"""A worker's membership in the consumer group, for one topic.

One thread owns the consumer: it fetches, forms batches, writes down places, and answers the brokers' calls about
partitions that come and go, whatever the worker is doing. So a store that is unreachable for hours costs no membership,
and everything that may write a place down happens in turn.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import msgspec
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from snowgauge.delivery.backends import BatchLimits
from snowgauge.delivery.contract import LogBatch, Processed
from snowgauge.delivery.kafka import place as places
from snowgauge.delivery.kafka.client import WAIT, Cluster, Passing, passing, refusal, unavailable
from snowgauge.delivery.kafka.outcomes import Outcomes
from snowgauge.delivery.kafka.place import NotOurs, Place
from snowgauge.delivery.kafka.tenure import Tenure
from snowgauge.delivery.kafka.topics import topic_id
from snowgauge.errors import BatchLost, LogUnavailable
from snowgauge.events.log_entry import EntryKind
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

log = logger("eventlog")
T = TypeVar("T")
Write = Callable[[Consumer, TopicPartition], None]
"""Writes an offset with its metadata down."""

_tenures = itertools.count(1)
_AT_ONCE = 500
_READY = 2
"""Batches that wait for the worker to read them."""
_BUSY, _IDLE = 0.005, 0.05
"""Seconds that a fetch waits for records, while batches are in flight and while none are."""
_LOOK_EVERY = 5.0


class Membership:
    """``changed`` hears of what a reader may wait for, such as ``trouble``. ``close`` gives the partitions back."""

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        limits: BatchLimits,
        outcomes: Outcomes,
        changed: threading.Condition,
        *,
        session_timeout: float,
    ) -> None:
        self._cluster = cluster
        self._topic = topic
        self._limits = limits
        self._outcomes = outcomes
        self._tenures: dict[int, Tenure] = {}
        self._coming: set[int] = set()
        self._id = ""
        self._ready: deque[LogBatch] = deque()
        self._changed = changed
        self._requests: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any], float]] = queue.SimpleQueue()
        self.trouble: LogUnavailable | None = None
        self._look_at = self._turn_at = 0.0
        self._closed = threading.Event()
        self._consumer: Consumer = cluster.consumer(
            group=cluster.group,
            **{
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": int(session_timeout * 1000),
                "heartbeat.interval.ms": max(100, int(session_timeout * 100)),
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 16_384,
                "error_cb": self._told,
            },
        )
        self._consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)
        self._thread = threading.Thread(target=self._run, name="kafka-consumer", daemon=True)
        self._thread.start()

    # ---- the worker's calls ---------------------------------------------------------------------------------------

    @property
    def partitions(self) -> int:
        """How many it holds."""
        return len(self._tenures)

    def told(self) -> bool:
        """Whether there is a batch, trouble, or an end to it."""
        return bool(self._ready or self.trouble or self._closed.is_set())

    def next(self) -> LogBatch | None:
        """The next batch, if one is ready; for who holds the lock of ``changed``."""
        return self._ready.popleft() if self._ready else None

    def recall(self, batch: LogBatch) -> Processed | None:
        written = self._ask(lambda: self._flight(batch).outcome)
        return None if written is None else self._outcomes.read(written)

    def record(self, batch: LogBatch, processed: Processed) -> None:
        partition = self._ask(lambda: self._held(batch).partition)
        written = self._outcomes.write(partition, processed)
        self._ask(lambda: self._change(batch, outcome=written))

    def noted(self, batch: LogBatch) -> Mapping[str, Any]:
        return self._ask(lambda: self._flight(batch).note)

    def note(self, batch: LogBatch, about: Mapping[str, Any]) -> None:
        self._ask(lambda: self._change(batch, note=about))

    def commit(self, batch: LogBatch, write: Write | None = None) -> None:
        """``write`` writes the place down in the consumer's stead, on its thread; what it raises becomes of the commit.
        After a ``BatchLost`` of its own the partition is read on from where the brokers say that all is stored."""

        def move() -> None:
            tenure = self._held(batch)
            at = tenure.flight(batch)
            if at is None:
                return
            if at:
                raise ValueError(f"{batch.id} comes after another batch, which is not committed")
            before = tenure.place
            tenure.place = Place(before.flights[0].end, before.flights[1:])
            try:
                self._save(tenure, write)
            except BatchLost:
                self._settle_again(tenure.partition)
                raise
            except BaseException:
                tenure.place = before
                raise
            tenure.given = max(0, tenure.given - 1)

        self._ask(move)

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _ask(self, act: Callable[[], T]) -> T:
        """Have the consumer's thread do it."""
        if self._closed.is_set():
            raise LogUnavailable("the event log's subscription is closed")
        answer: Future[T] = Future()
        self._requests.put((act, answer, time.monotonic() + WAIT))
        while not self._closed.is_set():
            try:
                return answer.result(1)
            except TimeoutError:
                if answer.done():
                    raise
        raise LogUnavailable("the event log's subscription is closed")

    # ---- the consumer's thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                try:
                    self._turn()
                except KafkaException as error:
                    if not passing(error.args[0]):
                        self._say(unavailable(error.args[0], self._cluster))
                    self._closed.wait(0.1)
                except (BatchLost, Passing):  # by the brokers' word before they have said it to this consumer
                    self._closed.wait(0.1)
                except LogUnavailable as error:
                    self._say(error)
                    self._closed.wait(0.1)
                except Exception as error:
                    log.exception("kafka_consumer_broken")
                    self._say(LogUnavailable(f"the event log's consumer is broken: {error}"))
                    self._closed.wait(1)
        finally:
            self._closed.set()
            with self._changed:
                self._changed.notify_all()
            self._consumer.close()

    def _turn(self) -> None:
        for partition in list(self._coming):
            self._settle(partition)
        busy = any(tenure.place.flights for tenure in self._tenures.values())
        for message in self._consumer.consume(_AT_ONCE, _BUSY if busy else _IDLE):
            self._take(message)
        self._answer()
        self._form()
        self._hold_back()
        if time.monotonic() > self._look_at:
            self._look_at = time.monotonic() + _LOOK_EVERY
            self._look()

    def _answer(self) -> None:
        """What brokers do not take while partitions move is tried again in the next turn: moving needs turns, too."""
        for _ in range(self._requests.qsize()):
            act, answer, until = self._requests.get()
            try:
                answer.set_result(act())
            except Passing as error:
                if time.monotonic() > until:
                    answer.set_exception(error)
                else:
                    self._requests.put((act, answer, until))
            except BaseException as error:
                answer.set_exception(error)

    def _assigned(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        consumer.incremental_assign(list(partitions))
        consumer.pause(list(partitions))
        self._coming |= {one.partition for one in partitions}
        count("eventlog_rebalances", kind="gained")
        log.info("partitions_gained", partitions=[f"{one.topic}/{one.partition}" for one in partitions])

    def _revoked(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        for one in partitions:
            self._coming.discard(one.partition)
            self._end(one.partition)
        count("eventlog_rebalances", kind="lost")
        log.info("partitions_lost", partitions=[f"{one.topic}/{one.partition}" for one in partitions])

    def _end(self, partition: int) -> None:
        tenure = self._tenures.pop(partition, None)
        if tenure is not None:
            with self._changed:
                self._ready = deque(batch for batch in self._ready if batch.tenure != tenure.number)

    def _settle(self, partition: int) -> None:
        """Find out where a partition stands, and begin to read it there."""
        self._id = self._id or topic_id(self._cluster, self._topic)
        at = TopicPartition(self._topic, partition)
        (committed,) = self._consumer.committed([at], WAIT)
        if committed.error is not None:
            raise KafkaException(committed.error)
        low, high = self._consumer.get_watermark_offsets(at, WAIT)
        place = self._place(committed, low, high)
        try:
            self._consumer.seek(TopicPartition(self._topic, partition, max(place.offset, low)))
            self._consumer.resume([at])
        except KafkaException as error:
            if error.args[0].code() in (KafkaError._STATE, KafkaError._IN_PROGRESS):  # the fetcher has not begun yet
                return
            raise
        name = f"{self._topic}/{self._id}/{partition}"
        kind: EntryKind = "bad_row" if self._topic == self._cluster.streams.bad else "payload"
        tenure = Tenure(next(_tenures), name, partition, kind, place)
        tenure.at_end(low)
        self._tenures[partition] = tenure
        self._coming.discard(partition)

    def _place(self, committed: TopicPartition, low: int, high: int) -> Place:
        where = f"{self._topic}/{committed.partition}"
        if committed.offset == OFFSET_INVALID:
            return Place(low)
        try:
            place = places.decode(committed.offset, committed.metadata)
        except NotOurs as error:
            log.warning("kafka_metadata_not_ours", partition=where, reason=str(error), effect="batches are cut again")
            place = Place(committed.offset)
        if place.offset > high:
            effect = "it was made again or lost records, and is read from its beginning"
            log.error("eventlog_records_gone", partition=where, stored=place.offset, end=high, effect=effect)
            return Place(low)
        if place.offset < low:
            log.error("eventlog_records_gone", partition=where, records=low - place.offset,
                      reason="the topic's retention deleted them before they were stored")  # fmt: skip
            count("eventlog_records_gone", low - place.offset)
            if not place.flights:
                return Place(low)
        return place

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise unavailable(error, self._cluster)
        self.trouble = None
        tenure = self._tenures.get(message.partition() or 0)
        if tenure is None:
            return
        if error is not None:
            tenure.at_end(message.offset() or 0)
        elif not tenure.took(message):
            self._begin_again()

    def _begin_again(self) -> None:
        """The topic was made again: nothing that is known of it holds."""
        log.warning("kafka_topic_made_anew", topic=self._topic)
        self._id = ""
        for partition in list(self._tenures):
            self._settle_again(partition)

    def _form(self) -> None:
        """Batches that were in flight before, then new ones, as long as the worker has few to read. Those that are not
        full come one for each time to linger, whatever the number of partitions: each costs the store an insert."""
        for tenure in self._tenures.values():
            while len(self._ready) < _READY and (batch := tenure.again()) is not None:
                self._give(batch)
        for tenure in sorted(self._tenures.values(), key=lambda tenure: tenure.since):
            if len(self._ready) >= _READY:
                return
            at = TopicPartition(self._topic, tenure.partition)
            _, tenure.end = self._consumer.get_watermark_offsets(at, cached=True)
            full, now = tenure.full(self._limits), time.monotonic()
            batch = tenure.fresh(self._limits, turn=now >= self._turn_at)
            if batch is None:
                continue
            if not full:
                self._turn_at = now + self._limits.linger
            try:
                self._save(tenure)
            except (LogUnavailable, BatchLost):
                self._settle_again(tenure.partition)
                raise
            self._give(batch)

    def _settle_again(self, partition: int) -> None:
        """What was cut off is read again, from where all is in flight or stored."""
        self._end(partition)
        self._consumer.pause([TopicPartition(self._topic, partition)])
        self._coming.add(partition)

    def _give(self, batch: LogBatch) -> None:
        with self._changed:
            self._ready.append(batch)
            self._changed.notify_all()

    def _hold_back(self) -> None:
        """Fetch no more of partitions of which enough is at hand."""
        for partition, tenure in self._tenures.items():
            enough = tenure.full(self._limits)
            if enough != tenure.paused:
                (self._consumer.pause if enough else self._consumer.resume)([TopicPartition(self._topic, partition)])
                tenure.paused = enough

    def _look(self) -> None:
        found = topic_id(self._cluster, self._topic)
        if found != (self._id or found):
            self._begin_again()
        self.trouble = None

    def _held(self, batch: LogBatch) -> Tenure:
        for tenure in self._tenures.values():
            if tenure.number == batch.tenure:
                return tenure
        raise BatchLost(f"{batch.partition} was given to another worker")

    def _flight(self, batch: LogBatch) -> places.Flight:
        tenure = self._held(batch)
        at = tenure.flight(batch)
        if at is None:
            raise BatchLost(f"{batch.id} is committed")
        return tenure.place.flights[at]

    def _change(self, batch: LogBatch, **change: Any) -> None:
        """Change what is written down of a batch in flight."""
        tenure, flight = self._held(batch), self._flight(batch)
        before = tenure.place
        flights = [msgspec.structs.replace(one, **change) if one is flight else one for one in before.flights]
        tenure.place = Place(before.offset, flights)
        try:
            self._save(tenure)
        except BaseException:
            tenure.place = before
            raise

    def _save(self, tenure: Tenure, write: Write | None = None) -> None:
        """Write a place down. Raises ``LogUnavailable`` and ``BatchLost``."""
        metadata = places.encode(tenure.place)
        if len(metadata) > places.LARGEST:
            raise LogUnavailable(f"what is in flight of {tenure.name} does not fit into {places.LARGEST} bytes")
        wanted = TopicPartition(self._topic, tenure.partition, tenure.place.offset, metadata)
        if write is not None:
            write(self._consumer, wanted)
            return
        try:
            (done,) = self._consumer.commit(offsets=[wanted], asynchronous=False)
            if done.error is not None:
                raise KafkaException(done.error)
        except KafkaException as error:
            raise refusal(error.args[0], self._cluster, tenure.name) from error

    def _told(self, error: KafkaError) -> None:
        """librdkafka's word about the brokers as a whole."""
        self._cluster.told(error)
        if error.code() != KafkaError._TRANSPORT:  # one broker of several
            self._say(unavailable(error, self._cluster))

    def _say(self, trouble: LogUnavailable) -> None:
        with self._changed:
            self.trouble = trouble
            self._changed.notify_all()
