"""`snowgauge clickhouse`: the embedded engine alone, and how other programs reach it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from snowgauge.cli.context import out, settings_of
from snowgauge.errors import SettingsError

if TYPE_CHECKING:
    from snowgauge.store.settings import ClickHouseConnectionSettings


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True)
    group.callback()(clickhouse)
    group.command()(connect)
    app.add_typer(group, name="clickhouse", rich_help_panel="Running")


def clickhouse(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Run the embedded ClickHouse engine alone, behind ClickHouse's HTTP interface.

    Example: `snowgauge clickhouse --port 8123`
    """
    if ctx.invoked_subcommand is not None:
        return
    from snowgauge.pipeline.privileges import check_root, private_files
    from snowgauge.pipeline.roles.engine import run_engine
    from snowgauge.pipeline.roles.process import share_metrics

    given = {"host": host, "port": port}
    settings = settings_of(
        ctx, *(f"clickhouse.engine.{key}={value}" for key, value in given.items() if value is not None)
    )
    private_files()
    check_root(settings, os.environ)
    share_metrics(settings)
    run_engine(settings)


def connect(ctx: typer.Context) -> None:
    """Print ready settings for programs that connect to the embedded engine, with its password.

    Example: `snowgauge clickhouse connect`
    """
    from snowgauge.pipeline import build
    from snowgauge.store.build import engine_connection

    settings = settings_of(ctx)
    if not build.embedded(settings):
        raise SettingsError("this deployment has a database server: connect to it as its own documentation says")
    for line in _lines(
        engine_connection(build.clickhouse_settings(settings)), settings.clickhouse.configuration.database
    ):
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def _lines(to: ClickHouseConnectionSettings, database: str) -> Iterator[str]:
    host, port, user, password = to.host, to.port, to.username, to.password.get_secret_value()
    named = f"[{host}]" if ":" in host else host
    secret = quote(password, safe="")
    yield f"Host      {host}"
    yield f"Port      {port} (HTTP)"
    yield f"User      {user}"
    yield f"Password  {password}"
    yield f"Database  {database}"
    yield ""
    yield "DBeaver, Metabase (driver ClickHouse), and other programs with JDBC"
    yield f"  jdbc:clickhouse://{named}:{port}/{database}?user={quote(user, safe='')}&password={secret}"
    yield ""
    yield "Grafana (data source ClickHouse)"
    yield f"  Server address {host}, port {port}, protocol HTTP, secure connection off, user {user}, password as above"
    yield ""
    yield "Go (clickhouse-go), a data source name"
    yield f"  http://{quote(user, safe='')}:{secret}@{named}:{port}/{database}"
    yield ""
    yield "Python (clickhouse-connect)"
    yield (
        f"  clickhouse_connect.get_client(host={host!r}, port={port}, username={user!r}, "
        f"password={password!r}, database={database!r})"
    )
    yield ""
    yield "SQLAlchemy (clickhouse-connect)"
    yield f"  clickhousedb://{quote(user, safe='')}:{secret}@{named}:{port}/{database}"
    yield ""
    yield "JavaScript (@clickhouse/client)"
    yield (
        f"  createClient({{url: 'http://{named}:{port}', username: '{user}', "
        f"password: '{password}', database: '{database}'}})"
    )
    yield ""
    yield "dbt (dbt-clickhouse), in profiles.yml"
    yield (
        f"  {{type: clickhouse, driver: http, host: '{host}', port: {port}, user: '{user}', "
        f"password: '{password}', schema: dbt}}"
    )
    yield ""
    yield "curl"
    yield f"  curl -H 'X-ClickHouse-User: {user}' -H 'X-ClickHouse-Key: {password}' 'http://{named}:{port}/?query=SELECT+1'"
