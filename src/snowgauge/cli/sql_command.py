"""`snowgauge sql`."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Literal

import typer

from snowgauge.cli.context import err, out, settings_of, table


def register(app: typer.Typer) -> None:
    app.command("sql")(sql)


def sql(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="The query; `-` reads it from standard input.")],
    fmt: Annotated[
        Literal["table", "json", "csv", "csv-exact", "tsv", "parquet"],
        typer.Option(
            "--format",
            "-f",
            help="Form of the result. csv is for spreadsheets: no cell begins like a formula; csv-exact is as stored.",
        ),
    ] = "table",
    limit: Annotated[int, typer.Option(min=1, help="Maximum rows of a table.")] = 1000,
    write: Annotated[bool, typer.Option("--write", help="Allow statements that change data.")] = False,
) -> None:
    """Ask the store in its own SQL, read-only unless told otherwise.

    A query with ClickHouse's own `FORMAT` clause is answered in that format.

    Example: `snowgauge sql "SELECT event_name, count() FROM atomic.events GROUP BY 1" --format csv`
    """
    from snowgauge.actions.sql import exported, shown
    from snowgauge.errors import QueryRefused
    from snowgauge.pipeline.build import open_store, store_kind
    from snowgauge.store.clickhouse.engine.statements import output_format

    text = sys.stdin.read() if query == "-" else query
    settings = settings_of(ctx)
    names_format = store_kind(settings) == "clickhouse" and output_format(text.encode()) is not None
    store = open_store(settings)
    try:
        if names_format and not write:
            for chunk in store.export_raw(text, "" if fmt == "table" else fmt):
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        elif fmt == "table" or write:
            result = store.query(text, max_rows=limit, read_only=not write)
            out.print(table(result.columns, [[_cell(value) for value in row] for row in result.rows]))
            if result.truncated:
                err.print(f"[dim]more rows than {limit}: raise --limit, or use --format[/]")
        else:
            for chunk in exported(store, text, fmt):
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    except QueryRefused as refused:
        raise QueryRefused(shown(str(refused))) from refused
    finally:
        store.close()


def _cell(value: object) -> str:
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, ensure_ascii=False)
    return "" if value is None else str(value)
