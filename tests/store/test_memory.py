"""The store in memory keeps the contract."""

import pytest

from snowgauge.errors import QueryRefused
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.store_contract import StoreContract


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class TestMemory(StoreContract):
    def test_it_has_no_sql_and_says_so(self, store: MemoryStore) -> None:
        with pytest.raises(QueryRefused, match="no SQL"):
            store.query("SELECT 1")
