"""The event log on real Kafka brokers keeps the contract, and what only many machines have."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from snowgauge.delivery.backends import BatchLimits, Streams
from snowgauge.delivery.contract import EventLog, LogBatch, Processed, Subscription
from snowgauge.delivery.kafka import topics
from snowgauge.delivery.kafka.client import Cluster, Passing
from snowgauge.delivery.kafka.place import Place as PartitionPlace
from snowgauge.delivery.kafka.tenure import Tenure
from snowgauge.delivery.kafka.topics import Layout
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.delivery.worker import Worker
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import BatchLost, LogUnavailable, SettingsError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import Processor
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Tally
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode, encode
from snowgauge.iglu.build import build as build_iglu
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.memory import MemoryStore
from snowgauge.testing import kafka
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.eventlog.asking import bodies, drain, entries, subscribed
from snowgauge.testing.eventlog.contract import EventLogContract
from snowgauge.testing.kafka import KafkaBrokers

pytestmark = pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing")


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBrokers]:
    cluster = KafkaBrokers(tmp_path_factory.mktemp("kafka") / "one").start()
    yield cluster
    cluster.stop()


class Place:
    """Topics of their own. Calling it opens the log again, as another process would."""

    def __init__(self, brokers: KafkaBrokers, folder: Path, partitions: int = 1, replication: int = 1) -> None:
        self.brokers = brokers
        self.folder = folder
        self.name = f"t{uuid.uuid4().hex[:12]}"
        self.streams = Streams(f"{self.name}-good", f"{self.name}-bad")
        self.partitions, self.replication = partitions, replication
        self._made = False

    def settings(self, **limits: Any) -> EventLogSettings:
        given = {
            "url": self.brokers.url,
            "linger": "10 ms",
            "kafka": {
                "group": self.name,
                "session_timeout": "2 s",
                "delivery_timeout": "5 s",
                **limits.pop("kafka", {}),
            },
        }
        return EventLogSettings.model_validate({**given, **limits})

    @property
    def cluster(self) -> Cluster:
        settings = self.settings()
        return Cluster.of(settings.url, settings.kafka, self.streams)

    @property
    def topics(self) -> list[str]:
        return [self.streams.good, self.streams.bad, self.cluster.outcomes]

    def make(self) -> None:
        topics.make(self.cluster, Layout(self.partitions, self.replication, timedelta(days=1)))
        self._made = True

    def __call__(self, **limits: Any) -> EventLog:
        if not self._made:
            self.make()
        limits.pop("capacity", None)
        return self.settings(**limits).open(self.folder, self.streams)


class Patient:
    """A subscription that is asked for what is there at once, as the contract's tests ask logs on this machine: over a
    network it takes a moment to come."""

    def __init__(self, log: EventLog, inner: Subscription) -> None:
        self._log = log
        self._inner = inner
        self._held: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def read(self, timeout: float) -> LogBatch | None:
        asked = time.monotonic()
        while time.monotonic() < asked + 60:
            batch = self._inner.read(0.1)
            if batch is not None:
                self._held[batch.id] = len(batch.entries)
                return batch
            if time.monotonic() >= asked + timeout and self._log.stats().entries <= sum(self._held.values()):
                return None
        return None

    def commit(self, batch: LogBatch) -> None:
        self._inner.commit(batch)
        self._held.pop(batch.id, None)


class PatientLog:
    def __init__(self, log: EventLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def subscribe(self, share: int = 0, of: int = 1) -> Patient:
        return Patient(self._log, self._log.subscribe(share, of))


class TestContract(EventLogContract):
    """What is left out: shares, which are the group's business; a log that is full, which brokers are not."""

    test_a_share_is_held_once = None
    test_shares_divide_the_entries_among_themselves = None
    test_fewer_shares_finish_what_more_began = None
    test_shares_of_different_divisions_are_not_held_together = None
    test_a_full_log_refuses_keeps_what_it_has_and_recovers = None

    @pytest.fixture
    def make_log(self, brokers: KafkaBrokers, tmp_path: Path) -> Callable[..., Any]:
        place = Place(brokers, tmp_path)
        return lambda **limits: PatientLog(place(**limits))

    def test_entries_come_in_order_and_as_they_were(self, make_log: Callable[..., Any]) -> None:
        """The order is that of a topic; the collector's bad rows have one of their own."""
        log = make_log()
        writer = log.writer()
        kept = [
            LogEntry(b"\x0b\x00\xff", 1_700_000_000_123),
            LogEntry(b'{"schema":"x"}', 1_700_000_000_124, "bad_row"),
            LogEntry(b"", 1_700_000_000_125),
            LogEntry(b"z" * 300_000, 1_700_000_000_126),
        ]
        writer.append(kept[:3])
        writer.append(kept[3:])
        with subscribed(log) as subscription:
            found = drain(subscription)
        for kind in ("payload", "bad_row"):
            assert [entry for entry in found if entry.kind == kind] == [entry for entry in kept if entry.kind == kind]
        writer.close()

    def test_a_batch_may_be_committed_by_the_next_subscription(self, make_log: Callable[..., Any]) -> None:
        """Not here: whoever comes next has read it for themselves."""
        log = make_log()
        writer = log.writer()
        writer.append(entries("a"))
        with subscribed(log) as subscription:
            batch = subscription.read(1)
        assert batch is not None
        with subscribed(log) as subscription:
            with pytest.raises(BatchLost):
                subscription.commit(batch)
            assert bodies(drain(subscription)) == ["a"]
        writer.close()

    def test_stats_count_what_waits(self, make_log: Callable[..., Any]) -> None:
        log = make_log(max_batch_entries=2)
        writer = log.writer()
        assert (log.stats().entries, log.stats().oldest_seconds) == (0, 0)
        an_hour_ago = int((time.time() - 3600) * 1000)
        writer.append([LogEntry(b"12345", an_hour_ago), LogEntry(b"123", an_hour_ago), LogEntry(b"1", an_hour_ago)])
        stats = log.stats()
        assert stats.entries == 3
        assert 3600 <= stats.oldest_seconds < 4600
        assert sorted(part.entries for part in stats.partitions) == [0, 3]
        assert [part.reader for part in stats.partitions] == ["", ""]
        with subscribed(log) as subscription:
            batch = subscription.read(1)
            assert batch is not None
            subscription.commit(batch)
            assert log.stats().entries == 1
            assert "127.0.0.1" in [part.reader for part in log.stats().partitions]
        writer.close()


