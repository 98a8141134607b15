"""The contract of answering: statements over modelled tables and events, written once and run on any store.

A statement is SQLAlchemy's. What databases write differently is rendered for the store's dialect; which rows of a
table count is the store's own knowledge. Reading only, and within a time.
"""

from __future__ import annotations

from typing import Any, Protocol

import sqlalchemy as sa

from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.store.base import QueryResult

DERIVED = "derived"
"""The schema of modelled tables in statements; the store has its own name for it."""

CHEAPER = "A shorter period, one application, a filter, fewer steps or series, or no breakdown make it cheaper"
"""What to do about a question that takes too long or too much memory."""

_KINDS: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "timestamp": sa.DateTime, "int": sa.BigInteger, "boolean": sa.Boolean, "float": sa.Float, "decimal": sa.Float,
}  # fmt: skip


class Figures(Protocol):
    @property
    def events(self) -> sa.Table:
        """The good events, with the canonical event's columns."""

    def counted(self, statement: sa.Select[Any], table: sa.FromClause) -> sa.Select[Any]:
        """The statement, reading of a modelled table only the rows that count."""

    def text(self, statement: sa.Select[Any]) -> str:
        """The statement as SQL of this store with its values in it, for people to read and run."""

    def answer(self, statement: sa.Select[Any], *, seconds: float) -> QueryResult:
        """All its rows. Raises ``QueryTooCostly`` after ``seconds``, ``StoreUnavailable`` where nothing answers."""


def events_table(schema: str, name: str) -> sa.Table:
    """The table of good events under the name that a store has for it."""
    columns = [sa.Column(field.name, _KINDS.get(field.kind, sa.String)) for field in ATOMIC_FIELDS]
    return sa.Table(name, sa.MetaData(), *columns, schema=schema)
