"""A backup of a running deployment becomes a deployment with the same events; whoever was erased since stays erased."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from snowgauge.actions.access.book import AccessBook
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.repair.causes import CauseWord, CauseWords
from snowgauge.actions.failed.repair.rules import Rules
from snowgauge.actions.lifetime import backup
from snowgauge.actions.lifetime.copying import _sum as checksum
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.errors import SnowgaugeError
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode, encode
from snowgauge.pipeline import build
from snowgauge.pipeline.lifetime import erasing, gate, opened, restore_backup, take_backup, tombstones
from snowgauge.pipeline.private_port import open_access
from snowgauge.settings.model import Settings
from snowgauge.state.documents import FolderDocuments
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.testing.deployment import free_port
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view

URI = "iglu:com.acme/thing/jsonschema/1-0-0"
ALL = Selection()


def settings_in(folder: Path, **more: Any) -> Settings:
    return Settings.model_validate(
        {
            **more,
            "common": {"data_dir": str(folder)},
            "clickhouse": {"engine": {"port": free_port(), "sync": False}},
            "eventlog": {"spool": {"min_free_bytes": "128 MB"}},
            "iglu": {"iglu_central": False},
        }
    )


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """In a process of its own: one process can open one engine."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.run([sys.executable, "-c", code, *arguments], check=False, capture_output=True, env=environment)


def fill(settings: Settings) -> None:
    events = [
        web_page_view(n, user_id="ann" if n % 5 == 0 else "bob", contexts=[described(URI, {"n": n, "t": "é"})])
        for n in range(200)
    ]
    events += [web_page_view(n, user_id="bob", collector_tstamp=NOON + n * 40 * 86_400_000) for n in range(200, 203)]
    with opened(settings) as (_, store):
        store.migrate()
        store.write(StoreBatch("b1", events, [schema_violation(n) for n in range(5)], [web_page_view(900)]))
        store.lifetime().delete("good", [(str(events[1].event_id), NOON + 1000)])
    writer = build.open_eventlog(settings).writer()
    writer.append(
        [LogEntry(encode(CollectorPayload(timestamp=NOON, querystring=f"uid={u}")), 1) for u in ("ann", "bob")]
    )
    writer.close()
    (build.data_dir(settings) / "schemas").mkdir()
    (build.data_dir(settings) / "schemas" / "x.json").write_text("{}")
    open_access(settings).add_person("ada", "correct horse battery", "admin")


def sums(settings: Settings) -> Any:
    with opened(settings) as (_, store):
        lifetime = store.lifetime()
        none = Tombstones(FolderDocuments(Path("/nowhere") / "privacy"))
        return (
            [checksum(lifetime, none, kind, 0, 2**42)[0] for kind in ("good", "failed", "incomplete")],
            store.query("SELECT count(), sum(toUInt32(contexts_com_acme_thing_1[1].n)) FROM atomic.events").rows,
            store.query("SELECT count() FROM snowplow.local").rows,
            store.write(StoreBatch("b1")).repeated,
            [decode(entry.body).querystring for entry in build.open_eventlog(settings).peek()],
            (build.data_dir(settings) / "schemas" / "x.json").read_text(),
        )


# Every step runs in a process of its own, so this test is the program of those processes too.
STEP = """
import sys, importlib.util
spec = importlib.util.spec_from_file_location("backup_steps", {file!r})
module = importlib.util.module_from_spec(spec)
sys.modules["backup_steps"] = module
spec.loader.exec_module(module)
from pathlib import Path
{code}
"""


