"""Collectors and workers as processes around Kafka: what was acknowledged is stored, once. The long version is
``benchmarks.kafka_crashes``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snowgauge.testing import kafka

ROUNDS = int(os.environ.get("SNOWGAUGE_CRASH_ROUNDS", "5"))
"""Accidents in each test."""

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing"),
]


@pytest.mark.parametrize("store", ["postgres", "clickhouse"])
def test_accidents_lose_nothing_and_store_nothing_twice(tmp_path: Path, store: str) -> None:
    from snowgauge.testing.spread_crashes import STORES, crash

    brokers = kafka.KafkaBrokers(tmp_path / "kafka").start()
    server = STORES[store](tmp_path / "store")
    server.start()
    try:
        found = crash(tmp_path, brokers, server, rounds=ROUNDS, seed=11)
    finally:
        server.stop()
        brokers.stop()
    assert found.acknowledged > 50
    assert (found.missing, found.twice) == (0, 0)
