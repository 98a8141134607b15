"""The store on the embedded engine keeps the contract."""

import pytest

from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.store_contract import StoreContract


@pytest.fixture
def store(clickhouse: ClickHouseStore) -> ClickHouseStore:
    return clickhouse


class TestClickHouse(StoreContract):
    pass
