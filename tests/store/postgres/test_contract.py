"""The store on PostgreSQL keeps the contract, whole tables or monthly partitions."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.store_contract import StoreContract


class TestPostgres(StoreContract):
    @pytest.fixture
    def store(self, open_store: Callable[..., PostgresStore], loose) -> PostgresStore:
        return open_store(loose, dbt_tables=False)


class TestPartitioned(StoreContract):
    """In a database that keeps a zone with summer time."""

    test_a_thousand_schemas = None  # the same tables once more, slowly

    @pytest.fixture
    def store(self, open_store: Callable[..., PostgresStore], loose, url: str) -> PostgresStore:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {connection.info.dbname} SET timezone = 'America/St_Johns'")
        return open_store(loose, partitioning="monthly", dbt_tables=False, bad_row_tables=False)