def step(code: str) -> bytes:
    done = run(STEP.format(file=__file__, code=code))
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment in ``data``, its backup in ``backup``, its figures in ``sums``."""
    folder = tmp_path_factory.mktemp("deployment")
    step(
        f"folder = Path({str(folder)!r})\n"
        "settings = module.settings_in(folder / 'data')\n"
        "module.fill(settings)\n"
        "(folder / 'sums').write_text(repr(module.sums(settings)))\n"
        "module.take_backup(settings, folder / 'backup')\n"
        "assert not list((folder / 'data' / 'clickhouse' / 'shadow').glob('snowgauge*'))\n"
    )
    return folder


def test_a_restored_deployment_has_the_same_events_log_schemas_and_accounts(made: Path, tmp_path: Path) -> None:
    step(
        f"folder, target = Path({str(made)!r}), Path({str(tmp_path)!r}) / 'data'\n"
        "settings = module.settings_in(target)\n"
        "module.restore_backup(settings, folder / 'backup')\n"
        "assert repr(module.sums(settings)) == (folder / 'sums').read_text(), module.sums(settings)\n"
    )
    accounts = AccessBook(tmp_path / "data" / "console.sqlite")
    assert [person.name for person in accounts.people()] == ["ada"]
    accounts.close()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_who_was_erased_after_the_backup_does_not_come_back(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "data", tmp_path / "data", symlinks=True)
    out = step(
        f"target = Path({str(tmp_path)!r}) / 'data'\n"
        f"folder = Path({str(made)!r})\n"
        "settings = module.settings_in(target)\n"
        "with module.opened(settings) as (here, store):\n"
        "    action = module.erasing(here, store)\n"
        "    order = action.order([('user_id', 'ann')], at=module.NOON * 2, by='op')\n"
        "    action.carry_out(order, lambda: 1.0)\n"
        "try:\n"
        "    module.restore_backup(settings, folder / 'backup')\n"
        "except module.SnowgaugeError as error:\n"
        "    assert 'not empty' in str(error)\n"
        "else:\n"
        "    raise AssertionError\n"
        "_, gone, moved = module.restore_backup(settings, folder / 'backup', replace=True)\n"
        "with module.opened(settings) as (here, store):\n"
        "    counts = {b.key: b.count for b in store.count_by('good', 'user_id', module.ALL)}\n"
        "print(gone, len(moved), counts, [e.kind for e in module.build.open_eventlog(settings).peek()])\n"
    )
    assert out.splitlines()[-1] == b"41 1 {'bob': 162} ['erased', 'payload']"


def shared_in(folder: Path) -> Settings:
    """As for several machines whose store is the engine of one of them."""
    return settings_in(folder, shared_state={"place": "store", "key": "the key of all machines"})


def fill_shared(settings: Settings) -> None:
    with opened(settings) as (here, store):
        store.migrate()
        store.write(StoreBatch("b1", [web_page_view(n, user_id=who) for n, who in enumerate(["ann", "bob", "bob"])]))
        open_access(here).add_person("ada", "correct horse battery", "admin")
        kept = build.open_kept(here)
        Rules(kept).keep("3f2a9c01d7", "n is text", EditOptions(cast=["event.data.n=integer"]), by="op", at=5)
        CauseWords(kept).put(CauseWord("3f2a9c01d7", note="a note"))


def erase_ann(settings: Settings) -> None:
    with opened(settings) as (here, store):
        action = erasing(here, store)
        action.carry_out(action.order([("user_id", "ann")], at=NOON * 2, by="op"), lambda: 1.0)


def shared_figures(settings: Settings) -> Any:
    with opened(settings) as (here, store):
        return (
            {bucket.key: bucket.count for bucket in store.count_by("good", "user_id", ALL)},
            [rule.headline for rule in Rules(build.open_kept(here)).all()],
            [word.note for word in CauseWords(build.open_kept(here)).all().values()],
            [person.name for person in open_access(here).people()],
            len(tombstones(here).all()),
        )


def test_what_machines_share_through_the_engine_is_in_its_backup(tmp_path: Path) -> None:
    begin = f"folder = Path({str(tmp_path)!r})\nsettings = module.shared_in(folder / 'data')\n"
    step(f"{begin}module.fill_shared(settings)\nmodule.take_backup(settings, folder / 'backup')\n")
    step(f"{begin}module.erase_ann(settings)\n")
    out = step(
        f"{begin}_, gone, _ = module.restore_backup(settings, folder / 'backup', replace=True)\n"
        "print(gone, module.shared_figures(settings))\n"
    )
    assert out.splitlines()[-1] == b"1 ({'bob': 2}, ['n is text'], ['a note'], ['ada'], 1)"


def test_a_restore_that_was_killed_is_simply_run_again(made: Path, tmp_path: Path) -> None:
    code = (
        f"folder, target = Path({str(made)!r}), Path({str(tmp_path)!r}) / 'data'\n"
        "import os, signal\n"
        "settings = module.settings_in(target)\n"
        "def tick(what, count):\n"
        "    if what == 'tables' and count == {stop}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "module.restore_backup(settings, folder / 'backup', progress=tick)\n"
        "assert repr(module.sums(settings)) == (folder / 'sums').read_text()\n"
    )
    killed = run(STEP.format(file=__file__, code=code.replace("{stop}", "2")))
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").iterdir())
    step(code.replace("{stop}", "-1"))


def test_a_damaged_backup_is_not_restored(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "backup"
    shutil.copytree(made / "backup", copy)
    victim = next(path for path in sorted((copy / "clickhouse").rglob("*")) if path.is_file())
    victim.write_bytes(victim.read_bytes()[:-1] + b"!")
    with pytest.raises(SnowgaugeError, match="checksum"):
        backup.read(copy)
    victim.unlink()
    with pytest.raises(SnowgaugeError, match="missing"):
        backup.read(copy)
    (copy / backup.LIST).unlink()
    with pytest.raises(SnowgaugeError, match="no backup"):
        backup.read(copy)


def test_a_backup_needs_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    settings = settings_in(tmp_path / "data")
    with pytest.raises(SnowgaugeError, match="there already"):
        backup.take(
            tmp_path / "there", [], gate(settings), lambda: backup.Snapshot([], {}), lambda: None, version="1", at=0
        )


def test_sqlite_files_are_copied_while_they_are_written(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "data")
    log = build.open_eventlog(settings)
    writer = log.writer()
    entries = [LogEntry(b"x" * 2000, int(time.time() * 1000)) for _ in range(50)]
    writer.append(entries)
    made = backup.take(
        tmp_path / "backup",
        [backup.Root("data", tmp_path / "data")],
        gate(settings),
        lambda: (writer.append(entries), backup.Snapshot([], {}))[1],
        lambda: None,
        version="1",
        at=0,
    )
    writer.append(entries)
    writer.close()
    restoring = backup.Restoring(tmp_path / "backup", [backup.Root("data", tmp_path / "again")])
    restoring.begin()
    restoring.finish("x")
    assert build.open_eventlog(settings_in(tmp_path / "again")).stats().entries == 100
    assert len(made.files) == 1
    assert tombstones(settings).all() == []


__all__ = ["erasing", "restore_backup", "take_backup"]


def _changed(copy: Path, change: Any) -> None:
    listed = msgspec.json.decode((copy / backup.LIST).read_bytes())
    change(listed)
    (copy / backup.LIST).write_bytes(msgspec.json.encode(listed))


def test_a_backup_with_links_or_ways_out_is_not_restored(made: Path, tmp_path: Path) -> None:
    """Nothing but the plain files of its list is read, wherever a link or a name may lead."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not of the backup")
    copy = tmp_path / "backup"

    def fresh() -> None:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(made / "backup", copy)

    fresh()
    victim = copy / "files" / "data" / "schemas" / "x.json"
    victim.unlink()
    victim.symlink_to(elsewhere)
    with pytest.raises(SnowgaugeError, match="is a link"):
        backup.read(copy)
    fresh()
    (copy / "files" / "data" / "more").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(SnowgaugeError, match="is a link"):
        backup.read(copy)
    fresh()
    (copy / "files" / "data" / "unlisted").write_text("x")
    with pytest.raises(SnowgaugeError, match="not on its list"):
        backup.read(copy)
    for name in (str(elsewhere), "../elsewhere"):
        fresh()
        _changed(copy, lambda listed, name=name: listed["files"].update({name: backup.digest(elsewhere)}))
        with pytest.raises(SnowgaugeError, match="leads out"):
            backup.read(copy)


