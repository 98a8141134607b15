"""Every figure that console and agent API show, against SQL written by hand, over a store of the demo's visitors.

The store holds some events twice, as trackers send them twice, and one failure in two versions.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from snowgauge.actions import events as event_actions
from snowgauge.api.agent.app import agent_app
from snowgauge.api.agent.settings import AgentSettings
from snowgauge.api.app import describe
from snowgauge.store.base import FailedUpdate, Filter, Selection, StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.lifetime import Row
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.demo import seed_demo
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import web_page_view

NOW = time.time_ns() // 1_000_000 // 60_000 * 60_000 + 17_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
TOKEN = "0123456789abcdef0123456789abcdef"
RANGES = {"24h": NOW - DAY, "7d": NOW - 7 * DAY, "all": 0}
MS = "toUnixTimestamp64Milli(collector_tstamp)"
FAILED_MS = "toUnixTimestamp64Milli(tstamp)"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseStore]:
    folder = tmp_path_factory.mktemp("figures")
    engine = EngineProcess(folder / "engine", sync=False).start()
    settings = ClickHouseSettings()
    made = ClickHouseStore(settings, engine_connection(settings, engine.url))
    made.migrate()
    seed_demo(made, folder, visitors=260, days=12, until=NOW)
    seed_demo(made, folder, visitors=40, days=1, until=NOW)
    _send_again(made)
    yield made
    made.close()
    engine.stop()


def _send_again(store: ClickHouseStore) -> None:
    rows: list[Row] = [row for number, row in enumerate(store.lifetime().scan("good")) if number % 40 == 0]
    for row in rows:
        row.collector_tstamp = (row.collector_tstamp or 0) + 20  # type: ignore[union-attr]
    store.write(StoreBatch("again", rows))  # type: ignore[arg-type]
    oldest = store.events("failed", Selection(), limit=3, newest_first=False)
    store.mark_failed([FailedUpdate(row["id"], "recovered", NOW - HOUR, "run") for row in oldest])


@pytest.fixture(scope="module")
def console(store: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    port = PrivatePort(tmp_path_factory.mktemp("port"), store=store)
    patch = pytest.MonkeyPatch()
    patch.setattr(event_actions, "time", SimpleNamespace(time_ns=lambda: NOW * 1_000_000))
    yield Browser(port.app)
    patch.undo()
    port.access.close()


@pytest.fixture(scope="module")
def agent(store: ClickHouseStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    port = PrivatePort(tmp_path_factory.mktemp("agent"), store=store)
    settings = AgentSettings.model_validate({"static_token": TOKEN, "smallest_count": 1})
    app = agent_app(port.deployment, settings, clock=lambda: NOW)
    yield Browser(app, headers={"authorization": f"Bearer {TOKEN}"})
    port.access.close()


def ask(client: Browser, path: str, **query: Any) -> Any:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def groups(answer: list[dict[str, Any]]) -> list[list[Any]]:
    """The agent's groups, of which none is the sum of rare ones."""
    assert not any(group.pop("others") for group in answer)
    return [list(group.values()) for group in answer]


def sql(store: ClickHouseStore, text: str) -> list[list[Any]]:
    rows = store.query(text).rows
    return [[int(cell) if isinstance(cell, str) and cell.isdigit() else cell for cell in row] for row in rows]


def one(store: ClickHouseStore, text: str) -> Any:
    return sql(store, text)[0][0]


def test_the_store_holds_what_the_figures_have_to_see_through(store: ClickHouseStore) -> None:
    rows, distinct = sql(store, "SELECT count(), uniqExact(event_id) FROM atomic.events")[0]
    assert rows > distinct > 3000
    assert one(store, "SELECT count() FROM atomic.failed_events FINAL WHERE status = 'recovered'") == 3


def test_ticks(store: ClickHouseStore, console: Browser) -> None:
    found = ask(console, "/api/v1/first-run/ticks")
    assert found["events"] == one(store, f"SELECT uniqExact(event_id) FROM atomic.events WHERE {MS} >= {NOW - DAY}")
    assert found["failed"] == one(
        store, f"SELECT count() FROM atomic.failed_events FINAL WHERE {FAILED_MS} >= {NOW - DAY}"
    )
    newest = (
        f"SELECT greatest((SELECT max({MS}) FROM atomic.events), (SELECT max({FAILED_MS}) FROM atomic.failed_events))"
    )
    assert found["last_event"] == one(store, newest)


