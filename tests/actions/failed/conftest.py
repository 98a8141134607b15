"""A pipeline over the store in memory, and one over the embedded engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.memory import MemoryStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.failing import FailingPipeline


@pytest.fixture
def pipeline(tmp_path: Path) -> FailingPipeline:
    return FailingPipeline(MemoryStore(), tmp_path / "schemas")


@pytest.fixture(scope="session")
def engine(tmp_path_factory):
    process = EngineProcess(Path(tmp_path_factory.mktemp("engine")) / "data", sync=False).start()
    yield process
    process.stop()


@pytest.fixture(params=["memory", "clickhouse"])
def any_pipeline(request, tmp_path):
    if request.param == "memory":
        yield FailingPipeline(MemoryStore(), tmp_path / "schemas")
        return
    engine = request.getfixturevalue("engine")
    name = f"failed_{abs(hash(str(tmp_path))) % 10**9}"
    settings = ClickHouseSettings.model_validate({"configuration": {"database": name, "views_database": f"{name}_v"}})
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    store.migrate()
    yield FailingPipeline(store, tmp_path / "schemas")
    store.close()