def became(batch: LogBatch, name: str) -> Processed:
    return Processed(StoreBatch(batch.id, [EnrichedEvent(app_id=name)]), Tally(len(batch.entries), 1))


def reading(subscription: Subscription, seconds: float = 60) -> LogBatch:
    batch = subscription.read(seconds)
    assert batch is not None
    return batch


def test_a_partition_that_is_taken_away_is_finished_by_its_next_owner(brokers: KafkaBrokers, tmp_path: Path) -> None:
    place = Place(brokers, tmp_path)
    log = place(max_batch_entries=2)
    writer = log.writer()
    writer.append(entries("a", "b", "c", "d", "e"))
    first = log.subscribe()
    half, begun = reading(first), reading(first)
    first.record(half, became(half, "recorded"))
    first.note(begun, {"record": 1, "deaths": {}})
    # what a member that fell silent sees once it wakes up: the brokers gave its partitions to another
    for member in first._members.values():  # type: ignore[attr-defined]
        member._consumer.unsubscribe()
    second = log.subscribe()
    again, other = reading(second), reading(second)
    assert [(one.id, bodies(one.entries)) for one in (again, other)] == [
        (one.id, bodies(one.entries)) for one in (half, begun)
    ]
    for act in (
        lambda: first.record(half, became(half, "late")),
        lambda: first.note(begun, {"record": 2, "deaths": {}}),
        lambda: first.commit(half),
    ):
        with pytest.raises(BatchLost):
            act()
    found = second.recall(again)
    assert found is not None
    assert found.batch.events[0].app_id == "recorded"
    assert second.recall(other) is None
    assert second.noted(other) == {"record": 1, "deaths": {}}
    second.commit(again)
    second.commit(other)
    assert bodies(reading(second).entries) == ["e"]
    first.close()
    second.close()
    writer.close()


