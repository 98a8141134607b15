"""Statements over modelled tables on PostgreSQL. Every row there counts: the modeller replaces rows in place."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from snowgauge.errors import QueryTooCostly
from snowgauge.store.base import QueryResult
from snowgauge.store.figures import CHEAPER, DERIVED, events_table
from snowgauge.store.postgres.connection import QUERY_CANCELED, Connections, Refused
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.query import OUT_OF_ROOM, Limits, query


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
        seconds = min(seconds, self._timeout)
        try:
            return query(self._connections, str(compiled), parameters, Limits(None, seconds, read_only=True))
        except Refused as raised:
            if raised.code == QUERY_CANCELED:
                raise QueryTooCostly(f"the question took longer than {seconds:.0f} s. {CHEAPER}") from raised
            if raised.code in OUT_OF_ROOM:
                raise QueryTooCostly(
                    f"the question needs more memory or temporary space than the store gives to one. {CHEAPER}"
                ) from raised
            raise

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
