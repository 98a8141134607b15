"""TLS and SASL against a real broker: what gets in, and what an operator reads when it does not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snowgauge.delivery.backends import Streams
from snowgauge.delivery.kafka.client import Cluster
from snowgauge.delivery.kafka.topics import Layout, make
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.delivery.sinks.kafka.settings import KafkaSinkSettings
from snowgauge.errors import LogUnavailable, SinkUnavailable
from snowgauge.store.base import StoreBatch
from snowgauge.testing import kafka
from snowgauge.testing.certificates import self_signed
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.eventlog.asking import bodies, entries, subscribed
from snowgauge.testing.events import web_page_view
from snowgauge.testing.kafka import KafkaBrokers

pytestmark = pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing")


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBrokers]:
    cluster = KafkaBrokers(tmp_path_factory.mktemp("kafka") / "one", users={"snow": "hush-hush"}).start()
    yield cluster
    cluster.stop()


def properties(brokers: KafkaBrokers, mechanism: str = "SCRAM-SHA-512", **other: str) -> dict[str, str]:
    return {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": mechanism,
        "sasl.username": "snow",
        "sasl.password": "hush-hush",
        "ssl.ca.location": str(brokers.certificate),
        **{name.replace("_", "."): value for name, value in other.items()},
    }


def settings(brokers: KafkaBrokers, given: dict[str, str]) -> EventLogSettings:
    return EventLogSettings.model_validate(
        {
            "url": f"kafka://{brokers.secure_servers}",
            "linger": "10 ms",
            "kafka": {"properties": given, "delivery_timeout": "3 s", "session_timeout": "3 s"},
        }
    )


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_a_user_with_its_password_writes_and_reads(brokers: KafkaBrokers, tmp_path: Path, mechanism: str) -> None:
    name = f"t{uuid.uuid4().hex[:8]}"
    streams = Streams(f"{name}-good", f"{name}-bad")
    given = settings(brokers, properties(brokers, mechanism))
    make(Cluster.of(given.url, given.kafka, streams), Layout(1, 1, timedelta(days=1)))
    log = given.open(tmp_path, streams)
    writer = log.writer()
    writer.append(entries("a", "b"))
    assert writer.healthy()
    writer.close()
    with subscribed(log) as subscription:
        found: list[Any] = []

        def reads() -> bool:
            batch = subscription.read(0.1)
            if batch is not None:
                found.extend(batch.entries)
                subscription.commit(batch)
            return len(found) == 2

        wait_until(reads, "both are read")
    assert bodies(found) == ["a", "b"]
    sink = KafkaSinkSettings.model_validate(
        {"brokers": brokers.secure_servers, "bad": streams.bad, "good": streams.bad, "properties": properties(brokers)}
    ).open("kafka", tmp_path)["kafka"]
    assert not sink.deliver(StoreBatch("b", [web_page_view(1)]))
    sink.close()


WRONG = [
    ("password", {"sasl_password": "wrong-word"}, r"sasl\.username and sasl\.password"),
    ("user", {"sasl_username": "nobody", "sasl_mechanism": "PLAIN"}, r"sasl\.username and sasl\.password"),
    ("authority", {"ssl_ca_location": "other.pem"}, r"ssl\.ca\.location"),
    ("protocol", {"security_protocol": "SASL_PLAINTEXT"}, r"security\.protocol"),
]


@pytest.mark.parametrize(("kind", "other", "said"), WRONG, ids=[kind for kind, _, _ in WRONG])
def test_who_is_not_let_in_reads_why(
    brokers: KafkaBrokers, tmp_path: Path, kind: str, other: dict[str, str], said: str
) -> None:
    if kind == "authority":
        self_signed(["other"], tmp_path / "other.pem", tmp_path / "key.pem")
        other = {"ssl_ca_location": str(tmp_path / "other.pem")}
    given = properties(brokers, **other)
    log = settings(brokers, given).open(tmp_path, Streams("good", "bad"))
    writer = log.writer()
    with pytest.raises(LogUnavailable, match=said) as raised:
        writer.append(entries("a"))
    assert "hush" not in str(raised.value)
    assert "wrong-word" not in str(raised.value)
    assert not writer.healthy()
    writer.close()
    for ask in (log.stats, log.doubts):
        with pytest.raises(LogUnavailable, match=said):
            ask()
    with subscribed(log) as subscription:
        reasons: list[str] = []

        def refuses() -> bool:
            try:
                subscription.read(0.1)
            except LogUnavailable as error:
                reasons.append(str(error))
            return bool(reasons)

        wait_until(refuses, "the worker reads why")
    sink = KafkaSinkSettings.model_validate(
        {"brokers": brokers.secure_servers, "good": "good", "properties": given, "delivery_timeout": "3 s"}
    ).open("kafka", tmp_path)["kafka"]
    with pytest.raises(SinkUnavailable, match=said):
        sink.deliver(StoreBatch("b", [web_page_view(1)]))
    sink.close()
