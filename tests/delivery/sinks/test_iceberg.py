"""Iceberg tables: each batch one snapshot, once; columns of schemas as they come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyiceberg", reason="pyiceberg, of the extra snowgauge[iceberg], is not installed")

from pyiceberg.catalog import load_catalog

from snowgauge.delivery.contract import Sink
from snowgauge.delivery.sinks.iceberg.settings import IcebergSettings
from snowgauge.delivery.sinks.iceberg.sink import BATCH, IcebergTables
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.store.base import StoreBatch
from snowgauge.testing.events import described, schema_violation, web_page_view
from snowgauge.testing.sink_contract import SinkContract, ids

CART = described("iglu:com.acme/cart/jsonschema/1-0-2", {"total": 12.5})
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")  # of pyiceberg


class Lake:
    """A warehouse in a folder, with its catalog in SQLite."""

    once = True
    ordered = False
    refused: EnrichedEvent | None = web_page_view(99, txn_id=2**40)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.warehouse = folder / "warehouse"
        self.warehouse.mkdir()
        self._given = {
            "catalog": "sql",
            "uri": f"sqlite:///{folder}/catalog.db",
            "warehouse": f"file://{self.warehouse}",
            "kinds": ["good", "failed", "incomplete"],
        }

    def sink(self) -> Sink:
        return IcebergSettings.model_validate(self._given).open("iceberg", self._folder)["iceberg"]

    def table(self, name: str) -> Any:
        catalog = load_catalog("snowgauge", type="sql", uri=self._given["uri"], warehouse=self._given["warehouse"])
        return catalog.load_table(("snowplow", name))

    def event_ids(self) -> list[str]:
        catalog = load_catalog("snowgauge", type="sql", uri=self._given["uri"], warehouse=self._given["warehouse"])
        if not catalog.namespace_exists("snowplow") or not catalog.table_exists(("snowplow", "events")):
            return []
        return [str(one) for one in self.table("events").scan().to_arrow().column("event_id").to_pylist()]

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        self.warehouse.rmdir()
        self.warehouse.write_text("in the way")
        yield
        self.warehouse.unlink()
        self.warehouse.mkdir()


class TestIceberg(SinkContract):
    settings = IcebergSettings
    bad_settings = (
        ({"catalog": "sql", "warehouse": "file:///x"}, "needs its uri"),
        ({"catalog": "sql", "uri": "sqlite:///x"}, "needs a warehouse"),
        ({"catalog": "hive", "uri": "x"}, "rest"),
        ({"namespace": "a.b"}, "pattern"),
    )

    @pytest.fixture
    def place(self, tmp_path: Path) -> Lake:
        return Lake(tmp_path)


def test_tables_are_typed_partitioned_and_grow_with_schemas(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    sink = lake.sink()
    sink.deliver(StoreBatch("p/0", [web_page_view(1, tr_total="10.5", page_title="a\ud800")]))
    before = {field.name for field in lake.table("events").schema().fields}
    assert "contexts_com_acme_cart_1" not in before
    later = web_page_view(2, contexts=[CART], collector_tstamp=web_page_view(1).collector_tstamp + 86_400_000)
    sink.deliver(StoreBatch("p/1", [later, web_page_view(3)], [schema_violation(1)], [web_page_view(4)]))
    sink.close()
    table = lake.table("events")
    assert {field.name for field in table.schema().fields} - before == {"contexts_com_acme_cart_1"}
    rows = {row["event_id"]: row for row in table.scan().to_arrow().to_pylist()}
    assert set(rows) == set(ids(1, 2, 3))
    assert str(rows[ids(1)[0]]["tr_total"]) == "10.50"
    assert rows[ids(1)[0]]["page_title"] == "a?"
    assert rows[ids(1)[0]]["contexts_com_acme_cart_1"] is None
    assert '"total":12.5' in rows[ids(2)[0]]["contexts_com_acme_cart_1"]
    assert [field.name for field in table.spec().fields] == ["day"]
    assert len({str(task.file.partition) for task in table.scan().plan_files()}) == 2
    assert [one.summary.additional_properties[BATCH] for one in table.snapshots()] == ["p/0", "p/1"]
    assert lake.table("failed_events").scan().to_arrow().num_rows == 1
    assert lake.table("incomplete_events").scan().to_arrow().num_rows == 1


def test_several_workers_commit_to_one_table(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.sink().deliver(StoreBatch("p/0", [web_page_view(0)]))
    problems: list[Exception] = []

    def work(worker: int) -> None:
        sink = lake.sink()
        for number in range(3):
            batch = StoreBatch(f"{worker}/{number}", [web_page_view(10 * worker + number)])
            try:
                for _ in range(2):  # each comes again
                    sink.deliver(batch)
            except Exception as error:
                problems.append(error)
        sink.close()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(lake.event_ids()) == sorted(ids(0, 10, 11, 12, 20, 21, 22))


def test_a_commit_whose_answer_was_lost_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path)
    sink = lake.sink()
    assert isinstance(sink, IcebergTables)
    batch = StoreBatch("p/0", [web_page_view(1)])
    append = IcebergTables._append

    def lost(self: IcebergTables, *arguments: Any) -> None:
        append(self, *arguments)
        monkeypatch.setattr(IcebergTables, "_append", append)
        raise ConnectionResetError("the answer was lost")

    monkeypatch.setattr(IcebergTables, "_append", lost)
    with pytest.raises(ConnectionResetError):
        sink.deliver(batch)
    sink.deliver(batch)
    assert lake.event_ids() == ids(1)
