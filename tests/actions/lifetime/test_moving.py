"""Events read out into files, and copied between stores."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from snowplow_analytics_sdk.event_transformer import transform

from snowgauge.actions.lifetime.copying import End, copy
from snowgauge.actions.lifetime.exporting import DAY, export
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.errors import SnowgaugeError
from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.events.enriched_tsv import from_tsv
from snowgauge.events.timestamps import parse_ms
from snowgauge.state.documents import FolderDocuments
from snowgauge.store.base import FailedUpdate, Selection, Store, StoreBatch
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view

ALL = Selection()
URI = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"


def end(store: Any) -> End:
    return End(store, store.lifetime())


def events() -> list[Any]:
    return [
        web_page_view(
            n,
            collector_tstamp=NOON + (n % 3) * DAY + n,
            page_title=f'Ünï \u2028 "quoted", {n}\\',
            tr_total="9.50",
            se_value="1.5",
            geo_latitude=1.5,
            geo_longitude=-2.25,
            br_cookies=True,
            contexts=[described(URI, {"id": f"{n}"})],
            unstruct_event=None,
        )
        for n in range(12)
    ]


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest, new_store: Any) -> Store:
    """Reading rows is the contract's; here it is about files, for which one real store will do."""
    made: Store = new_store(request.param)
    return made


@pytest.fixture
def filled(store: Store) -> Store:
    store.write(StoreBatch("b", events(), [schema_violation(n) for n in range(4)], [web_page_view(50)]))
    # sent twice: counted and written once
    store.write(StoreBatch("again", [web_page_view(0, collector_tstamp=NOON + 5000)]))
    return store


def run(store: Any, folder: Path, **options: Any) -> Any:
    return export(store, store.lifetime(), folder, **options)


