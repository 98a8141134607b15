"""How fast a CloudFront log is imported, with exact totals; memory must not grow with the log.

Usage: python -m benchmarks.import_cloudfront [lines]        (default: a million)
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from benchmarks._aims import note
from snowgauge.actions.imports.access_log import AccessLogReader, TrackingPaths
from snowgauge.actions.imports.cloudfront import CloudFrontImport
from snowgauge.actions.imports.files import local_files
from snowgauge.actions.imports.into_log import IntoLog
from snowgauge.actions.imports.ledger import Ledger
from snowgauge.actions.imports.totals import Totals
from snowgauge.delivery.spool import SpoolLog
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.cloudfront import log_line, write_log

_EVENT_ID = "00000000-0000-4000-8000-%012d"


def lines(count: int) -> Iterator[str]:
    """One in ten is not ours, one in a hundred comes a second time, one in a thousand is unreadable."""
    query = urlencode(
        {
            "e": "pv",
            "p": "web",
            "aid": "shop",
            "tv": "js-4.6.8",
            "eid": "EVENT",
            "url": "https://shop.example/products/17?ref=mail",
            "page": "A product with a name",
            "dtm": "1714557600000",
        }
    )
    template = log_line(query, referer="https://shop.example/", request_id="REQUEST")
    for n in range(count):
        at = n - 1 if n % 100 == 9 else n
        line = template.replace("EVENT", _EVENT_ID % at).replace("REQUEST", f"{at:056d}")
        if n % 10 == 3:
            line = line.replace("\t/i\t", "\t/static/sp.js\t")
        yield f"garbage {n}" if n % 1000 == 7 else line


def run(folder: Path, log: Path) -> tuple[Totals, float, float]:
    totals = Totals()
    started, used = time.perf_counter(), time.process_time()
    with Ledger(folder / "imports") as ledger:
        sink = IntoLog(
            ledger,
            SpoolLog(folder / "spool", min_free_bytes=0),
            MemoryStore,
            totals,
            loader="cloudfront",
            collector="cloudfront",
        )
        CloudFrontImport(AccessLogReader(TrackingPaths()), ledger, sink, totals).run(local_files(log))
        sink.close()
    return totals, time.perf_counter() - started, time.process_time() - used


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    base = Path("bench-data")
    base.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=base))
    try:
        log = folder / "log.gz"
        write_log(log, lines(count))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        totals, seconds, cpu = run(folder, log)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        expected = Totals(
            files=1,
            lines=count,
            events=count - count // 10 - count // 100 - count // 1000,
            repeated=count // 100,
            not_ours=count // 10,
            unreadable=count // 1000,
        )
        if totals != expected:
            raise SystemExit(f"wrong totals: {totals}, expected {expected}")
        shutil.copy(log, folder / "copy.gz")
        again, seconds_again, _ = run(folder, folder / "copy.gz")
        if again.events or again.unreadable:
            raise SystemExit(f"a copy added something: {again}")
        note(cloudfront_lines=count / seconds)
        print(f"| import of {count:,} lines | lines/s | lines/s of CPU | MiB before | MiB after |")
        print("|---|---|---|---|---|")
        print(f"| new | {count / seconds:,.0f} | {count / cpu:,.0f} | {before:.0f} | {after:.0f} |")
        print(f"| a copy | {count / seconds_again:,.0f} | | | |")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
