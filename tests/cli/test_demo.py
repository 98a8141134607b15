"""`snowgauge demo` against a real engine: fills it, adds nothing when run again, and takes out what it put in."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from snowgauge.cli.main import app
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import web_page_view


def demo(settings: list[str], *arguments: str) -> dict[str, int]:
    done = CliRunner().invoke(app, [*settings, "demo", *arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_seed_once_and_clear(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "engine", sync=False).start()
    settings = ClickHouseSettings()
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    port = urlsplit(engine.url).port
    given = {"common.data_dir": tmp_path / "data", "clickhouse.engine.port": port, "iglu.iglu_central": "false"}
    options = [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
    try:
        made = demo(options, "seed", "--visitors", "40", "--days", "5")
        assert made["requests"] == made["events"] + made["failed"] > 0
        store.write(StoreBatch("real", [web_page_view(1)]))
        assert store.count("good", Selection()) == made["events"] + 1
        assert demo(options, "seed", "--visitors", "40", "--days", "5")["repeated"] == made["requests"]
        assert demo(options, "clear")["events"] == made["events"]
        assert store.count("good", Selection()) == 1
        assert store.count("failed", Selection()) == 0
    finally:
        store.close()
        engine.stop()


def test_a_store_in_memory_is_refused(tmp_path: Path) -> None:
    options = ["--set", f"common.data_dir={tmp_path}", "--set", "store.url=memory://"]
    done = CliRunner().invoke(app, [*options, "demo", "seed"])
    assert done.exit_code == 1
    with pytest.raises(type(done.exception), match=r"store\.url"):
        raise done.exception