@pytest.mark.parametrize(
    ("where", "good", "failed"),
    [
        ([], "1", "1"),
        (["app_id:snowgauge-demo"], "app_id = 'snowgauge-demo'", "app_id = 'snowgauge-demo'"),
        (["event_name:page_view~page_ping"], "event_name IN ('page_view', 'page_ping')", "event_name IN ('page_view')"),
        (["v_tracker:*4.10"], "v_tracker LIKE '%4.10%'", "tracker LIKE '%4.10%'"),
        (["geo_country:!DE"], "geo_country != 'DE'", "0"),
        (["mkt_medium:+"], "mkt_medium != ''", "0"),
        (["user_id:-", "refr_medium:search"], "user_id = '' AND refr_medium = 'search'", "0"),
        (["schema:+"], "0", "schema != ''"),
    ],
)
def test_counts_and_timelines(
    store: ClickHouseStore, console: Browser, where: list[str], good: str, failed: str
) -> None:
    for text, since in RANGES.items():
        found = ask(console, "/api/v1/count", range=text, where=where)
        assert found["good"] == one(
            store, f"SELECT uniqExact(event_id) FROM atomic.events WHERE {good} AND {MS} >= {since}"
        )
        assert found["failed"] == one(
            store, f"SELECT count() FROM atomic.failed_events FINAL WHERE {failed} AND {FAILED_MS} >= {since}"
        )
    for seconds, buckets in ((60, 30), (3600, 168), (86_400, 12)):
        points = ask(console, "/api/v1/timeline", seconds=seconds, buckets=buckets, where=where)["points"]
        first = (NOW // 1000 // seconds - buckets + 1) * seconds
        assert [point["at"] for point in points] == [(first + n * seconds) * 1000 for n in range(buckets)]
        step = f"intDiv({{}}, {seconds} * 1000) * {seconds} * 1000"
        by_time = {
            kind: dict(sql(store, f"SELECT {step.format(ms)}, {number} FROM {table} WHERE {condition} GROUP BY 1"))
            for kind, ms, number, table, condition in (
                ("good", MS, "uniqExact(event_id)", "atomic.events", good),
                ("failed", FAILED_MS, "count()", "atomic.failed_events FINAL", failed),
            )
        }
        for point in points:
            assert point["good"] == by_time["good"].get(point["at"], 0)
            assert point["failed"] == by_time["failed"].get(point["at"], 0)


def test_incomplete_events_are_counted(store: ClickHouseStore, console: Browser) -> None:
    wanted = one(store, "SELECT uniqExact(event_id) FROM atomic.incomplete_events")
    assert ask(console, "/api/v1/count", status="incomplete", range="all") == {"incomplete": wanted}
    assert wanted > 0


@pytest.mark.parametrize("column", ["event_name", "geo_country", "domain_sessionidx", "dvce_screenwidth", "user_id",
                                    "page_url", "domain_userid", "geo_latitude", "se_value"])  # fmt: skip
@pytest.mark.parametrize("text", RANGES)
def test_values_of_columns(store: ClickHouseStore, console: Browser, column: str, text: str) -> None:
    found = ask(console, f"/api/v1/columns/{column}/values", range=text, limit=50, status="good")
    assert found
    named = {
        name: (count, last)
        for name, count, last in sql(
            store,
            f"SELECT ifNull(toString({column}), ''), uniqExact(event_id), max({MS}) FROM atomic.events "
            f"WHERE {MS} >= {RANGES[text]} GROUP BY 1",
        )
    }
    assert [value["count"] for value in found] == sorted((count for count, _ in named.values()), reverse=True)[:50]
    for value in found:
        wanted = [named[name] for name in named if _same(name, value["value"])]
        assert wanted == [(value["count"], value["last"])], value


def _same(text: Any, value: str | None) -> bool:
    if value is None or text == "":
        return (value or "") == text
    try:
        return float(text) == pytest.approx(float(value))
    except ValueError:
        return str(text) == value


def test_values_of_good_and_failed_are_added_up(store: ClickHouseStore, console: Browser) -> None:
    found = {value["value"]: value["count"] for value in ask(console, "/api/v1/columns/v_tracker/values", range="all")}
    rows = "SELECT v_tracker, uniqExact(event_id) FROM atomic.events GROUP BY 1 UNION ALL "
    rows += "SELECT tracker, count() FROM atomic.failed_events FINAL GROUP BY 1"
    wanted: Counter[str] = Counter()
    for tracker, count in sql(store, rows):
        wanted[tracker] += count
    assert found == dict(wanted)


@pytest.mark.parametrize("text", RANGES)
@pytest.mark.parametrize("status", ["open", "recovered", "all"])
def test_causes_of_failures(store: ClickHouseStore, console: Browser, text: str, status: str) -> None:
    found = ask(console, "/api/v1/failed/causes", range=text, status=status)
    where = f"{FAILED_MS} >= {RANGES[text]}" + (f" AND status = '{status}'" if status != "all" else "")
    table = f"atomic.failed_events FINAL WHERE {where}"
    assert found["total"] == one(store, f"SELECT count() FROM {table}")
    assert found["by_type"] == dict(sql(store, f"SELECT failure_type, count() FROM {table} GROUP BY 1"))
    wanted = {
        cause: rest
        for cause, *rest in sql(
            store,
            f"SELECT cause, count(), min({FAILED_MS}), max({FAILED_MS}), any(failure_type), any(schema) "
            f"FROM {table} GROUP BY 1",
        )
    }
    shown = {
        one["id"]: [one[name] for name in ("count", "first", "last", "failure_type", "schema")]
        for one in found["causes"]
    }
    assert {cause: [value or None for value in rest] for cause, rest in wanted.items()} == shown
    assert all(sum(one["trend"]) == one["count"] for one in found["causes"] if text != "all")
    for cause in found["causes"]:
        example = f"SELECT cause FROM {table} AND id = '{cause['example_id']}'"
        assert one(store, example) == cause["id"]


def test_newest_events(store: ClickHouseStore, console: Browser) -> None:
    for offset in (0, 300):
        page = ask(console, "/api/v1/events", status="good", limit=40, offset=offset)
        rows = sql(
            store,
            f"SELECT toString(event_id), max({MS}) AS at FROM atomic.events GROUP BY event_id "
            f"ORDER BY at DESC, event_id DESC LIMIT 40 OFFSET {offset}",
        )
        assert [[row["id"], row["at"]] for row in page["rows"]] == rows


def test_use_of_schemas(store: ClickHouseStore, console: Browser) -> None:
    shown = {
        (entry["vendor"], entry["name"]): (entry["use"]["events"], entry["use"]["failed"])
        for entry in ask(console, "/api/v1/schemas")
        if entry["use"]["events"] or entry["use"]["failed"]
    }
    wanted: dict[tuple[str, str], list[int]] = {}
    uri = "splitByChar('/', substring({}, 6))"
    day = f"{MS} >= {NOW - DAY}"
    entities = "arrayDistinct(arrayMap(x -> JSONExtractString(x, 'schema'), arrayConcat({})))".format(
        ", ".join(f"JSONExtractArrayRaw({name}, 'data')" for name in ("contexts", "derived_contexts"))
    )
    for vendor, name, count, kind in sql(
        store,
        "SELECT event_vendor, event_name, uniqExact(event_id), 0 FROM atomic.events "
        f"WHERE {day} GROUP BY 1, 2 UNION ALL "
        f"SELECT {uri.format('s')}[1], {uri.format('s')}[2], uniqExact(event_id), 0 FROM (SELECT event_id, "
        f"arrayJoin({entities}) AS s FROM atomic.events WHERE {day}) GROUP BY 1, 2 UNION ALL "
        f"SELECT {uri.format('schema')}[1], {uri.format('schema')}[2], count(), 1 FROM atomic.failed_events FINAL "
        f"WHERE {FAILED_MS} >= {NOW - DAY} AND schema != '' GROUP BY 1, 2",
    ):
        wanted.setdefault((vendor, name), [0, 0])[kind] += count
    assert shown == {key: tuple(value) for key, value in wanted.items()}


def test_capacity(store: ClickHouseStore, console: Browser) -> None:
    capacity = ask(console, "/api/v1/health")["capacity"]
    busiest = (
        f"SELECT max(n) FROM (SELECT uniqExact(event_id) AS n FROM atomic.events WHERE {MS} >= {NOW - DAY} "
        f"GROUP BY intDiv({MS}, 60000))"
    )
    recent = f"SELECT uniqExact(event_id) FROM atomic.events WHERE {MS} >= {NOW - 300_000}"
    assert capacity["busiest"] == pytest.approx(one(store, busiest) / 60)
    assert capacity["now"] == pytest.approx(one(store, recent) / 300)


# ---- the agent API ----------------------------------------------------------------------------------------------

PERIODS = {"today": NOW // DAY * DAY, "24h": NOW - DAY, "7d": NOW - 7 * DAY, "30d": NOW - 30 * DAY, "all": 0}


def test_agent_counts(store: ClickHouseStore, agent: Browser) -> None:
    shown = {one["period"]: one for one in ask(agent, "/counts")}
    assert set(shown) == set(PERIODS)
    for period, since in PERIODS.items():
        types = f"SELECT failure_type, count() FROM atomic.failed_events FINAL WHERE {FAILED_MS} >= {since} GROUP BY 1"
        good = one(store, f"SELECT uniqExact(event_id) FROM atomic.events WHERE {MS} >= {since}")
        by_type = dict(sql(store, types))
        assert shown[period]["good"] == good
        assert shown[period]["bad_by_type"] == by_type
        assert shown[period]["bad"] == sum(by_type.values())
    assert ask(agent, "/status")["events"] == one(store, "SELECT uniqExact(event_id) FROM atomic.events")


def test_agent_minutes(store: ClickHouseStore, agent: Browser) -> None:
    shown = ask(agent, "/minutes", number=1440)
    good = dict(sql(store, f"SELECT intDiv({MS}, 60000) * 60000, uniqExact(event_id) FROM atomic.events GROUP BY 1"))
    bad = dict(
        sql(store, f"SELECT intDiv({FAILED_MS}, 60000) * 60000, count() FROM atomic.failed_events FINAL GROUP BY 1")
    )
    assert len(shown) == 1440
    assert sum(one["good"] for one in shown) > 0
    for minute in shown:
        assert (minute["good"], minute["bad"]) == (good.get(minute["start"], 0), bad.get(minute["start"], 0))


@pytest.mark.parametrize("period", PERIODS)
def test_agent_event_types(store: ClickHouseStore, agent: Browser, period: str) -> None:
    shown = [
        [one[name] for name in ("vendor", "name", "version", "count", "first_seen", "last_seen")]
        for one in ask(agent, "/event-types", period=period)
    ]
    wanted = sql(
        store,
        f"SELECT event_vendor, event_name, event_version, uniqExact(event_id), min({MS}), max({MS}) "
        f"FROM atomic.events WHERE {MS} >= {PERIODS[period]} GROUP BY 1, 2, 3",
    )
    assert sorted(shown) == sorted(wanted)
    assert [kind[3] for kind in shown] == sorted((kind[3] for kind in shown), reverse=True)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize(
    ("path", "column"),
    [("trackers", "v_tracker"), ("tracker-namespaces", "name_tracker"), ("applications", "app_id"),
     ("platforms", "platform")],
)  # fmt: skip
def test_agent_counts_by_column(store: ClickHouseStore, agent: Browser, period: str, path: str, column: str) -> None:
    shown = groups(ask(agent, f"/{path}", period=period))
    wanted = sql(
        store,
        f"SELECT {column}, uniqExact(event_id), min({MS}), max({MS}) FROM atomic.events "
        f"WHERE {MS} >= {PERIODS[period]} GROUP BY 1",
    )
    assert sorted(shown) == sorted(wanted)


def test_agent_schemas(store: ClickHouseStore, agent: Browser) -> None:
    shown = groups(ask(agent, "/schemas", period="all"))
    entities = " UNION ALL ".join(
        "SELECT event_id, collector_tstamp, "
        f"JSONExtractString(arrayJoin(JSONExtractArrayRaw({name}, 'data')), 'schema') AS s FROM atomic.events"
        for name in ("contexts", "derived_contexts")
    )
    wanted = sql(store, f"SELECT s, uniqExact(event_id), min({MS}), max({MS}) FROM ({entities}) GROUP BY s")
    assert sorted(shown) == sorted(wanted)


def test_stores_filters_agree_with_sql_on_text_that_looks_like_a_pattern(store: ClickHouseStore) -> None:
    chosen = Selection(filters=[Filter("page_url", "contains", ["?Q=snow+G"])])
    wanted = "SELECT uniqExact(event_id) FROM atomic.events WHERE page_url ILIKE '%?q=snow+g%'"
    assert store.count("good", chosen) == one(store, wanted) > 0


def test_every_type_of_the_api_has_a_name_of_its_own() -> None:
    """Two types with one name would both be renamed after their modules, for every program that uses them."""
    names = describe("0.0.0")["components"]["schemas"]
    assert [name for name in names if "__" in name] == []


def test_pages_of_events_of_one_instant_have_each_of_them_once(store: ClickHouseStore, console: Browser) -> None:
    together = [web_page_view(n, app_id="ties", collector_tstamp=NOW - HOUR, event_id=str(uuid4())) for n in range(40)]
    store.write(StoreBatch("ties", together))
    shown = []
    for offset in range(0, 40, 3):
        page = ask(console, "/api/v1/events", status="all", where="app_id:ties", limit=3, offset=offset)
        shown += [row["id"] for row in page["rows"]]
    assert sorted(shown) == sorted(event.event_id for event in together)
