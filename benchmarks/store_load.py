"""Events per second into the store, beside the bare inserts of the same rows in the same run.

    python benchmarks/store_load.py [--events 60000] [--batch 5000]

The limit of the store is the database's own: the same rows, already encoded, sent to the same table by one INSERT per
batch. What lies between the two figures is the work of the Python side (encoding, tokens, ledger).
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from snowgauge.store.base import StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.columns import ATOMIC_COLUMNS
from snowgauge.store.clickhouse.rows import event_row
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


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    own = psutil.Process()
    before, start = own.cpu_times(), time.perf_counter()
    work()
    after = own.cpu_times()
    return time.perf_counter() - start, after.user + after.system - before.user - before.system


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
    table: list[tuple[str, float, float, str]] = []
    try:
        starts = range(0, chosen.events, chosen.batch)
        batches = [
            StoreBatch(f"bench-{at}", [web_page_view(n) for n in range(at, min(at + chosen.batch, chosen.events))])
            for at in starts
        ]
        store = _store(engine, "atomic")
        store.write(StoreBatch("warm-up", [web_page_view(chosen.events + 1)]))
        profile = cProfile.Profile()

        def write() -> None:
            for batch in batches:
                store.write(batch)

        if chosen.profile:
            profile.enable()
        wall, cpu = _timed(write)
        profile.disable()
        table.append(("Store.write", wall, cpu, ""))
        peak = engine.memory()

        bare = _store(engine, "bare")
        writer = bare._ready_writer()
        bare.write(StoreBatch("warm-up", [web_page_view(chosen.events + 1)]))
        used: set[str] = set()
        encoded: list[bytes] = []

        def encode() -> None:
            for batch in batches:
                encoded.append(b"".join([event_row(event, writer.schemas, used) for event in batch.events]))

        wall, cpu = _timed(encode)
        table.append(("encoding alone", wall, cpu, "no database"))
        columns = [*(column.name for column in ATOMIC_COLUMNS), *sorted(used)]

        def insert() -> None:
            for at, rows in enumerate(encoded):
                bare.connection.insert(bare.layout.name("events"), columns, rows, f"t{at}", INSERT_SETTINGS)

        wall, cpu = _timed(insert)
        table.append(("bare INSERT, JSONEachRow", wall, cpu, "rows encoded before"))

        native = _store(engine, "native")
        native.write(StoreBatch("warm-up", [web_page_view(chosen.events + 1)]))
        quoted = ", ".join(f"`{name}`" for name in columns)
        blocks = [
            bare.connection.raw(
                f"SELECT {quoted} FROM {bare.layout.name('events')} ORDER BY collector_tstamp "
                f"LIMIT {chosen.batch} OFFSET {at}",
                "Native",
                settings={"max_block_size": chosen.batch, "preferred_block_size_bytes": 0},
            )
            for at in starts
        ]

        def insert_native() -> None:
            with native.connection._opened() as client:
                for block in blocks:
                    client.raw_insert(native.layout.name("events"), columns, block, fmt="Native")

        wall, cpu = _timed(insert_native)
        table.append(("bare INSERT, Native", wall, cpu, "blocks made by the engine"))
        for one in (store, bare, native):
            one.connection.command(f"OPTIMIZE TABLE {one.layout.name('events')} FINAL")
        disk, plain = store.query(
            "SELECT sum(data_compressed_bytes), sum(data_uncompressed_bytes) FROM system.parts "
            "WHERE active AND database = 'atomic' AND table = 'events'"
        ).rows[0]
        wire = sum(map(len, encoded)) / chosen.events
        limit = min(table[2][1], table[3][1])
        print(f"{chosen.events} events in batches of {chosen.batch}, fsync on\n")
        print(f"{'':28}{'events/s':>12}{'of limit':>10}{'client CPU us/event':>22}")
        for name, wall, cpu, note in table:
            print(
                f"{name:28}{chosen.events / wall:12,.0f}{limit / wall:10.0%}{cpu / chosen.events * 1e6:22.1f}  {note}"
            )
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