def test_a_restore_does_not_write_through_a_link_in_its_place(made: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".data.restoring").symlink_to(elsewhere, target_is_directory=True)
    restoring = backup.Restoring(made / "backup", [backup.Root("data", tmp_path / "data")])
    restoring.begin()
    assert not list(elsewhere.iterdir())
    assert (tmp_path / ".data.restoring" / "schemas" / "x.json").exists()


def test_no_sql_of_a_backup_is_run(made: Path, tmp_path: Path) -> None:
    """Tables are those of this version's layout, whatever the backup says they are."""
    copy = tmp_path / "backup"
    shutil.copytree(made / "backup", copy)

    def harm(listed: Any) -> None:
        for table in listed["tables"]:
            table["create"] = f"DROP DATABASE system; {table['create'].replace('MergeTree', 'Null')}"
        listed["tables"].append(
            {"database": "atomic", "name": "more", "create": "CREATE TABLE atomic.more (a Int8) ENGINE = Memory",
             "engine": "Memory", "rows": 0, "parts": []}
        )  # fmt: skip

    _changed(copy, harm)
    step(
        f"folder, copy, target = Path({str(made)!r}), Path({str(copy)!r}), Path({str(tmp_path)!r}) / 'data'\n"
        "settings = module.settings_in(target)\n"
        "module.restore_backup(settings, copy)\n"
        "assert repr(module.sums(settings)) == (folder / 'sums').read_text(), module.sums(settings)\n"
        "with module.opened(settings) as (_, store):\n"
        "    assert store.query(\"SELECT count() FROM system.tables WHERE name = 'more'\").rows == [[0]]\n"
    )


