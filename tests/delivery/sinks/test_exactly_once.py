"""Streams out without a store: readers of committed records see each event once, whatever is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from snowgauge.delivery.contract import Processed, Refusal
from snowgauge.delivery.kafka.log import KafkaLog
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.delivery.sinks.kafka.exactly_once import ExactlyOnce
from snowgauge.delivery.sinks.kafka.settings import KafkaSinkSettings
from snowgauge.errors import BatchLost, LogUnavailable
from snowgauge.events.outcome import Tally
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import encode
from snowgauge.pipeline import build
from snowgauge.settings.load import load
from snowgauge.store.base import StoreBatch
from snowgauge.testing import kafka
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.events import web_page_view
from snowgauge.testing.kafka import KafkaBrokers
from snowgauge.testing.roles import role

pytestmark = pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing")


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBrokers]:
    cluster = KafkaBrokers(tmp_path_factory.mktemp("kafka") / "one").start()
    yield cluster
    cluster.stop()


class Topics:
    """Those of one deployment, of two partitions each; ``small`` are the good topic's properties."""

    def __init__(self, brokers: KafkaBrokers, **good: str) -> None:
        self.brokers = brokers
        self.name = f"t{uuid.uuid4().hex[:8]}"
        brokers.make_topics(*(f"{self.name}-{part}" for part in ("raw", "raw-bad", "bad")), partitions=2)
        brokers.make_topics(f"{self.name}-good", partitions=2, config=good)

    def receive(self, numbers: range) -> None:
        """As a collector writes: every fifth payload is none."""
        producer = Producer({"bootstrap.servers": self.brokers.servers})
        for number in numbers:
            query = f"e=pv&p=web&tv=js-4.0.0&aid=shop&uid=u{number % 3}&eid={_event_id(number)}"
            payload = encode(
                CollectorPayload(timestamp=1_700_000_000_000, path="/i", querystring=query, collector="ssc-3.7.0")
            )
            producer.produce(f"{self.name}-raw", b"no payload" if number % 5 == 0 else payload, str(uuid.uuid4()))
        producer.flush(30)

    def settings(self, folder: Path) -> dict[str, str]:
        return {
            "common.data_dir": str(folder),
            "common.run_as_root": "true",
            "iglu.iglu_central": "false",
            "pipeline.store": "none",
            "eventlog.url": self.brokers.url,
            "eventlog.max_batch_entries": "7",
            "eventlog.linger": "20 ms",
            "eventlog.kafka.group": self.name,
            "eventlog.kafka.session_timeout": "2 s",
            "collector.streams.good.name": f"{self.name}-raw",
            "collector.streams.bad.name": f"{self.name}-raw-bad",
            "sinks.kafka.exactly_once": "true",
            "sinks.kafka.good": f"{self.name}-good",
            "sinks.kafka.bad": f"{self.name}-bad",
            "sinks.kafka.partition_key": "user_id",
            "sinks.kafka.attributes": '["app_id"]',
            "sinks.kafka.delivery_timeout": "5 s",
        }

    def reader(self, *parts: str, isolation: str = "read_committed") -> Consumer:
        consumer = Consumer(
            {
                "bootstrap.servers": self.brokers.servers,
                "group.id": uuid.uuid4().hex,
                "auto.offset.reset": "earliest",
                "isolation.level": isolation,
            }
        )
        consumer.subscribe([f"{self.name}-{part}" for part in parts])
        return consumer


def _event_id(number: int) -> str:
    return str(uuid.UUID(int=number, version=4))


@pytest.mark.e2e
def test_committed_readers_see_each_event_once_through_kills(brokers: KafkaBrokers, tmp_path: Path) -> None:
    topics = Topics(brokers)
    topics.receive(range(100))
    good, bad = topics.reader("good"), topics.reader("bad")
    seen: list[Any] = []
    refused: list[Any] = []

    def look() -> None:
        for consumer, found in ((good, seen), (bad, refused)):
            found += [message for message in consumer.consume(500, 0.2) if message.error() is None]

    def wait_for(events: int, rows: int, what: str) -> None:
        def there() -> bool:
            look()
            return len(seen) >= events and len(refused) >= rows

        wait_until(there, what, within=180)

    workers: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(2):
            workers.append(role("pipeline", topics.settings(tmp_path / str(number)), tmp_path / f"{number}.log"))
        for round_ in range(3):
            wait_for(80 * round_ + 20, 20 * round_, "the workers are in the middle")
            topics.receive(range(100 * round_ + 100, 100 * round_ + 200))
            at = round_ % 2
            if round_ == 2:
                workers[at].send_signal(signal.SIGSTOP)  # beyond its session
                wait_for(250, 60, "the other goes on")
                workers[at].send_signal(signal.SIGCONT)
            else:
                workers[at].kill()
                workers[at].wait()
                workers[at] = role("pipeline", topics.settings(tmp_path / str(at)), tmp_path / f"{at}.log")
        wait_for(320, 80, "all is sent")
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(60) for worker in workers] == [0, 0]
        look()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    counts = Counter(message.value().decode().split("\t")[6] for message in seen)
    assert set(counts) == {_event_id(number) for number in range(400) if number % 5}
    assert set(counts.values()) == {1}
    assert len(refused) == 80
    assert {json.loads(message.value())["schema"].split("/")[1] for message in refused} == {
        "collector_payload_format_violation"
    }
    assert {message.key() for message in seen} == {b"u0", b"u1", b"u2"}
    assert all(message.headers() == [("app_id", b"shop")] for message in seen)
    assert not any(message.headers() for message in refused)
    good.close()
    bad.close()


