"""`snowgauge sql` against the embedded engine."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from snowgauge.cli.main import app
from snowgauge.errors import QueryRefused
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.engine import EngineProcess


@pytest.fixture
def run(engine: EngineProcess, clickhouse: ClickHouseStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SNOWPLOW_STORE__URL", engine.url)
    monkeypatch.setenv("SNOWPLOW_CLICKHOUSE__CONFIGURATION__DATABASE", clickhouse.layout.database)

    def asked(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["sql", *arguments])

    return asked


def test_a_refusal_is_the_engines_sentence_alone(run) -> None:
    result = run("SELECT no_such_column FROM system.one")
    assert isinstance(result.exception, QueryRefused)
    message = str(result.exception)
    assert "no_such_column" in message
    assert [word for word in ("for url", "127.0.0.1", "version", "FORMAT") if word in message] == []
