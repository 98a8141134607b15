"""Collectors and workers as processes around Kafka: what was acknowledged is stored, once. The long version is
``benchmarks.kafka_crashes``."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowgauge.testing import kafka

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing"),
]


def test_accidents_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    from snowgauge.testing.postgres import PostgresServer
    from snowgauge.testing.spread_crashes import crash

    brokers = kafka.KafkaBrokers(tmp_path / "kafka").start()
    server = PostgresServer(tmp_path / "postgres").start()
    try:
        found = crash(tmp_path, brokers, server, rounds=5, seed=11)
    finally:
        server.stop()
        brokers.stop()
    assert found.acknowledged > 50
    assert (found.missing, found.twice) == (0, 0)
