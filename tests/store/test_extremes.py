"""No value that a client can send stops a store, nor any event beside it."""

from __future__ import annotations

import pytest

from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.store_extremes import StoreExtremes


class TestClickHouse(StoreExtremes):
    @pytest.fixture
    def store(self, clickhouse: ClickHouseStore) -> ClickHouseStore:
        return clickhouse


class TestMemory(StoreExtremes):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
