"""Events per second into the store, beside the bare inserts of the same rows in the same run.

    python benchmarks/store_load.py [--events 60000] [--batch 5000]

The limit of the store is the database's own: the same rows in the same columns, JSON columns included, as blocks that
the engine itself made of them, sent to a table of the same layout by one INSERT per batch with the same settings. The
row between says what ours cost the engine alone.
Processor time is that of client and engine; on a busy machine it says more than the rate.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks._aims import note
from snowgauge.store.base import StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.blocks import Block, block
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.clickhouse.writer import INSERT_SETTINGS
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import web_page_view


def _store(engine: EngineProcess, database: str) -> ClickHouseStore:
    settings = ClickHouseSettings.model_validate(
        {"configuration": {"database": database, "tables": {"snowplow": {"enabled": False}}}}
    )
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    store.migrate()
    return store


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _timed(work: Callable[[], None], engine: EngineProcess) -> tuple[float, float, float]:
    """Seconds by the clock, of this process, and of the engine."""
    own, other = psutil.Process(), psutil.Process(engine.pid)
    before, start = (_cpu(own), _cpu(other)), time.perf_counter()
    work()
    return time.perf_counter() - start, _cpu(own) - before[0], _cpu(other) - before[1]


def _insert(store: ClickHouseStore, blocks: list[Block]) -> None:
    for at, (columns, data) in enumerate(blocks):
        store.connection.insert(store.layout.name("events"), columns, data, f"t{at}", INSERT_SETTINGS, "Native")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--profile", action="store_true", help="print where the Python side spends its time")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="snowgauge-bench-"))
    engine = EngineProcess(folder / "data")
    start = time.perf_counter()
    engine.start()
    ready = time.perf_counter() - start
    idle = engine.memory()
    table: list[tuple[str, tuple[float, float, float], str]] = []
    try:
        starts = range(0, chosen.events, chosen.batch)
        batches = [
            StoreBatch(f"bench-{at}", [web_page_view(n) for n in range(at, min(at + chosen.batch, chosen.events))])
            for at in starts
        ]
        store = _store(engine, "atomic")
        store.write(StoreBatch("warm-up", [web_page_view(chosen.events + 1)]))
        gc.freeze()  # as a worker does: what is held here is not to be looked through again and again
        profile = cProfile.Profile()

        def write() -> None:
            for batch in batches:
                store.write(batch)

        if chosen.profile:
            profile.enable()
        spent = _timed(write, engine)
        profile.disable()
        table.append(("Store.write", spent, ""))
        peak = engine.memory()

        bare = _store(engine, "bare")
        schemas = bare._ready_writer().schemas
        bare.write(StoreBatch("warm-up", [web_page_view(chosen.events + 1)]))
        blocks: list[Block] = []
        spent = _timed(lambda: blocks.extend(block(batch.events, schemas) for batch in batches), engine)
        table.append(("making blocks alone", spent, "no database"))
        spent = _timed(lambda: _insert(bare, blocks), engine)
        table.append(("bare INSERT of these", spent, "what the engine does with our blocks"))

        native = _store(engine, "native")
        native.write(StoreBatch("warm-up", [web_page_view(chosen.events + 1)]))
        columns = blocks[0].columns
        quoted = ", ".join(f"`{name}`" for name in columns)
        own = [
            Block(
                columns,
                bare.connection.raw(
                    f"SELECT {quoted} FROM {bare.layout.name('events')} ORDER BY collector_tstamp "
                    f"LIMIT {chosen.batch} OFFSET {at}",
                    "Native",
                    settings={"max_block_size": chosen.batch, "preferred_block_size_bytes": 0},
                ),
            )
            for at in starts
        ]
        spent = _timed(lambda: _insert(native, own), engine)
        table.append(("bare INSERT, Native", spent, "the limit: blocks of the engine's own making"))
        for one in (store, bare, native):
            one.connection.command(f"OPTIMIZE TABLE {one.layout.name('events')} FINAL")
        disk, plain = store.query(
            "SELECT sum(data_compressed_bytes), sum(data_uncompressed_bytes) FROM system.parts "
            "WHERE active AND database = 'atomic' AND table = 'events'"
        ).rows[0]
        wire = sum(len(one.data) for one in blocks) / chosen.events
        limit = table[-1][1]
        print(f"{chosen.events} events in batches of {chosen.batch}, fsync on\n")
        print(f"{'':24}{'events/s':>10}{'of limit':>10}{'client us':>11}{'engine us':>11}{'of limit, by CPU':>18}")
        for name, (wall, client, server), remark in table:
            per_event = [seconds / chosen.events * 1e6 for seconds in (client, server)]
            by_cpu = (limit[1] + limit[2]) / max(client + server, 0.01)  # a clock tick
            print(
                f"{name:24}{chosen.events / wall:10,.0f}{limit[0] / wall:10.0%}"
                f"{per_event[0]:11.1f}{per_event[1]:11.1f}{by_cpu:18.0%}  {remark}"
            )
        own_time = table[0][1]
        note(clickhouse_share=(limit[1] + limit[2]) / (own_time[1] + own_time[2]) * 100)
        print(
            f"\nbytes per event: {wire:,.0f} sent, {disk / chosen.events:,.0f} on disk ({plain / disk:.1f}x compressed)"
        )
        print(f"engine: ready in {ready:.1f} s, memory idle {idle >> 20} MB, after loading {peak >> 20} MB, "
              f"at the end {engine.memory() >> 20} MB")  # fmt: skip
        if chosen.profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(18)
        for one in (store, bare, native):
            one.close()
    finally:
        engine.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
