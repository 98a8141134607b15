"""Random people in both stores."""

from __future__ import annotations

import pytest

from snowgauge.store.base import Store
from snowgauge.testing.figures.asking import START, Populated
from snowgauge.testing.figures.filling import fill
from snowgauge.testing.figures.people import People, people

HOUR = 3_600_000


@pytest.fixture(scope="module", params=["clickhouse", "postgres"])
def any_store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def populated(any_store: Store) -> Populated:
    """Three weeks of people whose events are six hours apart, and an hour of others."""
    slow = people(1, start=START, moments=80, step=6 * HOUR, count=40)
    quick = people(2, start=START + 3 * 24 * HOUR, moments=40, step=60_000, count=40)
    everyone = People([*slow.did, *quick.did], stored=[*slow.stored, *quick.stored])
    everyone.rows = {name: [*slow.rows[name], *quick.rows[name]] for name in slow.rows}
    fill(any_store, everyone.rows, everyone.stored)
    return Populated(any_store, everyone.did)
