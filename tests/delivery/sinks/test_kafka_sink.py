"""Streams out, on a real broker: values, keys and headers as Snowplow's enrich writes them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer

from snowgauge.delivery.sinks.kafka.settings import KafkaSinkSettings
from snowgauge.errors import SinkUnavailable
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.store.base import StoreBatch
from snowgauge.testing import kafka
from snowgauge.testing.events import schema_violation, web_page_view
from snowgauge.testing.kafka import KafkaBrokers

needs_kafka = pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing")


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBrokers]:
    cluster = KafkaBrokers(tmp_path_factory.mktemp("kafka") / "one").start()
    yield cluster
    cluster.stop()


def read(brokers: KafkaBrokers, topic: str, number: int) -> list[Any]:
    consumer = Consumer(
        {"bootstrap.servers": brokers.servers, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    found: list[Any] = []
    while len(found) < number:
        message = consumer.poll(30)
        assert message is not None, f"{len(found)} of {number} records in {topic}"
        assert message.error() is None
        found.append(message)
    consumer.close()
    return sorted(found, key=lambda one: one.value())


@needs_kafka
def test_records_are_those_of_enrich(brokers: KafkaBrokers, tmp_path: Path) -> None:
    names = {kind: f"{uuid.uuid4().hex[:8]}-{kind}" for kind in ("good", "incomplete", "bad")}
    brokers.make_topics(*names.values(), partitions=2)
    given: dict[str, Any] = {
        "brokers": brokers.servers,
        **names,
        "partition_key": "user_id",
        "attributes": ["app_id", "user_id"],
    }
    (sink,) = KafkaSinkSettings.model_validate(given).open("kafka", tmp_path).values()
    large = web_page_view(3, page_title="x" * 1_100_000)
    batch = StoreBatch(
        "b", [web_page_view(1, user_id="ann"), web_page_view(2), large], [schema_violation(1)], [web_page_view(4)]
    )
    (refused,) = sink.deliver(batch)
    assert refused.batch.events == [large]
    good = read(brokers, names["good"], 2)
    assert sorted(one.value() for one in good) == sorted(to_tsv(event).encode() for event in batch.events[:2])
    headers = {one.key(): dict(one.headers()) for one in good}
    assert headers.pop(b"ann") == {"app_id": b"shop", "user_id": b"ann"}
    ((key, rest),) = headers.items()
    assert str(uuid.UUID(key.decode())) == key.decode()
    assert rest == {"app_id": b"shop"}
    (bad,) = read(brokers, names["bad"], 1)
    assert json.loads(bad.value()) == json.loads(batch.failed[0].bad_row_json())
    assert not bad.headers()
    (incomplete,) = read(brokers, names["incomplete"], 1)
    assert incomplete.value() == to_tsv(batch.incomplete[0]).encode()
    sink.close()
    given |= {"good": "no-such-topic", "delivery_timeout": "3 s"}
    (missing,) = KafkaSinkSettings.model_validate(given).open("kafka", tmp_path).values()
    with pytest.raises(SinkUnavailable, match="make topic no-such-topic"):
        missing.deliver(batch)
    missing.close()


def test_brokers_that_are_unreachable_are_waited_for_only_so_long(tmp_path: Path) -> None:
    given = {"brokers": "127.0.0.1:1", "good": "good", "delivery_timeout": "1 s"}
    (sink,) = KafkaSinkSettings.model_validate(given).open("kafka", tmp_path).values()
    with pytest.raises(SinkUnavailable, match=r"Kafka at 127\.0\.0\.1:1"):
        sink.deliver(StoreBatch("b", [web_page_view(1)]))
    sink.close()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"brokers": "x:1"}, "no topic"),
        ({"exactly_once": True, "good": "good", "brokers": "x:1"}, "remove sinks.kafka.brokers"),
        ({"exactly_once": True}, "no topic"),
        ({"partition_key": "contexts"}, "a plain column"),
        ({"attributes": ["nothing"]}, "'nothing'"),
    ],
)
def test_what_cannot_be_used_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        KafkaSinkSettings.model_validate(given)
