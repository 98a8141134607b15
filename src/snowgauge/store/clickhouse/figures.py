"""Statements over modelled tables on ClickHouse: server-side parameters, and ``FINAL`` where rows may be replaced."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import sqlalchemy as sa

from snowgauge.errors import QueryTooCostly
from snowgauge.store.base import QueryResult
from snowgauge.store.clickhouse.connection import Connection, OutOfMemory, OutOfTime
from snowgauge.store.clickhouse.layout import Layout
from snowgauge.store.figures import CHEAPER, DERIVED, events_table


class ClickHouseFigures:
    """``timeout`` is the most that any statement gets, in seconds."""

    def __init__(self, connection: Connection, layout: Layout, *, timeout: float) -> None:
        self._connection = connection
        self._layout = layout
        self._timeout = timeout

    @cached_property
    def events(self) -> sa.Table:
        return events_table(self._layout.database, self._layout.plain("events"))

    def counted(self, statement: sa.Select[Any], table: sa.FromClause) -> sa.Select[Any]:
        from clickhouse_connect.cc_sqlalchemy.sql import final

        return final(statement, table)

    def text(self, statement: sa.Select[Any]) -> str:
        return str(self._compiled(statement, literal_binds=True))

    def answer(self, statement: sa.Select[Any], *, seconds: float) -> QueryResult:
        compiled = self._compiled(statement)
        settings: dict[str, Any] = {
            "readonly": 1,
            "max_execution_time": min(seconds, self._timeout),
            # the rows of one key lie in one partition
            "do_not_merge_across_partitions_select_final": 1,
            "join_use_nulls": 1,
        }
        if self._layout.cluster:
            settings["distributed_product_mode"] = "global"
        try:
            return self._connection.table(str(compiled), compiled.construct_params(), settings)
        except OutOfMemory as raised:
            raise QueryTooCostly(f"the question needs more memory than the store gives to one. {CHEAPER}") from raised
        except OutOfTime as raised:
            seconds = settings["max_execution_time"]
            raise QueryTooCostly(f"the question took longer than {seconds:.0f} s. {CHEAPER}") from raised

    def _compiled(self, statement: sa.Select[Any], **more: bool) -> sa.sql.compiler.SQLCompiler:
        found = statement.compile(
            dialect=self._dialect,
            schema_translate_map={DERIVED: self._layout.settings.derived_database},
            render_schema_translate=True,
            compile_kwargs=more,
        )
        assert isinstance(found, sa.sql.compiler.SQLCompiler)
        return found

    @cached_property
    def _dialect(self) -> sa.engine.Dialect:
        from clickhouse_connect.cc_sqlalchemy.dialect import ClickHouseDialect

        return ClickHouseDialect(server_side_params=True)
