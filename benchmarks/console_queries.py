"""How long the console waits: every question its pages ask, over millions of events in the embedded engine.

    python -m benchmarks.console_queries [--events 10000000] [--keep FOLDER] [--runs 3]

A part of the events comes from the demo's visitors through the pipeline; the engine multiplies them, with new ids,
other people and other times, and without the JSON columns of schemas, which no question of the console reads.
Questions go through the API, as the console's do, each some times in a row: *first* is the first time, *median* of
those after it. Pages are opened in Chromium, where there is one. With ``--keep`` the store is left in a folder and used
again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
from rich.console import Console as Terminal
from rich.table import Table

from snowgauge.console.site import STATIC, Console
from snowgauge.store.base import Selection
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.columns import ATOMIC_COLUMNS
from snowgauge.store.clickhouse.layout import FAILED_COLUMNS, TableName
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.console import PrivatePort, listening
from snowgauge.testing.demo import seed_demo
from snowgauge.testing.engine import EngineProcess

_DAYS = 30
_EVENTS_PER_VISITOR = 21.5
_APPS = ("snowgauge-demo", "shop", "shop-app", "journal")
PRODUCT = "contexts/com.snowplowanalytics.snowplow.ecommerce/product/1"
RARE = ["geo_country:AU", "mkt_medium:cpc"]
_LONG = {
    "max_execution_time": 0,
    "max_partitions_per_insert_block": 0,
    "min_insert_block_size_rows": 250_000,
    "min_insert_block_size_bytes": 500_000_000,
    "max_block_size": 2048,
    "prefer_column_name_to_alias": 1,
}


def build(store: ClickHouseStore, folder: Path, events: int) -> None:
    """Visits through the pipeline, then as many copies as it takes."""
    store.migrate()
    started = time.perf_counter()
    seeded = store.count("good", Selection())
    if not seeded:
        seed_demo(store, folder, visitors=int(min(max(events // 20, 2_000), 200_000) / _EVENTS_PER_VISITOR), days=_DAYS)
        seeded = store.count("good", Selection())
        print(f"{seeded:,} events through the pipeline in {time.perf_counter() - started:.0f} s")
    copies = round(events / seeded)
    tables: tuple[TableName, ...] = ("events", "incomplete_events", "failed_events")
    for table in tables if copies > 1 else ():
        _multiply(store, table, copies)
        print(f"{table}: times {copies} after {time.perf_counter() - started:.0f} s")


def _multiply(store: ClickHouseStore, table: TableName, copies: int) -> None:
    """Copies of everything: other people, in other applications, each copy some minutes earlier than the last."""
    columns = FAILED_COLUMNS if table == "failed_events" else ATOMIC_COLUMNS
    other = {name: f"if({name} = '', '', toString(reinterpretAsUUID(MD5(concat({name}, toString(copy))))))" for name in
             ("domain_userid", "domain_sessionid")}  # fmt: skip
    if table != "failed_events":  # the session is told by an entity, too
        other["contexts"] = "contexts"
        for name in ("domain_userid", "domain_sessionid"):
            other["contexts"] = f"replaceAll({other['contexts']}, {name}, {other[name]})"
    other["app_id"] = f"{list(_APPS)}[copy % {len(_APPS)} + 1]"
    other["id" if table == "failed_events" else "event_id"] = "generateUUIDv4(copy)"
    for column in columns:
        if "DateTime" in column.type and column.name != "load_tstamp":
            other[column.name] = f"`{column.name}` - toIntervalMinute(copy * 13)"
    names = [column.name for column in columns if column.name != "load_tstamp"]
    selected = ", ".join(f"{other[name]} AS `{name}`" if name in other else f"`{name}`" for name in names)
    listed = ", ".join(f"`{name}`" for name in names)
    source = store.layout.name(table)
    store.connection.command(
        f"INSERT INTO {source} ({listed}) SELECT {selected} FROM (SELECT * FROM {source}) ARRAY JOIN "
        f"range(1, {copies}) AS copy",
        _LONG,
    )


def settle(store: ClickHouseStore, seconds: float = 900) -> None:
    """Wait until the engine has merged what it wants to merge."""
    until = time.monotonic() + seconds
    quiet = 0
    while time.monotonic() < until and quiet < 4:
        merging = int(store.query("SELECT count() FROM system.merges").rows[0][0])
        quiet = 0 if merging else quiet + 1
        time.sleep(2)


def questions(client: httpx.Client) -> dict[str, Callable[[], httpx.Response]]:
    """By the page that asks."""

    def get(path: str, **query: Any) -> Callable[[], httpx.Response]:
        return lambda: client.get("/api/v1" + path, params=query)

    def sql(text: str) -> Callable[[], httpx.Response]:
        return lambda: client.post("/api/v1/sql", json={"sql": text})

    newest = client.get("/api/v1/events", params={"limit": 1, "status": "good"}).json()["rows"][0]["id"]
    cause = client.get("/api/v1/failed/causes", params={"range": "all"}).json()["causes"][0]
    columns = "app_id,event_name,page_url,user_id"
    return {
        "Start: ticks": get("/first-run/ticks"),
        "Start: last 30 minutes": get("/timeline", seconds=60, buckets=30),
        "Live: newest events": get("/events", columns=columns, limit=60),
        "Live: newest, of one app": get("/events", columns=columns, limit=60, where="app_id:journal"),
        "Live: newest, a rare filter": get("/events", columns=columns, limit=60, where=RARE),
        "Live: one user, all time": get("/events", columns=columns, limit=60, where="user_id:customer-00023"),
        "Live: search": get("/events", columns=columns, limit=60, search="window-thermometer"),
        "Live: search that finds nothing": get("/events", columns=columns, limit=60, search="no such thing"),
        "Live: search for an id": get("/events", columns=columns, limit=60, search=newest),
        "Live: page 20": get("/events", columns=columns, limit=60, offset=1200),
        "Live: one event": get(f"/events/good/{newest}"),
        "Live: newest with an entity": get("/events", columns=columns, limit=60, where=f"{PRODUCT}:+"),
        "Live: count with an entity, 7 days": get("/count", range="7d", where=f"{PRODUCT}:+"),
        "Live: count with a property, 7 days": get("/count", range="7d", where=f"{PRODUCT}/category:instruments"),
        "Live: columns inside of events, 24 h": get("/columns/nested"),
        "Live: columns inside of events, 30 days": get("/columns/nested", range="30d"),
        "Live: count, 24 h": get("/count"),
        "Live: count, 7 days": get("/count", range="7d"),
        "Live: count, 30 days": get("/count", range="30d"),
        "Live: count, all": get("/count", range="all"),
        "Live: count of one app, all": get("/count", range="all", where="app_id:shop"),
        "Live: timeline, 7 days by hour": get("/timeline", seconds=3600, buckets=168),
        "Live: timeline, 30 days by day": get("/timeline", seconds=86400, buckets=30),
        "Live: values of event_name, 24 h": get("/columns/event_name/values"),
        "Live: values of page_url, 7 days": get("/columns/page_url/values", range="7d"),
        "Live: values of geo_country, all": get("/columns/geo_country/values", range="all"),
        "Live: values of domain_userid, all": get("/columns/domain_userid/values", range="all"),
        "Failed: causes, 7 days": get("/failed/causes"),
        "Failed: causes, all": get("/failed/causes", range="all"),
        "Failed: examples": get(f"/failed/causes/{quote(cause['id'], safe='')}/examples"),
        "X-ray of a good event": get(f"/xray/{newest}"),
        "X-ray of a failed event": get(f"/xray/{cause['example_id']}"),
        "Schemas: catalogue": get("/schemas"),
        "SQL: tables": get("/sql/tables"),
        "SQL: events by day": sql(
            "SELECT toDate(collector_tstamp) AS day, count() FROM atomic.events GROUP BY day ORDER BY day"
        ),
        "SQL: pages by visitors, 30 days": sql(
            "SELECT page_urlpath, count() AS views, uniq(domain_userid) AS visitors FROM atomic.events "
            "WHERE event_name = 'page_view' GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
        ),
        "SQL: the last ten events": sql("SELECT * FROM atomic.events ORDER BY collector_tstamp DESC LIMIT 10"),
        "Health: parts and capacity": get("/health"),
        "Health: checks": get("/health/checks"),
    }  # fmt: skip


PAGES = {
    "Start": "/start", "Live": "/live", "Failed": "/failed", "X-ray": "/xray", "SQL": "/sql", "Schemas": "/schemas",
    "Health": "/state", "Access": "/access",
}  # fmt: skip


def paint(url: str, runs: int) -> list[tuple[str, float, float]]:
    """First contentful paint of each page, and until its last answer is there, in ms."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("SNOWGAUGE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not (STATIC / "index.html").is_file():
        print("no Chromium here, or the console is not built: pages are not measured")
        return []
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, path in PAGES.items():
            paints, settled = [], []
            for _ in range(runs):
                tab = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
                tab.goto(url + path)
                tab.wait_for_selector("h1", state="attached")
                tab.wait_for_load_state("networkidle")
                paints.append(tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
                settled.append(
                    tab.evaluate(
                        "Math.max(...performance.getEntriesByType('resource').filter(e => e.name.includes('/api/'))"
                        ".map(e => e.responseEnd))"
                    )
                )
                tab.context.close()
            found.append((name, statistics.median(paints), statistics.median(settled)))
        browser.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--keep", type=Path, help="a folder to keep the store in, and to use again")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="only questions whose name holds this; `pages`: only those")
    chosen = parser.parse_args()
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="snowgauge-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    settings = ClickHouseSettings.model_validate({"insert_timeout": "3 h"})
    engine = EngineProcess(folder / "engine", memory_limit=12_000_000_000, query_memory_limit=6_000_000_000).start()
    try:
        store = ClickHouseStore(settings, engine_connection(settings, engine.url))
        build(store, folder, chosen.events)
        settle(store)
        store.close()
    finally:
        engine.stop()
    engine = EngineProcess(folder / "engine").start()  # with the memory it has by default
    store = ClickHouseStore(settings, engine_connection(settings, engine.url))
    try:
        port = PrivatePort(folder, store=store, site=Console())
        with listening(port.app) as url, httpx.Client(base_url=url, timeout=120) as client:
            good = store.count("good", Selection())
            disk = store.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'atomic'").rows
            table = Table(title=f"{good:,} events, {int(disk[0][0]) / good:.0f} bytes each on disk", box=None)
            for heading in ("question", "first, ms", "median, ms"):
                table.add_column(heading, justify="left" if heading == "question" else "right")
            for name, ask in questions(client).items():
                if chosen.only in name:
                    first, median = _asked(ask, chosen.runs)
                    mark = " [bold]*[/]" if median > 1000 else ""
                    table.add_row(name + mark, f"{first:,.0f}", f"{median:,.0f}")
            pages = Table(title="pages in Chromium", box=None)
            for heading in ("page", "first paint, ms", "last answer, ms"):
                pages.add_column(heading, justify="left" if heading == "page" else "right")
            for page, painted, settled in paint(url, chosen.runs) if chosen.only in ("", "pages") else ():
                pages.add_row(page, f"{painted:,.0f}", f"{settled:,.0f}")
        terminal = Terminal(width=100)
        terminal.print(table)
        terminal.print(pages)
        print(f"engine memory {engine.memory() >> 20} MB; load of the machine {psutil.getloadavg()[0]:.1f}")
        port.close()
    finally:
        engine.stop()
        if chosen.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _asked(ask: Callable[[], httpx.Response], runs: int) -> tuple[float, float]:
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - started) * 1000)
        answer.raise_for_status()
    return times[0], statistics.median(times[1:])


if __name__ == "__main__":
    main()