def test_several_workers_share_the_partitions_and_leave_nothing(brokers: KafkaBrokers, tmp_path: Path) -> None:
    log = Place(brokers, tmp_path, partitions=4)(max_batch_entries=5)
    writer = log.writer()
    writer.append(entries(*map(str, range(100))))
    found: list[str] = []
    stop = threading.Event()

    def work() -> None:
        subscription = log.subscribe()
        while not stop.is_set():
            batch = subscription.read(0.2)
            if batch is not None:
                with suppress(BatchLost):
                    subscription.commit(batch)
                    found.extend(bodies(batch.entries))
        subscription.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for number, worker in enumerate(workers):
        worker.start()
        writer.append(entries(*map(str, range(100 + 50 * number, 150 + 50 * number))))
    wait_until(lambda: len(found) >= 250 and log.stats().entries == 0, "everything is committed", within=120)
    stop.set()
    for worker in workers:
        worker.join()
    assert sorted(found, key=int) == [str(number) for number in range(250)]
    writer.close()


def test_small_batches_come_one_for_each_linger_whatever_the_number_of_partitions(
    brokers: KafkaBrokers, tmp_path: Path
) -> None:
    log = Place(brokers, tmp_path, partitions=4)(linger="1 s")
    writer = log.writer()
    writer.append(entries(*map(str, range(200))))
    found: list[str] = []
    with subscribed(log) as subscription:
        first = reading(subscription)
        began = time.monotonic()
        for batch in [first, *(reading(subscription) for _ in range(3))]:
            found += bodies(batch.entries)
            subscription.commit(batch)
        assert time.monotonic() - began > 2.5
    assert sorted(found, key=int) == [str(number) for number in range(200)]
    writer.close()


def test_a_batch_waits_for_records_that_the_brokers_have_already() -> None:
    tenure = Tenure(1, "t/i/0", 0, "payload", PartitionPlace(0))
    limits = BatchLimits(entries=3, linger=0)
    tenure.end = 2
    assert tenure.took(record(0))
    assert tenure.fresh(BatchLimits(entries=3, linger=3600)) is None
    assert tenure.fresh(limits, turn=False) is None
    patient = BatchLimits(entries=3, linger=1)
    tenure.since -= 5
    assert tenure.fresh(patient) is None, "the brokers have one more"
    assert tenure.took(record(1))
    tenure.since -= 5
    batch = tenure.fresh(patient)
    assert batch is not None
    assert (batch.id, len(batch.entries)) == ("t/i/0/0-2", 2)
    tenure.end = 9
    for offset in (2, 3, 4):
        assert tenure.took(record(offset))
    assert tenure.fresh(patient, turn=False) is not None, "a full one need not wait for its turn"
    assert tenure.took(record(5))
    tenure.since -= 11
    assert tenure.fresh(patient) is not None, "patience ends"


def record(offset: int) -> Any:
    return Record(offset)


