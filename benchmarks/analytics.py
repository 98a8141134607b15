"""How long an analytics page waits: every panel, over modelled visits of a year in the embedded engine.

    python -m benchmarks.analytics [--visits 1000000] [--keep FOLDER] [--runs 3]

The engine makes the modelled rows itself: ``--visits`` are those of 30 days, with about ten events each (one million
stand for ten million events), and the eleven months before have as many together. Each panel is asked some times in a
row, as the console asks it: *first* is the first time, *median* of those after it, *CPU* the processor time of the
engine for one, which says more than the others on a busy machine. With ``--keep`` the store is left in
a folder and used again.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console as Terminal
from rich.table import Table

from snowgauge.analytics.engine import Engine
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess

_NOW = datetime(2026, 3, 31, tzinfo=UTC)
_PIECE = 100_000
_LONG = {"max_execution_time": 0, "max_partitions_per_insert_block": 0, "max_block_size": 16384}
_SOURCES = "['', '', 'Google', 'Google', 'Bing', 'Facebook', 'news.example', 'ChatGPT', 'DuckDuckGo']"
_SESSION = "concat('s', toString(n))"
_PERSON = "concat('p', toString(cityHash64(n) % greatest(1, {total} / 3)))"
_WHEN = "fromUnixTimestamp64Milli(toInt64({first} + cityHash64(n, 'when') % {length}), 'UTC')"
_BOUNCED = "cityHash64(n, 'bounce') % 10 < 4"
_VIEWS = "if(cityHash64(n, 'bounce') % 10 < 4, 1, 2 + cityHash64(n, 'views') % 4)"
_PATH = "concat('/', ['blog', 'product', 'docs', ''][1 + {key} % 4], '/', toString(intDiv({key}, 7) % 400))"
_SHARED = {
    "app_id": "'web'",
    "platform": "'web'",
    "person_id": _PERSON,
    "visitor_id": _PERSON,
    "unit": _SESSION,
    "session_id": _SESSION,
    "model_version": "1",
}
_OF_VISIT = {
    "start_tstamp": _WHEN,
    "source": f"{_SOURCES}[1 + cityHash64(n, 'source') % 9]",
    "channel": "['Direct', 'Organic Search', 'Referral'][1 + cityHash64(n, 'source') % 3]",
    "refr_urlhost": f"lower({_SOURCES}[1 + cityHash64(n, 'source') % 9])",
    "mkt_campaign": "if(cityHash64(n, 'campaign') % 5 = 0, concat('campaign ', toString(n % 20)), '')",
    "geo_country": "['DE', 'US', 'FR', 'IN', 'BR', 'JP', ''][1 + cityHash64(n, 'country') % 7]",
    "geo_city": "concat('City ', toString(cityHash64(n, 'city') % 500))",
    "br_family": "['Chrome', 'Safari', 'Firefox', 'Edge'][1 + cityHash64(n, 'browser') % 4]",
    "os_family": "['Windows', 'iOS', 'Android', 'Linux'][1 + cityHash64(n, 'os') % 4]",
    "dvce_type": "['Desktop', 'Phone', 'Tablet'][1 + cityHash64(n, 'device') % 3]",
    "is_bot": "cityHash64(n, 'bot') % 20 = 0",
}
_SESSIONS = {
    **_SHARED, **_OF_VISIT,
    "end_tstamp": f"{_WHEN} + toIntervalSecond(cityHash64(n, 'duration') % 900)",
    "duration_s": "cityHash64(n, 'duration') % 900", "engaged_s": "cityHash64(n, 'engaged') % 120",
    "views": _VIEWS, "events": "10", "is_bounce": _BOUNCED, "is_new_visitor": "cityHash64(n, 'new') % 2 = 0",
    "entry_path": _PATH.replace("{key}", "cityHash64(n, 1)"), "exit_path": _PATH.replace("{key}", "cityHash64(n, 2)"),
}  # fmt: skip
_PAGE_VIEWS = {
    **_SHARED, **_OF_VISIT,
    "view_id": "concat('v', toString(n), '-', toString(k))", "view_type": "'page'",
    "start_tstamp": f"{_WHEN} + toIntervalSecond(k * 40)", "end_tstamp": f"{_WHEN} + toIntervalSecond(k * 40 + 30)",
    "engaged_s": "cityHash64(n, k, 'engaged') % 60", "scroll_pct": "toFloat32(cityHash64(n, k, 'scroll') % 101)",
    "page_path": _PATH.replace("{key}", "cityHash64(n, k)"), "page_title": _PATH.replace("{key}", "cityHash64(n, k)"),
    "page_urlhost": "'www.example.com'", "view_in_session": "k", "views_in_session": _VIEWS, "is_entry": "k = 1",
    "is_exit": f"k = {_VIEWS}",
}  # fmt: skip
_CONVERSIONS = {
    **{name: value for name, value in _SHARED.items() if name != "platform"},
    "event_id": "reinterpretAsUUID(MD5(concat('c', toString(n))))",
    "goal": "['Signup', 'Buy', 'Newsletter'][1 + n % 3]", "t": f"{_WHEN} + toIntervalSecond(90)",
    "view_id": "concat('v', toString(n), '-1')", "value": "if(n % 3 = 1, toDecimal64(20 + n % 80, 2), NULL)",
    "currency": "'EUR'",
}  # fmt: skip
_WEB_VITALS = {
    **{name: value for name, value in _SHARED.items() if name not in ("platform", "person_id", "visitor_id")},
    "event_id": "reinterpretAsUUID(MD5(concat('w', toString(n))))", "view_id": "concat('v', toString(n), '-1')",
    "t": f"{_WHEN} + toIntervalSecond(40)", "page_path": _PATH.replace("{key}", "cityHash64(n, 1)"),
    "dvce_type": "'Desktop'", "lcp": "toFloat32(800 + cityHash64(n, 'lcp') % 4000)",
    "inp": "toFloat32(cityHash64(n, 'inp') % 400)", "cls": "toFloat32(cityHash64(n, 'cls') % 100) / 300",
}  # fmt: skip
_TABLES: dict[str, tuple[dict[str, str], str]] = {
    "sessions": (_SESSIONS, ""),
    "page_views": (_PAGE_VIEWS, f"ARRAY JOIN range(1, toUInt32({_VIEWS}) + 1) AS k"),
    "conversions": (_CONVERSIONS, "WHERE n % 25 = 0"),
    "web_vitals": (_WEB_VITALS, "WHERE n % 2 = 0"),
}
_MONTH: dict[str, Any] = {"date_range": ["2026-03-01", "2026-03-30"], "timezone": "Europe/Berlin", "app": "web"}
_YEAR: dict[str, Any] = {**_MONTH, "date_range": ["2025-04-01", "2026-03-30"]}
_TEN: dict[str, Any] = {"pagination": {"limit": 10}, "include": {"total_rows": True, "coverage": False}}
_BESIDE: dict[str, Any] = {"include": {"comparisons": {"mode": "previous_period"}}}
_TOP = ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration"]
PANELS: dict[str, dict[str, Any]] = {
    "top figures, compared": {**_MONTH, **_BESIDE, "metrics": _TOP},
    "top figures with goals": {**_MONTH, "metrics": [*_TOP, "conversion_rate", "total_revenue"]},
    "chart by day, compared": {**_MONTH, **_BESIDE, "metrics": ["visitors"], "dimensions": ["time:day"]},
    "sources": {**_MONTH, **_TEN, "metrics": ["visitors", "bounce_rate"], "dimensions": ["visit:source"]},
    "channels": {**_MONTH, **_TEN, "metrics": ["visitors", "percentage"], "dimensions": ["visit:channel"]},
    "pages": {**_MONTH, **_TEN, "metrics": ["visitors", "pageviews"], "dimensions": ["event:page"]},
    "pages with everything": {
        **_MONTH, **_TEN, "dimensions": ["event:page"],
        "metrics": ["visitors", "pageviews", "bounce_rate", "time_on_page", "scroll_depth"],
    },
    "entry pages": {**_MONTH, **_TEN, "metrics": ["visits", "bounce_rate"], "dimensions": ["visit:entry_page"]},
    "countries": {**_MONTH, **_TEN, "metrics": ["visitors"], "dimensions": ["visit:country"]},
    "browsers": {**_MONTH, **_TEN, "metrics": ["visitors"], "dimensions": ["visit:browser"]},
    "goals": {
        **_MONTH, **_TEN, "metrics": ["converters", "conversions", "conversion_rate"], "dimensions": ["event:goal"]
    },
    "web vitals by page": {**_MONTH, **_TEN, "metrics": ["lcp_p75", "vitals_samples"], "dimensions": ["event:page"]},
    "week by hour": {**_MONTH, "metrics": ["visits"], "dimensions": ["time:day_of_week", "time:hour_of_day"]},
    "bots": {**_MONTH, **_TEN, "traffic": "bots", "metrics": ["visits"], "dimensions": ["visit:browser"]},
    "top figures of visits with a page": {
        **_MONTH, "metrics": ["visitors", "visits"], "filters": [["contains", "event:page", ["/docs/"]]]
    },
    "pages of visits from Google in Germany": {
        **_MONTH, **_TEN, "metrics": ["visitors", "pageviews"], "dimensions": ["event:page"],
        "filters": [["is", "visit:source", ["Google"]], ["is", "visit:country", ["DE"]]],
    },
    "suggestions for a page": {
        **_MONTH, "metrics": ["visits"], "dimensions": ["event:page"], "pagination": {"limit": 25},
        "filters": [["contains", "event:page", ["/prod"], {"case_sensitive": False}]],
    },
    "a year: top figures of visits": {**_YEAR, "metrics": ["visitors", "visits", "bounce_rate", "visit_duration"]},
    "a year: chart by week": {**_YEAR, "metrics": ["visitors"], "dimensions": ["time:week"]},
    "a year: sources": {**_YEAR, **_TEN, "metrics": ["visitors"], "dimensions": ["visit:source"]},
}  # fmt: skip


def build(store: ClickHouseStore, visits: int) -> None:
    """Modelled rows of 30 days, and as many of the eleven months before."""
    store.migrate()
    if int(store.query("SELECT count() FROM derived.sessions").rows[0][0]):
        return
    started = time.perf_counter()
    end = int(_NOW.timestamp() * 1000)
    month = 30 * 86_400_000
    for first, length, begin in ((end - month, month, 0), (end - 12 * month, 11 * month, visits)):
        # a day at a time would be one partition an insert; pieces of visits are many, so each takes a share of the days
        for piece in range(begin, begin + visits, _PIECE):
            count = min(_PIECE, begin + visits - piece)
            for name, (columns, rest) in _TABLES.items():
                values = {"first": first, "length": length, "total": 2 * visits}
                selected = ", ".join(f"{_filled(value, values)} AS `{column}`" for column, value in columns.items())
                listed = ", ".join(f"`{column}`" for column in columns)
                store.connection.command(
                    f"INSERT INTO derived.{name} ({listed}) SELECT {selected} FROM "
                    f"(SELECT {piece} + number AS n FROM numbers({count})) {_filled(rest, values)}",
                    _LONG,
                )
    for name in _TABLES:
        store.connection.command(f"OPTIMIZE TABLE derived.{name} FINAL", _LONG)
    rows = {name: store.query(f"SELECT count() FROM derived.{name}").rows[0][0] for name in _TABLES}
    print(f"{', '.join(f'{count:,} {name}' for name, count in rows.items())} in {time.perf_counter() - started:.0f} s")


def _filled(text: str, values: dict[str, int]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp())
    process = EngineProcess(folder / "engine").start()
    try:
        settings = ClickHouseSettings()
        store = ClickHouseStore(settings, engine_connection(settings, process.url))
        build(store, options.visits)
        _measure(store, process.pid, options.runs)
        store.close()
    finally:
        process.stop()
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _measure(store: ClickHouseStore, pid: int, runs: int) -> None:
    now = int(_NOW.timestamp() * 1000)
    engine = Engine(store.figures, clock=lambda: now)
    table = Table("panel", "first ms", "median ms", "CPU ms", "rows", title="panels, through the engine")
    process = psutil.Process(pid)

    def processor() -> float:
        times = process.cpu_times()
        return float(times.user + times.system) * 1000

    for name, asked in PANELS.items():
        took = []
        rows = 0
        before = 0.0
        for run in range(runs + 1):
            before = processor() if run == 1 else before
            started = time.perf_counter()
            rows = len(engine.ask(read(asked, Surroundings(now)), asked).results)
            took.append((time.perf_counter() - started) * 1000)
        spent = (processor() - before) / runs
        table.add_row(name, f"{took[0]:,.0f}", f"{statistics.median(took[1:]):,.0f}", f"{spent:,.0f}", f"{rows:,}")
    Terminal(width=120).print(table)


if __name__ == "__main__":
    main()
