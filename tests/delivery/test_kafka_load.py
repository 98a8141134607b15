"""Loading Snowplow's enriched topic and its bad topic from real Kafka, by loaders that are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Producer

from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.testing import kafka
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.events import schema_violation, web_page_view
from snowgauge.testing.kafka import KafkaBrokers
from snowgauge.testing.postgres import temporary_server

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing"),
]


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBrokers]:
    cluster = KafkaBrokers(tmp_path_factory.mktemp("kafka") / "one").start()
    yield cluster
    cluster.stop()


def test_enriched_events_and_bad_rows_are_stored_once_through_kills(brokers: KafkaBrokers, tmp_path: Path) -> None:
    name = f"t{uuid.uuid4().hex[:8]}"
    brokers.make_topics(*(f"{name}-{part}" for part in ("enriched", "bad", "enriched-outcomes")), partitions=2)
    producer = Producer({"bootstrap.servers": brokers.servers})

    def enrich(numbers: range) -> None:
        """As Snowplow's enrich writes: no line end, headers, bad rows as JSON."""
        for number in numbers:
            row = json.loads(schema_violation(number).bad_row_json()) | {"number": number}
            producer.produce(f"{name}-enriched", to_tsv(web_page_view(number)).encode(), headers={"app_id": "shop"})
            producer.produce(f"{name}-bad", json.dumps(row).encode())
        producer.flush()

    with temporary_server() as server:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SNOWPLOW_")}
        environment["SNOWPLOW_STORE__URL"] = server.url
        environment["SNOWPLOW_SHARED_STATE__KEY"] = "the key of all machines"
        environment["SNOWPLOW_SHARED_STATE__KEY"] = "the key of all machines"

        def loader(number: int) -> subprocess.Popen[bytes]:
            flags = [
                f"common.data_dir={tmp_path / str(number)}",
                "eventlog.linger=20 ms",
                f"eventlog.kafka.group={name}",
                "eventlog.kafka.session_timeout=2 s",
            ]
            options = [part for flag in flags for part in ("--set", flag)]
            places = ["--from", brokers.url, "--topic", f"{name}-enriched", "--bad-topic", f"{name}-bad"]
            command = [sys.executable, "-m", "snowgauge", *options, "load", *places]
            return subprocess.Popen(command, cwd=tmp_path, env=environment)

        def stored() -> tuple[int, int]:
            try:
                with psycopg.connect(server.url) as connection:
                    counts = [
                        connection.execute(f"SELECT count(*) FROM atomic.{table}").fetchone()
                        for table in ("events", "failed_events")
                    ]
            except psycopg.errors.UndefinedTable:
                return 0, 0
            return tuple(int(count[0]) for count in counts if count)  # type: ignore[return-value]

        enrich(range(40))
        producer.produce(f"{name}-enriched", b"no enriched event")
        producer.flush()
        running = [loader(0)]
        try:
            wait_until(lambda: stored() == (40, 41), "all of the first part is stored", within=120)
            for round_ in range(2):
                enrich(range(100 + 50 * round_, 150 + 50 * round_))
                running.append(loader(round_ + 1))
                running[round_].kill()
                running[round_].wait()
            wait_until(lambda: stored() == (140, 141), "the rest is stored", within=120)
            running[-1].send_signal(signal.SIGTERM)
            assert running[-1].wait(60) == 0
        finally:
            for one in running:
                one.kill()
                one.wait()
        with psycopg.connect(server.url) as connection:
            twice = connection.execute("SELECT count(*) - count(DISTINCT event_id) FROM atomic.events").fetchone()
            kinds = connection.execute("SELECT failure_type, count(*) FROM atomic.failed_events GROUP BY 1").fetchall()
        assert twice == (0,)
        assert dict(kinds) == {"schema_violations": 140, "loader_parsing_error": 1}