class Member:
    """A subscription of a deployment's log and what its batches become."""

    def __init__(self, topics: Topics, name: str, **limits: int) -> None:
        log = EventLogSettings.model_validate(
            {"url": topics.brokers.url, "linger": "10 ms", **limits, "kafka": {"group": topics.name}}
        )
        from snowgauge.delivery.backends import Streams

        opened = log.open(Path(), Streams(f"{topics.name}-raw", f"{topics.name}-raw-bad"))
        assert isinstance(opened, KafkaLog)
        sink = {"exactly_once": True, "good": f"{topics.name}-good", "delivery_timeout": "5 s"}
        self.letters: list[Any] = []
        self.subscription = ExactlyOnce(
            opened.subscription(), opened.cluster, KafkaSinkSettings.model_validate(sink), name=name,
            refused=self.letters.append,
        )  # fmt: skip

    def read(self) -> Any:
        found: list[Any] = []

        def reads() -> bool:
            batch = self.subscription.read(0.1)
            found.extend([] if batch is None else [batch])
            return bool(found)

        wait_until(reads, "a batch comes")
        return found[0]

    def made(self, batch: Any, *events: Any) -> None:
        self.subscription.record(batch, Processed(StoreBatch(batch.id, list(events)), Tally()))


def test_what_was_cut_short_is_never_seen(brokers: KafkaBrokers) -> None:
    topics = Topics(brokers)
    topics.receive(range(1, 2))
    first = Member(topics, "a")
    batch = first.read()
    first.made(batch, web_page_view(1))
    sender = first.subscription._begun()
    first.subscription._send(sender, first.subscription._made[batch.id])  # and here it dies
    second = Member(topics, "a")
    first.subscription._inner.close()
    again = second.read()
    assert again.id == batch.id
    second.made(again, web_page_view(2))
    second.subscription.commit(again)
    second.subscription.commit(again)  # harmless
    everything = topics.reader("good", isolation="read_uncommitted")
    values: list[bytes] = []

    def reads(consumer: Consumer, number: int) -> bool:
        values.extend(message.value() for message in consumer.consume(10, 0.2) if message.error() is None)
        return len(values) >= number

    wait_until(lambda: reads(everything, 2), "both were written")
    everything.close()
    values.clear()
    committed = topics.reader("good")
    wait_until(lambda: reads(committed, 1), "what was committed is read")
    assert not reads(committed, 2)
    assert web_page_view(2).event_id.encode() in values[0]  # type: ignore[union-attr]
    committed.close()
    second.subscription.close()


def test_a_worker_that_lost_its_partition_commits_nothing(brokers: KafkaBrokers) -> None:
    topics = Topics(brokers)
    topics.receive(range(1, 2))
    first = Member(topics, "a")
    batch = first.read()
    first.made(batch, web_page_view(1))
    for member in first.subscription._inner._members.values():
        member._consumer.unsubscribe()  # as one that was silent beyond its session finds itself
    second = Member(topics, "b")
    again = second.read()
    with pytest.raises(BatchLost):
        first.subscription.commit(batch)
    second.made(again, web_page_view(2))
    second.subscription.commit(again)
    first.subscription.close()
    second.subscription.close()


def test_dead_letters_are_listed_and_sent_again(brokers: KafkaBrokers, tmp_path: Path) -> None:
    topics = Topics(brokers)
    topics.receive(range(1, 4))
    settings = load(flags=[f"{key}={value}" for key, value in topics.settings(tmp_path).items()]).settings
    letter = Refusal(StoreBatch("x", [web_page_view(9)]), "too large for the brokers, as they were")
    settings.sinks.dead_letters(tmp_path).put("kafka", letter)
    sinks = build.open_sinks(settings)
    (state,) = sinks.states()
    assert (state.name, state.waiting, state.dead_letters, state.ok, state.configured) == ("kafka", 3, 1, True, True)
    assert sinks.replay("kafka").delivered == 1
    reader = topics.reader("good")
    seen: list[bytes] = []

    def reads() -> bool:
        seen.extend(message.value() for message in reader.consume(10, 0.2) if message.error() is None)
        return bool(seen)

    wait_until(reads, "it was sent")
    reader.close()
    assert sinks.states()[0].dead_letters == 0


def test_records_above_the_brokers_limit_are_left_out(brokers: KafkaBrokers) -> None:
    topics = Topics(brokers, **{"max.message.bytes": "5000"})
    topics.receive(range(1, 2))
    member = Member(topics, "a")
    batch = member.read()
    large = web_page_view(3, page_title="".join(map(chr, range(0x4E00, 0x4E00 + 9000))))
    larger = web_page_view(4, page_title="x" * 1_100_000)
    member.made(batch, *(web_page_view(number) for number in range(3)), large, larger)
    for _ in range(4):
        with suppress(LogUnavailable):
            member.subscription.commit(batch)
            break
    else:
        raise AssertionError("it is never committed")
    assert {letter.batch.events[0].event_id for letter in member.letters} == {large.event_id, larger.event_id}
    reader = topics.reader("good")
    seen: list[str] = []

    def reads() -> bool:
        seen.extend(
            message.value().decode().split("\t")[6] for message in reader.consume(10, 0.2) if message.error() is None
        )
        return len(seen) == 3

    wait_until(reads, "the others were sent")
    reader.close()
    member.subscription.close()
