"""Ready means that a write has worked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import timedelta

import msgspec
import pytest

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.health import Readiness, check
from snowgauge.actions.looks import Looks
from snowgauge.actions.overview import overview
from snowgauge.actions.processes import processes
from snowgauge.delivery.spool import SpoolLog
from snowgauge.errors import LogUnavailable, StoreUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.registries.http import HttpRegistry
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.store.base import Selection
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.registry import RegistryServer


class Database(MemoryStore):
    """Answers, and takes writes only while ``writable``."""

    writable = True
    up = True
    writes = 0

    def ready(self):
        return self.up

    def write(self, batch):
        self.writes += 1
        if not self.writable:
            raise StoreUnavailable("read-only: the disk is full")
        return super().write(batch)


@pytest.fixture
def log(tmp_path):
    return SpoolLog(tmp_path / "spool", min_free_bytes=0, linger=0)


@pytest.fixture
def deployment(tmp_path, log):
    store = Database()
    store.migrate()
    return Deployment(store, log, resolver=IgluResolver([]), validator=None, data_dir=tmp_path, version="0")


def beside(deployment, log):
    return msgspec.structs.replace(deployment, eventlog=log)


def not_ready(found):
    return {part.name: part.note for part in found.parts if not part.ok}


def test_a_store_that_answers_and_takes_nothing_is_not_ready(deployment):
    deployment.store.writable = False
    assert check(deployment).ready
    readiness = Readiness(deployment)
    assert not_ready(readiness.check()) == {"store": "cannot be written to: read-only: the disk is full"}
    deployment.store.writable = True
    assert readiness.check().ready


def test_the_proof_is_given_once_and_again_after_an_outage(deployment):
    readiness = Readiness(deployment)
    for _ in range(3):
        assert readiness.check().ready
    assert deployment.store.writes == 1
    deployment.store.up = False
    assert not_ready(readiness.check()) == {"store": "does not answer"}
    deployment.store.up, deployment.store.writable = True, False
    assert not readiness.check().ready
    deployment.store.writable = True
    assert readiness.check().ready
    assert deployment.store.writes == 3


def test_the_proof_is_no_event(deployment, log):
    assert Readiness(deployment).check().ready
    assert deployment.store.count("good", Selection()) == deployment.store.count("failed", Selection()) == 0
    assert log.stats().entries == 0
    # and what the proof left in the log's folder goes away with the next look of its reader
    subscription = log.subscribe()
    assert subscription.read(0.1) is None
    subscription.close()
    assert list((deployment.data_dir / "spool").glob("0*-*.sqlite")) == []


def test_a_log_that_takes_nothing_is_not_ready(deployment, tmp_path, monkeypatch):
    class Broken:
        def healthy(self):
            return False

        def close(self):
            pass

    monkeypatch.setattr(type(deployment.eventlog), "writer", lambda self: Broken())
    assert list(not_ready(Readiness(deployment).check())) == ["eventlog"]

    def refuses(self):
        raise LogUnavailable("all numbers are held")

    monkeypatch.setattr(type(deployment.eventlog), "writer", refuses)
    assert not_ready(Readiness(deployment).check()) == {"eventlog": "all numbers are held"}


def test_a_full_disk_is_not_ready(deployment, tmp_path):
    full = SpoolLog(tmp_path / "other", min_free_bytes=1 << 62)
    assert list(not_ready(check(beside(deployment, full)))) == ["eventlog"]


def test_a_full_log_is_not_ready(deployment, tmp_path):
    full = SpoolLog(tmp_path / "other", max_bytes=1 << 20, min_free_bytes=0)
    assert check(beside(deployment, full)).ready
    writer = full.writer()

    def fill():
        while True:
            writer.append([LogEntry(os.urandom(30_000), 1)])

    with pytest.raises(LogUnavailable):
        fill()
    assert list(not_ready(check(beside(deployment, full)))) == ["eventlog"]
    writer.close()


def test_a_store_that_hangs_is_not_ready_and_holds_up_nobody_for_long(deployment):
    answers = threading.Event()
    asked = []

    def hangs():
        asked.append(1)
        return answers.wait(30)

    deployment.store.ready = hangs
    readiness = Readiness(deployment, patience=0.05)
    for _ in range(5):
        assert not_ready(readiness.check())["store"] == "no answer within 0.05 s"
    assert len(asked) == 1  # one thread waits for the database, however many ask
    answers.set()
    patient = Readiness(deployment)
    assert patient.check().ready


def test_processes_are_known_by_what_they_run_not_by_a_number_left_behind(tmp_path):
    run = tmp_path / "run"
    assert processes(run).running == []
    run.mkdir()
    program = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with (
        subprocess.Popen([*program, "snowgauge", "collector"], **pipes) as ours,
        subprocess.Popen(program, **pipes) as another,
    ):
        assert ours.stdout.readline()  # it is that program by now, and not yet its parent's copy
        assert another.stdout.readline()
        (run / "collector-0.pid").write_text(f"{ours.pid}\n")
        (run / "pipeline-0.pid").write_text(f"{another.pid}\n")
        (run / "pipeline-1.ready").write_text("not a number")
        (run / "status.json").write_text(json.dumps({"collector-0": {"pid": ours.pid, "restarts": 4}}))
        found = processes(run)
        assert [(one.name, one.pid, one.restarts) for one in found.running] == [("collector-0", ours.pid, 4)]
        assert found.running[0].memory > 1_000_000
        assert found.gone == ["pipeline-0"]
        assert (found.gone_of("pipeline"), found.gone_of("collector")) == (["pipeline-0"], [])
        ours.stdin.close()
        another.stdin.close()


def part(deployment, name):
    return next((part for part in overview(deployment).parts if part.name == name), None)


@pytest.fixture
def server():
    server = RegistryServer()
    yield server
    server.down()


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def with_registry(deployment, registry):
    return msgspec.structs.replace(deployment, resolver=IgluResolver([registry]))


CART = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-0")


def test_a_registry_that_does_not_answer_is_named_until_it_does(deployment, server):
    clock = Clock()
    registry = HttpRegistry(server.uri, max_retry=0, clock=clock)
    deployment = with_registry(deployment, registry)
    assert part(deployment, "registries").ok
    server.down()
    registry.lookup(CART)
    silent = part(deployment, "registries")
    assert not silent.ok
    assert server.uri in silent.note
    assert not overview(deployment).ready
    server.up()
    clock.now += 3600
    assert part(deployment, "registries").ok, "whether or not an event needs it"
    registry.close()


def test_iglu_central_is_left_alone_until_someone_has_asked_it(deployment):
    """It may be out of reach, and never be needed."""
    registry = HttpRegistry("http://iglucentral.localhost:1", max_retry=0)
    deployment = with_registry(deployment, registry)
    assert part(deployment, "registries") is None
    registry.lookup(CART)
    assert not part(deployment, "registries").ok
    registry.close()


def test_a_registry_that_hangs_from_the_start_is_named_before_any_event_has_come(deployment, server):
    registry = HttpRegistry(server.uri)
    server.held.clear()
    silent = part(msgspec.structs.replace(with_registry(deployment, registry), looks=Looks(0.1)), "registries")
    assert not silent.ok
    assert server.uri in silent.note
    server.held.set()
    registry.close()


def test_a_registry_that_hangs_is_named_while_no_event_asks_for_anything(deployment, server):
    clock = Clock()
    registry = HttpRegistry(server.uri, timeout=timedelta(seconds=60), clock=clock)
    deployment = msgspec.structs.replace(with_registry(deployment, registry), looks=Looks(0.3))
    registry.lookup(CART)
    for _ in range(3):
        assert part(deployment, "registries").ok
    assert len(server.requests) == 1, "it is known from the lookup"
    server.held.clear()
    clock.now += 60
    for _ in range(3):
        silent = part(deployment, "registries")
        assert not silent.ok
        assert server.uri in silent.note
    server.held.set()
    wait_until(lambda: part(deployment, "registries").ok, "it is not named any more", within=60)
    assert len(server.requests) == 2, "one thread waits for it, however many look"
    registry.close()


def test_a_registry_that_hangs_is_named_before_a_lookup_has_been_repeated(deployment, server):
    """Another process asks: one that is killed before the end of its repetitions has told already."""
    named = []
    registry = HttpRegistry(
        server.uri,
        timeout=timedelta(seconds=0.1),
        sleep=lambda _: named.append(part(with_registry(deployment, registry), "registries").ok),
    )
    server.held.clear()
    registry.lookup(CART)
    assert named == [False, False]
    registry.close()


def test_what_damage_took_is_a_fact_of_the_event_log(deployment, log, tmp_path):
    writer = log.writer()
    writer.append([LogEntry(bytes([n]) * 3000, n) for n in range(20)])
    writer.close()
    (wal,) = (tmp_path / "spool").glob("*.sqlite-wal")
    wal.write_bytes(wal.read_bytes()[:20_000])
    subscription = log.subscribe(0, 1)
    while batch := subscription.read(0):
        subscription.commit(batch)
    subscription.close()
    facts = {fact.label: fact.value for fact in part(deployment, "eventlog").facts}
    assert facts["lost to damaged files"] > 0