class Record:
    """What a consumer gives, as far as batches look at it."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def offset(self) -> int:
        return self._offset

    def value(self) -> bytes:
        return b"x"

    def timestamp(self) -> tuple[int, int]:
        return 1, 5

    def __len__(self) -> int:
        return 1


def test_what_is_refused_while_partitions_move_is_tried_again(
    brokers: KafkaBrokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(brokers, tmp_path)
    log = place()
    log.writer().append(entries("a", "b"))
    with subscribed(log) as subscription:
        batch = reading(subscription)
        member = subscription._members[place.streams.good]  # type: ignore[attr-defined]
        save, left = member._save, [3]

        def refused(*given: Any) -> None:
            if left[0]:
                left[0] -= 1
                raise Passing("partitions move")
            save(*given)

        monkeypatch.setattr(member, "_save", refused)
        subscription.record(batch, became(batch, "a"))
        left[0] = 3
        subscription.commit(batch)
        assert left == [0]
    assert log.stats().entries == 0


def test_each_worker_has_its_part_of_the_payloads(brokers: KafkaBrokers, tmp_path: Path) -> None:
    log = Place(brokers, tmp_path, partitions=4)()
    writer = log.writer()
    first = log.subscribe()
    writer.append(entries("a"))
    first.commit(reading(first))  # it has all partitions
    second = log.subscribe()
    number = itertools.count()

    def second_reads() -> bool:
        writer.append(entries(*(f"{next(number)}" for _ in range(8))))
        for subscription in (first, second):
            batch = subscription.read(0.05)
            if batch is not None:
                with suppress(BatchLost):
                    subscription.commit(batch)
                if subscription is second:
                    return True
        return False

    wait_until(second_reads, "the second has some, too", within=120)
    for subscription in (first, second):
        subscription.close()
    writer.close()


def test_bad_rows_go_to_the_bad_topic_and_payloads_have_keys(brokers: KafkaBrokers, tmp_path: Path) -> None:
    place = Place(brokers, tmp_path)
    log = place()
    payload = encode(CollectorPayload(ip_address="203.0.113.9"))
    writer = log.writer()
    writer.append([LogEntry(payload, 5), LogEntry(b"{}", 6, "bad_row")])
    writer.close()
    by_ip = Streams(place.streams.good, place.streams.bad, key_by_ip=True)
    keyed = place.settings().open(tmp_path, by_ip).writer()
    keyed.append([LogEntry(payload, 7), LogEntry(b"no payload", 8)])
    keyed.close()
    consumer = Consumer({"bootstrap.servers": brokers.servers, "group.id": "x", "auto.offset.reset": "earliest"})
    consumer.subscribe([place.streams.good, place.streams.bad])
    seen = []
    while len(seen) < 4:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            seen.append((message.topic(), message.value(), message.key(), message.timestamp()[1]))
    consumer.close()
    assert sorted((topic, value, at) for topic, value, _, at in seen) == sorted(
        [(place.streams.good, payload, 5), (place.streams.bad, b"{}", 6), (place.streams.good, payload, 7),
         (place.streams.good, b"no payload", 8)]
    )  # fmt: skip
    keys = {at: key.decode() for _, _, key, at in seen}
    assert keys[7] == "203.0.113.9"
    assert all(uuid.UUID(keys[at]) for at in (5, 6, 8))


def test_missing_topics_stop_the_start_with_the_command(brokers: KafkaBrokers, tmp_path: Path) -> None:
    place = Place(brokers, tmp_path)
    log = place.settings().open(tmp_path, place.streams)
    for act in (log.writer, log.subscribe):
        with pytest.raises(SettingsError, match=rf"{place.streams.good}.*snowgauge eventlog init"):
            act()
    assert [doubt.cure for doubt in log.doubts()] == ["run `snowgauge eventlog init`"] * 3
    place.make()
    assert "one copy" in log.doubts()[0].what
    log.writer().close()


def test_brokers_that_nobody_reaches_cost_a_bounded_time(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = EventLogSettings.model_validate(
        {"url": f"kafka://127.0.0.1:{port}", "kafka": {"delivery_timeout": "1 s"}}
    )
    log = settings.open(tmp_path)
    writer = log.writer()
    for _ in range(2):  # the second is refused at once
        with pytest.raises(LogUnavailable, match=r"127\.0\.0\.1"):
            writer.append(entries("a"))
    assert not writer.healthy()
    writer.close()
    with pytest.raises(LogUnavailable):
        log.stats()


def test_what_the_brokers_do_not_take_waits_in_the_spool(brokers: KafkaBrokers, tmp_path: Path) -> None:
    place = Place(brokers, tmp_path)
    log = place(kafka={"fallback": "spool"}, spool={"min_free_bytes": 0})
    writer = log.writer()
    writer.append(entries("before"))
    inner = writer._brokers  # type: ignore[attr-defined]
    reachable, inner.append = inner.append, _nobody_there
    writer.append(entries("during", "during too"))
    assert log.stats().entries == 1
    inner.append = reachable
    wait_until(lambda: log.stats().entries == 3, "the spool was forwarded")
    writer.close()
    with subscribed(log) as subscription:
        found: list[str] = []
        while len(found) < 3:
            batch = reading(subscription)
            found += bodies(batch.entries)
            subscription.commit(batch)
    assert found == ["before", "during", "during too"]


def test_what_waits_in_the_spool_is_forwarded_after_a_kill(brokers: KafkaBrokers, tmp_path: Path) -> None:
    place = Place(brokers, tmp_path)
    log = place(kafka={"fallback": "spool"}, spool={"min_free_bytes": 0})
    killed = log.writer()
    killed._brokers.append = _nobody_there  # type: ignore[attr-defined]
    killed.append(entries("during", "during too"))
    killed._stop.set()  # type: ignore[attr-defined]
    killed._forwarding.join()  # type: ignore[attr-defined]
    writer = log.writer()
    wait_until(lambda: log.stats().entries == 2, "the spool was forwarded")
    writer.close()


def test_an_entry_that_brokers_take_no_more_holds_up_no_other(brokers: KafkaBrokers, tmp_path: Path) -> None:
    """Kept while they were unreachable, and too large for the topic by then: its events are cut apart."""
    place = Place(brokers, tmp_path)
    log = place(kafka={"fallback": "spool"}, spool={"min_free_bytes": 0})
    events = [{"e": "pv", "tv": "t", "p": "web", "page": str(n) * 40_000} for n in range(4)]
    body = json.dumps({"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": events})
    large = LogEntry(encode(CollectorPayload(timestamp=5, path="/com.snowplowanalytics.snowplow/tp2", body=body)), 5)
    writer = log.writer()
    inner = writer._brokers  # type: ignore[attr-defined]
    reachable, inner.append = inner.append, _nobody_there
    writer.append([*entries("before"), large, *entries("after")])
    admin = AdminClient({"bootstrap.servers": brokers.servers})
    smaller = ConfigResource(ConfigResource.Type.TOPIC, place.streams.good)
    change = ConfigEntry("max.message.bytes", "100000", incremental_operation=AlterConfigOpType.SET)
    smaller.add_incremental_config(change)
    for future in admin.incremental_alter_configs([smaller]).values():
        future.result()
    inner.append = reachable
    with pytest.raises(LogUnavailable, match=r"max\.message\.bytes"):
        writer.append([large])  # which is not kept: they never take it
    found: dict[bytes, LogEntry] = {}
    with subscribed(log) as subscription:
        while len(found) < 4:  # some perhaps twice
            batch = reading(subscription)
            found |= {entry.body: entry for entry in batch.entries}
            subscription.commit(batch)
    writer.close()
    assert found.keys() > {b"before", b"after"}
    parts = [decode(body) for body in found if len(body) > 100]
    assert [len(json.loads(part.body or "")["data"]) for part in parts] == [2, 2]


def _nobody_there(_: object) -> None:
    raise LogUnavailable("nobody there")


def test_a_topic_that_was_made_again_is_read_from_its_beginning(brokers: KafkaBrokers, tmp_path: Path) -> None:
    place = Place(brokers, tmp_path)
    log = place(max_batch_entries=1)
    writer = log.writer()
    writer.append(entries("old", "old too"))
    with subscribed(log) as subscription:
        first = reading(subscription)
        subscription.commit(first)
    writer.close()
    brokers.delete_topics(place.streams.good, place.streams.bad)
    place.make()
    writer = log.writer()
    writer.append(entries("new"))
    with subscribed(log) as subscription:
        batch = reading(subscription)
        assert bodies(batch.entries) == ["new"]
        assert batch.id != first.id
        subscription.commit(batch)
    writer.close()


def late(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> list[int]:
    """The next answers about topics are of a broker that has not heard of what changed."""
    left = [3]
    describe = topics.describe

    def described(cluster: Cluster, names: Sequence[str]) -> dict[str, Any]:
        if left[0]:
            left[0] -= 1
            return {name: answer[name] for name in names if name in answer}
        return describe(cluster, names)

    monkeypatch.setattr(topics, "describe", described)
    return left


def test_topics_are_made_where_a_broker_still_describes_those_that_were_deleted(
    brokers: KafkaBrokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(brokers, tmp_path)
    place.make()
    old = topics.describe(place.cluster, place.topics)
    brokers.delete_topics(*place.topics)
    late(monkeypatch, old)
    place.make()
    made = topics.describe(place.cluster, place.topics)
    assert not {str(topic.topic_id) for topic in old.values()} & {str(topic.topic_id) for topic in made.values()}
    place().writer().close()


def test_a_topic_is_missing_only_when_brokers_go_on_saying_so(
    brokers: KafkaBrokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(brokers, tmp_path)
    log = place()
    left = late(monkeypatch, {})
    log.writer().close()
    assert left == [0]


def test_topics_that_do_not_become_ready_are_named_in_bounded_time(
    brokers: KafkaBrokers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(brokers, tmp_path)
    monkeypatch.setattr(topics, "describe", lambda *_: {})
    with pytest.raises(LogUnavailable, match=rf"{place.streams.good}.*ready within 0.3 s"):
        topics.make(place.cluster, Layout(1, 1, timedelta(days=1)), within=0.3)


def test_metadata_of_something_else_is_no_obstacle(brokers: KafkaBrokers, tmp_path: Path) -> None:
    place = Place(brokers, tmp_path)
    log = place()
    log.writer().append(entries("a", "b"))
    group = {"bootstrap.servers": brokers.servers, "group.id": place.name, "enable.auto.commit": False}
    other = Consumer(group)
    other.commit(offsets=[TopicPartition(place.streams.good, 0, 1, "written by something else")], asynchronous=False)
    other.close()
    with subscribed(log) as subscription:
        assert bodies(reading(subscription).entries) == ["b"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"url": "kafka://user:secret@h:9092"}, "sasl.username"),
        ({"url": "kafka://"}, "expected kafka://host:9092"),
        ({"url": "kafka://h:9092", "kafka": {"properties": {"security.protocol": "nonsense"}}}, "kafka.properties"),
        ({"url": "kafka://h:9092", "kafka": {"outcomes_topic": "good"}}, "three different topics"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as raised:
        EventLogSettings.model_validate(given).open(tmp_path)
    assert "secret" not in str(raised.value)


def test_properties_that_delivery_depends_on_are_not_the_operators() -> None:
    with pytest.raises(ValueError, match="acks"):
        EventLogSettings.model_validate({"kafka": {"properties": {"acks": "1"}}})
    settings = EventLogSettings.model_validate({"kafka": {"properties": {"sasl.password": "hush"}}})
    assert "hush" not in repr(settings)


def test_records_of_snowplows_collector_and_of_strangers_are_all_counted(brokers: KafkaBrokers, tmp_path: Path) -> None:
    """Single records, compressed containers of several, and what is no payload at all."""
    place = Place(brokers, tmp_path)
    log = place()

    def record(number: int) -> bytes:
        query = f"e=pv&p=web&tv=js-4.0.0&aid=shop&eid={uuid.UUID(int=number, version=4)}"
        return encode(
            CollectorPayload(timestamp=1_700_000_000_000, path="/i", querystring=query, collector="ssc-3.7.0")
        )

    several = b"\x01\x01" + b"".join(len(one).to_bytes(4, "big") + one for one in map(record, (2, 3)))
    producer = Producer({"bootstrap.servers": brokers.servers})
    for value in (record(1), gzip.compress(several), b"no payload", None, b""):
        producer.produce(place.streams.good, value, str(uuid.uuid4()))
    producer.produce(place.streams.bad, b"no bad row")
    producer.flush(30)
    _, validator = build_iglu(IgluSettings(iglu_central=False), None)
    store, subscription = MemoryStore(), log.subscribe()
    worker = Worker(subscription, Enricher(validator), store, processor=Processor("snowgauge-enrich", "1.0.0"))
    thread = threading.Thread(target=worker.run)
    thread.start()
    wait_until(lambda: worker.tally.records == 6, "every record was processed")
    worker.stop.set()
    thread.join()
    subscription.close()
    assert (worker.tally.enriched, worker.tally.failed) == (3, 4)
    assert log.stats().entries == 0
    found = sorted(row["event_id"] for row in store.events("good", Selection()))
    assert found == sorted(str(uuid.UUID(int=number, version=4)) for number in (1, 2, 3))
    kinds = {row["failure_type"] for row in store.events("failed", Selection())}
    assert kinds == {"collector_payload_format_violation", "generic_error"}