def test_every_format_holds_the_same_events_by_day(filled: Store, tmp_path: Path) -> None:
    days = ["2024-05-01", "2024-05-02", "2024-05-03"]
    for fmt, suffix in (("tsv", "tsv"), ("jsonl", "jsonl"), ("csv", "csv"), ("parquet", "parquet"),
                        ("snowplow-json", "jsonl")):  # fmt: skip
        done = run(filled, tmp_path / fmt, fmt=fmt)
        assert [file.path for file in done.written] == [f"collector_date={day}/good.{suffix}" for day in days]
        assert [file.rows for file in done.written] == [4, 4, 4]
        for file in done.written:
            assert hashlib.sha256((tmp_path / fmt / file.path).read_bytes()).hexdigest() == file.sha256
    first = f"collector_date={days[0]}/good"
    lines = (tmp_path / "tsv" / f"{first}.tsv").read_text().split("\n")[:-1]
    wanted = sorted((event for event in events() if event.collector_tstamp < NOON + DAY / 2), key=lambda e: e.event_id)
    assert sorted(map(from_tsv, lines), key=lambda e: str(e.event_id)) == wanted
    canonical = [json.loads(line) for line in (tmp_path / "jsonl" / f"{first}.jsonl").read_text().split("\n")[:-1]]
    assert [row["event_id"] for row in canonical] == [from_tsv(line).event_id for line in lines]
    with (tmp_path / "csv" / f"{first}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["page_title"] for row in rows] == [row["page_title"] for row in canonical]
    typed = parquet.read_table(tmp_path / "parquet" / f"{first}.parquet").to_pylist()
    assert list(typed[0]) == [field.name for field in ATOMIC_FIELDS]
    assert [(row["event_id"], row["tr_total"], row["br_cookies"]) for row in typed] == [
        (row["event_id"], 9.5, True) for row in canonical
    ]
    assert round(typed[0]["collector_tstamp"].timestamp() * 1000) >= NOON


def test_snowplows_own_tools_read_the_tsv_and_make_the_same_json_of_it(filled: Store, tmp_path: Path) -> None:
    run(filled, tmp_path / "tsv", fmt="tsv")
    run(filled, tmp_path / "json", fmt="snowplow-json")
    for file in sorted((tmp_path / "tsv").rglob("*.tsv")):
        ours = (tmp_path / "json" / file.parent.name / "good.jsonl").read_text().split("\n")[:-1]
        for line, mine in zip(file.read_text().split("\n")[:-1], ours, strict=True):
            theirs = transform(line)
            own = json.loads(mine)
            same = ("app_id", "event_id", "page_title", "br_cookies", "geo_location", "tr_total")
            assert parse_ms(own["collector_tstamp"]) == parse_ms(theirs["collector_tstamp"])
            assert {name: own[name] for name in same} == {name: theirs[name] for name in same}
            column = "contexts_com_snowplowanalytics_snowplow_web_page_1"
            assert [entity["id"] for entity in own[column]] == [entity["id"] for entity in theirs[column]]


def test_an_export_goes_on_where_it_was_and_writes_days_again_that_have_changed(filled: Store, tmp_path: Path) -> None:
    assert len(run(filled, tmp_path, fmt="jsonl").written) == 3
    again = run(filled, tmp_path, fmt="jsonl")
    assert (again.written, len(again.kept)) == ([], 3)
    (tmp_path / again.kept[1].path).unlink()
    filled.write(StoreBatch("late", [web_page_view(80, collector_tstamp=NOON + 2 * DAY)]))
    third = run(filled, tmp_path, fmt="jsonl")
    assert [(file.path[15:25], file.rows) for file in third.written] == [("2024-05-02", 4), ("2024-05-03", 5)]
    part = run(filled, tmp_path / "part", fmt="jsonl", since=NOON + DAY, until=NOON + DAY + 5)
    assert [file.rows for file in part.written] == [2]
    with pytest.raises(SnowgaugeError, match="another folder"):
        run(filled, tmp_path, fmt="tsv")


def test_failed_events_are_exported_as_bad_rows(filled: Store, tmp_path: Path) -> None:
    run(filled, tmp_path, kind="failed", fmt="jsonl")
    (file,) = tmp_path.rglob("*.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert rows == [schema_violation(n).bad_row() for n in range(4)]
    with pytest.raises(SnowgaugeError, match="jsonl"):
        run(filled, tmp_path / "x", kind="failed", fmt="parquet")


@pytest.mark.parametrize(
    ("origin", "goal"),
    [("memory", "clickhouse"), ("clickhouse", "memory"), ("clickhouse", "clickhouse"), ("clickhouse", "postgres"),
     ("postgres", "clickhouse")],
)  # fmt: skip
def test_a_copy_is_the_same_day_by_day_and_repeatable(new_store: Any, tmp_path: Path, origin: str, goal: str) -> None:
    source, target = new_store(origin), new_store(goal)
    failed = [schema_violation(n) for n in range(4)]
    source.write(StoreBatch("b", events(), failed, [web_page_view(50)]))
    source.mark_failed([FailedUpdate(failed[0].id, "recovered", NOON + 5, "run-1", "stored", ["a", "b"])])
    none = Tombstones(FolderDocuments(tmp_path / "privacy"))
    days = list(copy(end(source), end(target), none))
    assert [(day.kind, day.copied, day.same) for day in days] == [
        ("good", 4, True), ("good", 4, True), ("good", 4, True), ("failed", 4, True), ("incomplete", 1, True),
    ]  # fmt: skip
    assert target.events("good", ALL) == source.events("good", ALL)
    assert target.events("failed", ALL) == source.events("failed", ALL)
    assert [day.copied for day in copy(end(source), end(target), none)] == [0] * 5
    source.write(StoreBatch("late", [web_page_view(70, collector_tstamp=NOON + DAY)]))
    later = list(copy(end(source), end(target), none))
    assert [day.copied for day in later] == [0, 1, 0, 0, 0]
    assert all(day.same for day in later)


def test_a_difference_is_told(tmp_path: Path) -> None:
    source, target = MemoryStore(), MemoryStore()
    source.write(StoreBatch("a", [web_page_view(1)]))
    target.write(StoreBatch("b", [web_page_view(1, page_title="changed")]))
    (day,) = copy(end(source), end(target), Tombstones(FolderDocuments(tmp_path / "privacy")))
    assert (day.copied, day.same) == (0, False)


def test_a_copy_does_not_bring_an_erased_person_along(tmp_path: Path) -> None:
    source, target = MemoryStore(), MemoryStore()
    source.write(StoreBatch("a", [web_page_view(1, user_id="ann"), web_page_view(2, user_id="bob")]))
    tombstones = Tombstones(FolderDocuments(tmp_path / "privacy"))
    tombstones.add("e1", NOON + DAY, [("user_id", "ann")])
    (day,) = copy(end(source), end(target), tombstones)
    assert (day.copied, day.erased, day.same) == (1, 1, True)
    assert [row["user_id"] for row in target.events("good", ALL)] == ["bob"]


KILLED = """
import os, signal, sys
from pathlib import Path
from snowgauge.actions.lifetime.copying import End, copy
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.state.documents import FolderDocuments
from snowgauge.store.base import StoreBatch
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.memory import MemoryStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.events import web_page_view
names = {"database": sys.argv[1], "views_database": sys.argv[1]}
settings = ClickHouseSettings.model_validate({"configuration": names})
target = ClickHouseStore(settings, engine_connection(settings, sys.argv[2]))
source = MemoryStore()
source.write(StoreBatch("b", [web_page_view(n) for n in range(2500)]))
written = target._ready_writer()._remember
def remember(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
target._ready_writer()._remember = remember
kept = Tombstones(FolderDocuments(Path(sys.argv[3]) / "privacy"))
list(copy(End(source, source.lifetime()), End(target, target.lifetime()), kept))
"""


def test_a_copy_that_was_killed_half_way_through_a_batch_is_gone_on_with(
    new_store: Any, engine: Any, tmp_path: Path
) -> None:
    target = new_store("clickhouse")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, target.layout.database, engine.url, str(tmp_path)], check=False, env=os.environ
    )
    assert done.returncode == -signal.SIGKILL
    assert target.count("good", ALL) == 2000
    source = MemoryStore()
    source.write(StoreBatch("b", [web_page_view(n) for n in range(2500)]))
    (day,) = copy(end(source), end(target), Tombstones(FolderDocuments(tmp_path / "privacy")))
    assert (day.copied, day.same) == (500, True)
    assert len(list(target.lifetime().scan("good"))) == 2500


FORMULA = '=HYPERLINK("https://a.example")'


def test_csv_is_safe_in_a_spreadsheet_and_exact_where_asked(store: Store, tmp_path: Path) -> None:
    store.write(StoreBatch("b", [web_page_view(1, page_title=FORMULA, geo_longitude=-2.25)]))
    for fmt, title in (("csv", f"'{FORMULA}"), ("csv-exact", FORMULA)):
        (file,) = run(store, tmp_path / fmt, fmt=fmt).written
        with (tmp_path / fmt / file.path).open(newline="") as lines:
            (row,) = csv.DictReader(lines)
        assert (row["page_title"], row["geo_longitude"]) == (title, "-2.25")
    with pytest.raises(SnowgaugeError, match="csv-exact"):
        run(store, tmp_path / "csv", fmt="csv-exact")
