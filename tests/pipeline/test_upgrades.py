"""Changing tables that hold events: a backup is offered, the decision is written down, and a kill -9 costs nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from snowgauge.cli.main import app
from snowgauge.errors import SnowgaugeError
from snowgauge.pipeline import upgrades
from snowgauge.pipeline.lifetime import opened
from snowgauge.settings.load import load
from snowgauge.settings.model import Settings
from snowgauge.store.base import Migration, Store, StoreBatch
from snowgauge.store.clickhouse import migrations
from snowgauge.store.clickhouse.layout import ENTITY_SCHEMAS, EVENT_TABLES
from snowgauge.store.clickhouse.passwords import with_passwords
from snowgauge.store.settings import EngineSettings
from snowgauge.testing.deployment import Deployment
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import web_page_view

DYING = """
import os, signal, sys
from snowgauge.store.clickhouse.connection import Connection
left = int(sys.argv.pop(1))
real = Connection.command
def command(self, *given, **more):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return real(self, *given, **more)
Connection.command = command
from snowgauge.cli.main import run
run()
"""
"""`snowgauge` that is killed before the statement of a number is sent."""


class Place:
    """An engine with a database of its own for each test, laid out by a version before this one."""

    def __init__(self, engine: EngineProcess, folder: Path, database: str) -> None:
        self.flags = [
            f"common.data_dir={folder}",
            f"clickhouse.engine.port={engine.url.rsplit(':', 1)[1]}",
            f"clickhouse.configuration.database={database}",
            "iglu.iglu_central=false",
        ]

    def settings(self, **store: str) -> Settings:
        return load(flags=[*self.flags, *(f"store.{key}={value}" for key, value in store.items())]).settings

    def command(self, *arguments: str) -> list[str]:
        return [word for flag in self.flags for word in ("--set", flag)] + list(arguments)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("upgrades") / "data"
    folder.mkdir(mode=0o700)
    with_own = with_passwords(EngineSettings(), folder)
    running = EngineProcess(
        folder / "clickhouse",
        password=with_own.password.get_secret_value(),
        maintenance_password=with_own.maintenance_password.get_secret_value(),
    ).start()
    running.data_dir = folder  # type: ignore[attr-defined]
    yield running
    running.stop()


@pytest.fixture
def place(engine: EngineProcess, request: pytest.FixtureRequest):
    name = f"u{abs(hash(request.node.name)):x}"
    made = Place(engine, engine.data_dir, name)  # type: ignore[attr-defined]
    (engine.data_dir / "upgrades.jsonl").unlink(missing_ok=True)  # type: ignore[attr-defined]
    return made


@pytest.fixture
def store(place: Place):
    from snowgauge.pipeline.build import open_store

    opened = open_store(place.settings())
    yield opened
    opened.close()


def make_old(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a version without the last step would have left it, with an event."""
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", migrations.STEPS[:-1])
        store.migrate()
    layout, connection = store.layout, store.connection  # type: ignore[attr-defined]
    for table in EVENT_TABLES:
        connection.command(f"ALTER TABLE {layout.stored(table)} DROP COLUMN IF EXISTS `{ENTITY_SCHEMAS.name}`")
    store.write(StoreBatch("before", [web_page_view(1)]))


