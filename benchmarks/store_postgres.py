"""How fast the PostgreSQL store loads, beside a bare COPY of the very rows it wrote, in the same run.

    python benchmarks/store_postgres.py [--events 40000] [--batch 5000] [--workers 1] [--url postgresql://...]

Without ``--url`` a server of its own is started, with its settings for durability as PostgreSQL has them. The bare
COPY sends the same bytes to the same tables with the same indexes, from one connection, one transaction per batch:
what the database itself can do with these rows. ``store`` includes laying events out as rows. What it costs to look
for events that were sent twice is the ratio of two loads one after the other, the median of three.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._aims import note
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import StoreBatch
from snowgauge.store.postgres import writer as writer_module
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.events import web_page_view
from snowgauge.testing.postgres import PostgresServer, drop_database, new_database

ROUNDS = 3


def opened(url: str, *, duplicate_window: str = "7 days") -> PostgresStore:
    settings = PostgresSettings(duplicate_window=duplicate_window)  # type: ignore[arg-type]
    return PostgresStore(url, settings, build(IgluSettings(iglu_central=False), None)[0])


def batches(events: int, size: int) -> list[StoreBatch]:
    return [
        StoreBatch(f"b{start}", [web_page_view(n) for n in range(start, min(start + size, events))])
        for start in range(0, events, size)
    ]


def load(url: str, todo: list[StoreBatch], *, duplicate_window: str = "7 days") -> float:
    store = opened(url, duplicate_window=duplicate_window)
    store.ready()
    gc.freeze()  # a worker holds one batch, not all of them: they are not to be looked through again and again
    start = time.perf_counter()
    for batch in todo:
        store.write(batch)
    seconds = time.perf_counter() - start
    store.close()
    return seconds


def part(arguments: tuple[str, int, int, int, int]) -> tuple[float, float]:
    url, events, size, worker, workers = arguments
    todo = batches(events, size)[worker::workers]
    start = time.time()
    load(url, todo)
    return start, time.time()


def recorded(todo: list[StoreBatch], url: str) -> list[list[tuple[str, bytes]]]:
    """The COPY statements and bytes of each batch, taken down while a store writes them."""
    store, sent = opened(url), []
    real = writer_module._copy

    def copy(connection: Any, statement: str, lines: bytes) -> None:
        sent[-1].append((statement, lines))
        real(connection, statement, lines)

    writer_module._copy = copy
    try:
        for batch in todo:
            sent.append([])
            store.write(batch)
    finally:
        writer_module._copy = real
        store.close()
    return sent


def bare(url: str, sent: list[list[tuple[str, bytes]]]) -> float:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        start = time.perf_counter()
        for statements in sent:
            with connection.transaction():
                for statement, lines in statements:
                    with connection.cursor() as cursor, cursor.copy(statement) as copy:
                        copy.write(lines)
        return time.perf_counter() - start


def bytes_on_disk(url: str) -> int:
    store = opened(url)
    size = int(store.status()["bytes"])
    store.close()
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--url", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = None
        url = chosen.url
        if not url:
            durable = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "max_wal_size": "4GB"}
            server = PostgresServer(Path(folder) / "data", **durable).start()
            url = server.url
        try:
            run(url, chosen.events, chosen.batch, chosen.workers)
        finally:
            if server is not None:
                server.stop()


def run(server: str, events: int, size: int, workers: int) -> None:
    todo = batches(events, size)
    databases = [new_database(server) for _ in range(4 + 2 * ROUNDS)]
    for url in databases:
        store = opened(url)
        store.migrate()
        # every table there before the clock runs; the time of making tables is not the subject
        store.write(StoreBatch("first", [web_page_view(10**7)]))
        store.close()
    empty = bytes_on_disk(databases[0])
    sent = recorded(todo, databases[0])
    by_copy = bare(databases[1], sent)
    by_store = load(databases[2], todo)
    ratios = []
    for looking, blind in zip(databases[4::2], databases[5::2], strict=True):
        ratios.append(load(looking, todo) / load(blind, todo, duplicate_window="0 s"))
    disk = bytes_on_disk(databases[2]) - empty
    wire = sum(len(lines) for statements in sent for _, lines in statements)
    print(f"{events} events with 3 entities each, batches of {size}, {os.cpu_count()} cores")
    print(f"{'':24}{'events/s':>10}{'seconds':>10}")
    print(f"{'bare COPY':24}{events / by_copy:10.0f}{by_copy:10.2f}")
    print(f"{'store, 1 worker':24}{events / by_store:10.0f}{by_store:10.2f}   {by_store / by_copy:.2f} x bare COPY")
    note(postgres_times=by_store / by_copy)
    shown = ", ".join(f"{ratio:.2f}" for ratio in sorted(ratios))
    print(f"time with the look for events sent twice, by the time without it: {median(ratios):.2f} (of {shown})")
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            spans = list(pool.map(part, [(databases[3], events, size, n, workers) for n in range(workers)]))
        seconds = max(end for _, end in spans) - min(start for start, _ in spans)
        print(f"{f'store, {workers} workers':24}{events / seconds:10.0f}{seconds:10.2f}")
    print(f"{wire / events:.0f} bytes per event sent, {disk / events:.0f} on disk with indexes")
    for url in databases:
        drop_database(url)


if __name__ == "__main__":
    main()
