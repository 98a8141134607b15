"""Statements over modelled tables on PostgreSQL. Every row there counts: the modeller replaces rows in place."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from snowgauge.store.base import QueryResult
from snowgauge.store.figures import DERIVED, events_table
from snowgauge.store.postgres.connection import Connections
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.query import query


class PostgresFigures:
    """``timeout`` is the most that any statement gets, in seconds. ``folding``: a COLLATE clause that knows the cases
    of all scripts, or nothing."""

    def __init__(self, connections: Connections, layout: Layout, *, timeout: float, folding: str) -> None:
        self._connections = connections
        self._layout = layout
        self._timeout = timeout
        self._dialect = FoldingDialect(folding)

    @cached_property
    def events(self) -> sa.Table:
        return events_table(self._layout.schema, "events")

    def counted(self, statement: sa.Select[Any], table: sa.FromClause) -> sa.Select[Any]:  # noqa: ARG002
        return statement

    def text(self, statement: sa.Select[Any]) -> str:
        return str(self._compiled(statement, literal_binds=True)).replace("%%", "%")

    def answer(self, statement: sa.Select[Any], *, seconds: float) -> QueryResult:
        compiled = self._compiled(statement, render_postcompile=True)
        parameters = compiled.construct_params()
        return query(
            self._connections, str(compiled), parameters, max_rows=None, timeout=min(seconds, self._timeout),
            read_only=True,
        )  # fmt: skip

    def _compiled(self, statement: sa.Select[Any], **more: bool) -> sa.sql.compiler.SQLCompiler:
        found = statement.compile(
            dialect=self._dialect,
            schema_translate_map={DERIVED: self._layout.settings.derived_schema},
            render_schema_translate=True,
            compile_kwargs=more,
        )
        assert isinstance(found, sa.sql.compiler.SQLCompiler)
        return found


class FoldingDialect(PGDialect_psycopg):
    """PostgreSQL's dialect with a collation for folding texts to lower case."""

    supports_statement_cache = False

    def __init__(self, folding: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # SQLAlchemy has no types there
        self.folding = folding