def test_views_and_columns_that_someone_added_are_named_when_they_are_not_restored(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "backup"
    shutil.copytree(made / "backup", copy)

    def added(listed: Any) -> None:
        (events,) = (table for table in listed["tables"] if (table["database"], table["name"]) == ("atomic", "events"))
        events["columns"].append("my_column")
        listed["tables"].append(
            {"database": "atomic", "name": "my_view", "create": "CREATE VIEW atomic.my_view AS SELECT 1",
             "engine": "View", "rows": 0, "parts": [], "columns": ["1"]}
        )  # fmt: skip

    _changed(copy, added)
    restore = "module.restore_backup(module.settings_in(Path({!r})), Path({!r}))"
    said = step(restore.format(str(tmp_path / "data"), str(copy))).decode()
    (columns,) = (line for line in said.splitlines() if "columns_not_restored" in line)
    assert "atomic.events" in columns
    assert "['my_column']" in columns
    (view,) = (line for line in said.splitlines() if "view_not_restored" in line)
    assert "atomic.my_view" in view
    plain = step(restore.format(str(tmp_path / "again"), str(made / "backup"))).decode()
    assert "not_restored" not in plain


@pytest.mark.parametrize("part", ["../../elsewhere", "x' FROM '/etc", "202405_1_1_0/../../x", ""])
def test_a_part_has_a_name_of_the_engine(made: Path, tmp_path: Path, part: str) -> None:
    copy = tmp_path / "backup"
    shutil.copytree(made / "backup", copy)
    _changed(copy, lambda listed: [table["parts"].append(part) for table in listed["tables"] if table["parts"]])
    failed = run(
        STEP.format(
            file=__file__,
            code=f"settings = module.settings_in(Path({str(tmp_path)!r}) / 'data')\n"
            f"module.restore_backup(settings, Path({str(copy)!r}))\n",
        )
    )
    assert failed.returncode != 0
    assert b"is no name of a part" in failed.stderr
