"""What modelled tables cost: a rebuild of everything, and the work of one minute, in processor time per event.

    python -m benchmarks.modelling [--events 1000000] [--keep FOLDER]

The events are the demo's visitors, multiplied by the engine with other people and other times. Processor time counts
for the modeller and for the engine apart; the machine may be busy.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console as Terminal
from rich.table import Table

from benchmarks.console_queries import build
from snowgauge.modelling.applications import Application
from snowgauge.modelling.events import DAY_MS
from snowgauge.modelling.modeller import Modeller
from snowgauge.modelling.store import units_of
from snowgauge.modelling.tables import PAGE_VIEWS, SESSIONS, USERS
from snowgauge.store.base import Selection
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess


class Cost:
    """Processor seconds of this process and of the engine since it was made."""

    def __init__(self, engine: psutil.Process) -> None:
        self._engine = engine
        self._started = time.process_time(), self._of_engine(), time.perf_counter()

    def _of_engine(self) -> float:
        times = self._engine.cpu_times()
        return float(times.user + times.system)

    def row(self, what: str, events: int) -> tuple[str, ...]:
        own, engine, began = self._started
        used, there = time.process_time() - own, self._of_engine() - engine
        per = 1e6 / max(events, 1)
        return (
            what,
            f"{events:,}",
            f"{used * per:.0f} µs",
            f"{there * per:.0f} µs",
            f"{events / max(used + there, 1e-9):,.0f}",
            f"{time.perf_counter() - began:.1f} s",
        )


def measure(store: ClickHouseStore, engine: psutil.Process, shown: Table) -> None:
    model = store.modelling()
    applications = {"": Application()}
    modeller = Modeller(model, lambda: applications)
    cost = Cost(engine)
    modeller.run()
    modeller.begin_rebuild()
    while modeller.rebuild_next():
        pass
    events = store.count("good", Selection())
    shown.add_row(*cost.row("rebuild, day by day", events))
    last = model.last_collected(2**62 // 10**6)
    assert last is not None
    for minutes in (1, 10, 60):
        found = model.collected(last - minutes * 60_000, last + 1)
        units = units_of(found)
        cost = Cost(engine)
        ran = modeller.redo(units, applications, modeller.state.read())
        shown.add_row(*cost.row(f"visits of {minutes} min ({len(units):,}) again", ran.events))
    cost = Cost(engine)
    model.stored_since(model.now() - 600_000)
    shown.add_row(*cost.row("looking what was stored in 10 min", max(1, len(found))))
    for table in (SESSIONS, PAGE_VIEWS, USERS):
        name = f"`{store.layout.settings.derived_database}`.`{table.name}`"
        rows, size = store.connection.rows(
            "SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = {d:String} "
            "AND table = {t:String}",
            {"d": store.layout.settings.derived_database, "t": table.name},
        )[0]
        print(f"{name}: {int(rows):,} rows, {int(size) / 1e6:,.1f} MB")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--keep", type=Path)
    chosen = options.parse_args()
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="snowgauge-modelling-"))
    settings = ClickHouseSettings()
    # making the events takes more memory than modelling them, which has the engine's default
    process = EngineProcess(folder / "data", sync=False, memory_limit=8_000_000_000).start()
    try:
        store = ClickHouseStore(settings, engine_connection(settings, process.url))
        build(store, folder, chosen.events)
        store.close()
    finally:
        process.stop()
    process = EngineProcess(folder / "data", sync=False).start()
    try:
        store = ClickHouseStore(settings, engine_connection(settings, process.url))
        shown = Table(box=None, pad_edge=False)
        for name in ("what", "events", "modeller, per event", "engine, per event", "events per CPU-s", "on the clock"):
            shown.add_column(name, justify="left" if name == "what" else "right")
        measure(store, psutil.Process(process.pid), shown)
        Terminal(width=140).print(shown)
        days = chosen.events / 30 / DAY_MS * 1000
        print(f"{days:.1f} events a second on average; memory {psutil.Process().memory_info().rss / 1e6:,.0f} MB")
        store.close()
    finally:
        process.stop()
        if chosen.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
