"""Which of several actions is the first of a transaction, over all units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from snowgauge.modelling.events import EARLY_MS, LATE_MS, Unit
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import ModelStore
from snowgauge.modelling.tables import ECOMMERCE_ACTIONS

OF_TRANSACTION = (
    "unit", "app_id", "event_id", "product_index", "action", "transaction_id", "t", "is_first_of_transaction",
)  # fmt: skip


def counts(row: Row) -> bool:
    """Is it an action that can be the first of a transaction?"""
    return row["action"] == "transaction" and bool(row["transaction_id"]) and row["product_index"] <= 1


def wrongly_counted(store: ModelStore, transaction_ids: Sequence[str]) -> list[Unit]:
    """Units that have a transaction marked as the first that is not, or one not marked that is."""
    rows = [
        row for row in store.rows(ECOMMERCE_ACTIONS, "transaction_id", transaction_ids, OF_TRANSACTION) if counts(row)
    ]
    return wrong(rows, first_of(rows))


def transaction(row: Row) -> tuple[str, str]:
    """What a transaction is known by."""
    return row["app_id"], row["transaction_id"]


def first_of(rows: Sequence[Row]) -> dict[tuple[str, str], Row]:
    """The earliest row of each transaction."""
    first: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: (row["t"], row["event_id"])):
        first.setdefault(transaction(row), row)
    return first


def wrong(rows: Sequence[Row], first: Mapping[tuple[str, str], Row]) -> list[Unit]:
    """Units with a row of these that is marked wrongly."""
    others = {}
    for row in rows:
        if (first[transaction(row)] is row) is not row["is_first_of_transaction"]:
            others[row["unit"]] = Unit(row["unit"], row["t"] - EARLY_MS, row["t"] + LATE_MS)
    return list(others.values())