@pytest.fixture
def old(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    make_old(store, monkeypatch)
    return store


def events(store: Store) -> int:
    from snowgauge.store.base import Selection

    return store.count("good", Selection())


def complete(store: Store) -> bool:
    return all(step.applied_at for step in store.migrations())


def test_a_new_store_is_laid_out_without_a_word(place: Place, store: Store) -> None:
    def ask(*_: object) -> upgrades.Choice:
        raise AssertionError("asked")

    assert upgrades.migrate(place.settings(), store, ask=ask)
    assert complete(store)
    assert upgrades.records(place.settings()) == []


def test_a_backup_is_taken_before_anything_changes(place: Place, old: Store) -> None:
    done = CliRunner().invoke(app, place.command("db", "init", "--backup"))
    assert done.exit_code == 0, done.output
    assert complete(old)
    assert events(old) == 1
    (record,) = upgrades.records(place.settings())
    listed = json.loads((Path(record.backup) / "backup.json").read_text())
    assert listed["files"]
    for table in listed["tables"]:
        assert ENTITY_SCHEMAS.name not in json.dumps(table), "the backup has what the upgrade made"
    shown = CliRunner().invoke(app, place.command("upgrade", "check"))
    assert record.backup in shown.output


@pytest.mark.parametrize(
    "command",
    [("store", "copy", "memory://", "here"), ("demo", "seed", "--days", "1", "--visitors", "1"),
     ("migrate", "simple-snowplow", "--table", "theirs")],
    ids=lambda command: " ".join(command[:2]),
)  # fmt: skip
def test_commands_that_set_up_what_they_write_to_take_the_backup_too(
    place: Place, old: Store, command: tuple[str, ...]
) -> None:
    table = f"{old.layout.database}.theirs"  # type: ignore[attr-defined]
    columns = "event_id UUID, time DateTime, event_type String, platform String, page String"
    old.connection.command(f"CREATE TABLE {table} ({columns}) ENGINE = MergeTree ORDER BY time")  # type: ignore[attr-defined]
    command = tuple(table if word == "theirs" else word for word in command)
    done = CliRunner().invoke(app, place.command("--set", "store.backup_before_upgrade=always", *command))
    assert done.exit_code == 0, done.output
    assert complete(old)
    (record,) = upgrades.records(place.settings())
    assert (Path(record.backup) / "backup.json").is_file()


def test_a_start_takes_the_backup_that_its_option_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = Deployment(tmp_path / "data", {"iglu.iglu_central": "false"})
    flags = [f"common.data_dir={tmp_path / 'data'}", "iglu.iglu_central=false"]
    with opened(load(flags=flags).settings) as (_, store):
        make_old(store, monkeypatch)
    deployment.start("--backup")
    try:
        (record,) = upgrades.records(load(flags=flags).settings)
        assert record.decided == "the setting"
        assert (Path(record.backup) / "backup.json").is_file()
        assert deployment.sql("SELECT count() AS events FROM atomic.events") == [{"events": 1}]
    finally:
        deployment.stop()


@pytest.mark.parametrize(("answer", "changed"), [("never", True), ("ask", False)])
def test_a_person_decides(place: Place, old: Store, answer: upgrades.Choice, changed: bool) -> None:
    asked: list[Migration] = []

    def ask(steps: list[Migration], possible: bool) -> upgrades.Choice:
        assert possible, "a backup can be taken of the embedded engine"
        asked.extend(steps)
        return answer

    if changed:
        upgrades.migrate(place.settings(), old, ask=ask)
        (record,) = upgrades.records(place.settings())
        assert (record.backup, record.decided) == ("", "a person")
    else:
        with pytest.raises(SnowgaugeError, match="nothing was changed"):
            upgrades.migrate(place.settings(), old, ask=ask)
    assert [step.name for step in asked] == [migrations.STEPS[-1].name]
    assert complete(old) == changed


def test_unattended_it_goes_on_and_says_so(place: Place, old: Store) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "snowgauge", *place.command("db", "init")],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "upgrading_without_backup" in done.stderr
    (record,) = upgrades.records(place.settings())
    assert record.decided == "nobody was asked"


def test_a_backup_that_cannot_be_had_stops_the_upgrade(old: Store, place: Place) -> None:
    settings = place.settings(backup_before_upgrade="always")
    elsewhere = settings.model_copy(
        update={
            "store": settings.store.model_copy(
                update={"url": load(flags=["store.url=http://db:8123"]).settings.store.url}
            )
        }
    )
    with pytest.raises(SnowgaugeError, match="server's own"):
        upgrades.migrate(elsewhere, old)
    assert not complete(old)


def killed_at(statement: int, place: Place, *more: str) -> int:
    """Run ``db init``, killed before a statement; its exit status."""
    command = [sys.executable, "-c", DYING, str(statement), *place.command("db", "init", *more)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode


def test_killed_in_the_middle_of_an_upgrade_the_next_start_ends_it(place: Place, old: Store) -> None:
    statuses = [killed_at(statement, place, "--no-backup") for statement in (0, 3, 4, 99)]
    assert statuses[0] == -9
    assert statuses[-1] == 0
    assert complete(old)
    assert events(old) == 1
    old.write(StoreBatch("after", [web_page_view(2)]))
    assert events(old) == 2


def test_a_first_layout_survives_kills_too(engine: EngineProcess, place: Place, store: Store) -> None:
    assert [killed_at(statement, place) for statement in (1, 4, 6, 99)] == [-9, -9, -9, 0]
    assert complete(store)
    fresh = Place(engine, engine.data_dir, "fresh")  # type: ignore[attr-defined]
    assert CliRunner().invoke(app, fresh.command("db", "init")).exit_code == 0

    def layout(database: str) -> list[object]:
        columns = f"SELECT table, name, type, default_expression FROM system.columns WHERE database = '{database}'"
        tables = f"SELECT name, engine, sorting_key, partition_key FROM system.tables WHERE database = '{database}'"
        return [
            store.connection.rows(f"{question} ORDER BY ALL")  # type: ignore[attr-defined]
            for question in (columns, tables)
        ]

    assert layout(place.settings().clickhouse.configuration.database) == layout("fresh")
