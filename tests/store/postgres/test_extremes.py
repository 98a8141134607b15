"""No value that a client can send stops PostgreSQL, nor any event beside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.store_extremes import StoreExtremes


class TestPostgres(StoreExtremes):
    @pytest.fixture
    def store(self, open_store: Callable[..., PostgresStore], loose) -> PostgresStore:
        return open_store(loose, dbt_tables=False)
