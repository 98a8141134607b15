"""A recovery that is killed in the middle goes on without storing anything twice or losing anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.failing import NOON, FailingPipeline, cart_schema, tracked, ue

_PROGRAM = """
import os, signal, sys
from pathlib import Path
from snowgauge.actions.failed import recover as module
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.failing import FailingPipeline

name, url, schemas, where = sys.argv[1:]
settings = ClickHouseSettings.model_validate({"configuration": {"database": name, "views_database": name + "_v"}})
store = ClickHouseStore(settings, engine_connection(settings, url))
module._ROWS = 10
calls = 0

def die_before(method):
    def called(*arguments):
        global calls
        calls += 1
        if calls == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(*arguments)
    return called

setattr(store, where, die_before(getattr(store, where)))
FailingPipeline(store, Path(schemas)).recover()
"""


@pytest.mark.parametrize("where", ["write", "mark_failed"])
def test_killed_and_resumed(engine, tmp_path, where):
    name = f"killed_{where}"
    settings = ClickHouseSettings.model_validate({"configuration": {"database": name, "views_database": f"{name}_v"}})
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    store.migrate()
    p = FailingPipeline(store, tmp_path / "schemas")
    p.take(*(tracked({"ue_pr": ue({"quantity": n})}, timestamp=NOON + n) for n in range(45)))
    p.publish(cart_schema())
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, name, engine.url, str(Path(tmp_path / "schemas")), where], check=False
    )
    assert done.returncode == -9
    marked = [row for row in p.failed() if row.status == "recovered"]
    assert len(marked) == 20
    totals = p.recover()
    assert totals.rows == totals.recovered == 25
    assert totals.already == (10 if where == "mark_failed" else 0)
    assert store.query(f"SELECT count(), uniqExact(event_id) FROM {name}.events").rows == [[45, 45]]
    assert {row.status for row in p.failed()} == {"recovered"}
    assert p.recover(run="20240501-130000-000002").rows == 0
    store.close()
