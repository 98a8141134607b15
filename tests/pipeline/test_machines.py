"""Machines with a data folder each and one store have the same erasures, whichever of them made one."""

from __future__ import annotations

import itertools
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from snowgauge.actions import health
from snowgauge.actions.analytics.saved.database import SavedDatabase
from snowgauge.actions.analytics.spend import SpendBook
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.repair.causes import CauseWord, CauseWords
from snowgauge.actions.failed.repair.rules import Rules
from snowgauge.actions.lifetime.erased import Erased
from snowgauge.actions.lifetime.retention import Daily
from snowgauge.actions.lifetime.tombstones import FOLDER, Tombstones
from snowgauge.alerts.sealing import Seal, own_key
from snowgauge.delivery.contract import EventLog
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.delivery.worker import Worker
from snowgauge.errors import SchemaResolutionError, SettingsError, StateUnavailable
from snowgauge.events.failed import Processor
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Enriched, Outcome
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode, encode
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.contract import Invalid
from snowgauge.iglu.publish import publish
from snowgauge.pipeline import build, lifetime
from snowgauge.pipeline.private_port import open_doors
from snowgauge.settings.model import Settings
from snowgauge.state.documents import FolderDocuments
from snowgauge.state.tables import SharedTables
from snowgauge.store.base import Selection, Store, StoreBatch, WriteResult
from snowgauge.testing import kafka
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.events import NOON, web_page_view
from snowgauge.testing.kafka import KafkaBrokers
from snowgauge.testing.postgres import temporary_server

ALL = Selection()
ANN = [("user_id", "ann")]
LATER = NOON + 10**9
Machine = Callable[[str], Settings]


@pytest.fixture(scope="module", params=["postgres", "clickhouse"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "postgres":
        with temporary_server() as server:
            yield server.url
        return
    engine = EngineProcess(Path(tmp_path_factory.mktemp("engine")) / "data", sync=False).start()
    yield engine.url
    engine.stop()


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBrokers]:
    cluster = KafkaBrokers(tmp_path_factory.mktemp("kafka") / "one").start()
    yield cluster
    cluster.stop()


@pytest.fixture
def machine(url: str, tmp_path: Path) -> Iterator[Machine]:
    """The settings of a machine with this name; the store is empty at first."""

    def settings(name: str) -> Settings:
        return Settings.model_validate(
            {
                "common": {"data_dir": tmp_path / name},
                "store": {"url": url},
                "iglu": {"iglu_central": False},
                "shared_state": {"place": "store", "key": "the key of all machines"},
                "retention": {"events": "1 day"},
                "eventlog": {"spool": {"min_free_bytes": "128 MB"}},
            }
        )

    store = build.open_store(settings("setup"))
    store.migrate()
    yield settings
    kind, end = ("SCHEMA", " CASCADE") if url.startswith("postgres") else ("DATABASE", "")
    for database in ("atomic", "derived"):
        store.query(f"DROP {kind} IF EXISTS {database}{end}", read_only=False)
    store.close()


@pytest.fixture
def store(machine: Machine) -> Iterator[Store]:
    store = build.open_store(machine("a"))
    yield store
    store.close()


class Enricher:
    def attempt(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome] | None:
        number, _, user = (decode(record).querystring or "").partition("&uid=")
        return [Enriched(web_page_view(int(number[2:]), user_id=user))]

    def settle(self) -> None: ...

    def conclude(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]:
        raise AssertionError("nothing is put off")

    def flush_metrics(self) -> None: ...


class Halfway:
    """A store whose writes wait in front of it: ``reached`` tells that one is there, ``go`` lets it through."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reached, self.go = threading.Event(), threading.Event()

    def write(self, batch: StoreBatch) -> WriteResult:
        self.reached.set()
        assert self.go.wait(60)
        return self._store.write(batch)


class Working:
    """A worker of a machine, in a thread, with a log of its own."""

    def __init__(self, store: Store | Halfway, erased: Erased, log: EventLog | None = None) -> None:
        self.log = log or MemoryLog()
        self.subscription = self.log.subscribe()
        self.worker = Worker(self.subscription, Enricher(), store, processor=Processor("enrich", "1"), erasures=erased)
        self._thread = threading.Thread(target=self.worker.run, daemon=True)
        self._number = 0
        self._thread.start()

    def collect(self, *users: str) -> None:
        entries = []
        for user in users:
            self._number += 1
            payload = CollectorPayload(timestamp=NOON, querystring=f"n={self._number}&uid={user}")
            entries.append(LogEntry(encode(payload), 1))
        self.log.writer().append(entries)

    def stored(self, within: float = 60) -> None:
        wait_until(lambda: self.log.stats().entries == 0, "everything is stored", within=within)

    def close(self) -> None:
        self.worker.stop.set()
        self._thread.join(60)
        self.subscription.close()


def users(store: Store) -> list[str]:
    return sorted(str(row["user_id"]) for row in store.events("good", ALL))


def erase(settings: Settings, store: Store) -> None:
    erasing = lifetime.erasing(settings, store)
    assert erasing.carry_out(erasing.order(ANN, at=LATER, by="op"), lambda: 1.0).left == 0


def test_an_erasure_of_one_machine_holds_on_another_before_its_next_batch(machine: Machine, store: Store) -> None:
    there = Working(store, lifetime.erased(machine("b"), store))
    try:
        there.collect("ann", "bob")
        there.stored()
        assert users(store) == ["ann", "bob"]
        erase(machine("a"), store)
        assert users(store) == ["bob"]
        there.collect("ann", "eve")
        there.stored()
        assert users(store) == ["bob", "eve"]
    finally:
        there.close()


@pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing")
def test_an_erasure_holds_over_kafka_before_the_next_batch_of_either_worker(
    machine: Machine, store: Store, brokers: KafkaBrokers
) -> None:
    topic = uuid.uuid4().hex[:8]

    def on_kafka(name: str) -> Settings:
        settings = machine(name)
        given = {"url": brokers.url, "linger": "10 ms", "kafka": {"group": topic}}
        streams = settings.collector.streams
        names = {"good": f"{topic}-good", "bad": f"{topic}-bad"}
        named = {kind: getattr(streams, kind).model_copy(update={"name": name}) for kind, name in names.items()}
        collector = settings.collector.model_copy(update={"streams": streams.model_copy(update=named)})
        return settings.model_copy(update={"eventlog": EventLogSettings.model_validate(given), "collector": collector})

    build.make_topics(on_kafka("a"), 4, 1, timedelta(days=1))
    logs = [build.open_eventlog(on_kafka(name)) for name in ("a", "b")]
    workers = [
        Working(store, lifetime.erased(on_kafka(name), store), log) for name, log in zip(("a", "b"), logs, strict=True)
    ]
    writer = logs[0].writer()
    sent = itertools.count(1)

    def collect(user: str, number: int) -> None:
        payloads = [CollectorPayload(timestamp=NOON, querystring=f"n={next(sent)}&uid={user}") for _ in range(number)]
        writer.append([LogEntry(encode(payload), 1) for payload in payloads])

    def both_work() -> bool:
        collect("bob", 4)
        return all(working.worker.tally.records for working in workers)

    try:
        wait_until(both_work, "each has partitions", within=120)
        collect("ann", 20)
        workers[0].stored(within=120)
        assert users(store).count("ann") == 20
        erase(on_kafka("a"), store)
        assert set(users(store)) == {"bob"}
        collect("ann", 20)
        collect("eve", 20)
        workers[0].stored(within=120)
        assert set(users(store)) == {"bob", "eve"}
        assert users(store).count("eve") == 20
    finally:
        for working in workers:
            working.close()
        writer.close()


def test_an_erasure_finds_nothing_and_the_batch_that_was_half_stored_elsewhere_is_cleaned(
    machine: Machine, store: Store
) -> None:
    halfway = Halfway(store)
    there = Working(halfway, lifetime.erased(machine("b"), store))
    try:
        there.collect("ann", "bob")
        assert halfway.reached.wait(60)
        erase(machine("a"), store)  # the other machine has looked already, and has not stored yet
        assert users(store) == []
        halfway.go.set()
        there.stored()
        assert users(store) == ["bob"]
    finally:
        halfway.go.set()
        there.close()


def test_what_an_attempt_stored_before_the_erasure_goes_with_a_later_attempt(machine: Machine, store: Store) -> None:
    erased = lifetime.erased(machine("b"), store)
    looked = threading.Event()

    class Broken(Erased):
        def __init__(self) -> None:
            self.first = True

        def without(self, batch: StoreBatch) -> StoreBatch:
            return erased.without(batch)

        def after(self, stored: StoreBatch) -> None:
            if self.first:  # stored, and then nobody answers
                self.first = False
                Tombstones(build.open_documents(machine("a"), FOLDER)).add("e", LATER, [("user_id", "ann")])
                looked.set()
                raise StateUnavailable("shared state: nobody answers")
            erased.after(stored)

    there = Working(store, Broken())
    try:
        there.collect("ann", "bob")
        assert looked.wait(60)
        there.stored()
        assert users(store) == ["bob"]
    finally:
        there.close()


def test_a_worker_that_cannot_read_the_erasures_stores_nothing_until_it_can(
    machine: Machine, store: Store, url: str
) -> None:
    deployment = build.open_deployment(machine("b"))
    there = Working(store, lifetime.erased(machine("b"), store))
    try:
        there.collect("bob")
        there.stored()
        assert health.check(deployment).ready
        hide(store, url)
        there.collect("eve")
        parts = {part.name: part for part in health.check(deployment).parts}
        assert parts["store"].ok
        assert not parts["state"].ok
        assert "nothing is stored without it" in parts["state"].note
        assert there.log.stats().entries == 1
        assert users(store) == ["bob"]
        show(store, url)
        there.stored()
        assert users(store) == ["bob", "eve"]
        assert health.check(deployment).ready
    finally:
        there.close()
        deployment.store.close()


def test_the_erasures_of_every_data_folder_are_taken_over_with_their_keys(machine: Machine, store: Store) -> None:
    for name in ("a", "b"):
        folder = build.data_dir(machine(name)) / FOLDER
        Tombstones(FolderDocuments(folder)).add(f"of-{name}", LATER, [("user_id", name)])
    for name in ("a", "b"):
        lifetime.tombstones(machine(name))
    known = lifetime.tombstones(machine("c"))
    assert {tombstone.erasure for tombstone in known.all()} == {"of-a", "of-b"}
    batch = StoreBatch("x", [web_page_view(n, user_id=user) for n, user in enumerate(["a", "b", "c"])])
    assert [event.user_id for event in known.without(batch).events] == ["c"]


def test_an_order_that_broke_off_is_finished_on_another_machine(machine: Machine, store: Store) -> None:
    store.write(StoreBatch("x", [web_page_view(1, user_id="ann")]))
    lifetime.erasing(machine("a"), store).order(ANN, at=LATER, by="op")
    elsewhere = lifetime.erasing(machine("b"), store)
    (order,) = elsewhere.unfinished()
    assert elsewhere.carry_out(order, lambda: 1.0).left == 0
    assert users(store) == []
    assert lifetime.erasing(machine("a"), store).unfinished() == []
    assert [report.id for report in lifetime.erasing(machine("a"), store).reports()] == [order.id]
    book = build.open_book(machine("a"), FOLDER)
    assert not any(b'"ann"' in (body or b"") for commit in book.after(0) for body in commit.changes.values())


def test_rules_and_notes_are_shared_and_an_erasure_reaches_them(machine: Machine, store: Store) -> None:
    edits = EditOptions(set=["parameters.uid=ann"])
    rule = Rules(build.open_kept(machine("a"))).keep("3f2a9c01d7", "who", edits, by="op", at=5)
    CauseWords(build.open_kept(machine("a"))).put(CauseWord("3f2a9c01d7", note="see ticket 7"))
    there = build.open_kept(machine("b"))
    assert Rules(there).all() == [rule]
    assert CauseWords(there).of("3f2a9c01d7").note == "see ticket 7"
    erase(machine("b"), store)
    assert Rules(build.open_kept(machine("a"))).all() == []
    assert CauseWords(build.open_kept(machine("a"))).of("3f2a9c01d7").note == "see ticket 7"


def test_spend_and_what_alerts_seal_on_one_machine_are_read_on_another(machine: Machine, store: Store) -> None:
    own_key(build.data_dir(machine("b")))
    before = Seal(own_key(build.data_dir(machine("b")))).close("https://chat.example/before")
    closed = build.open_alert_means(machine("a")).seal.close("https://chat.example/secret")
    there = build.open_alert_means(machine("b")).seal
    assert there.open(closed) == "https://chat.example/secret"
    assert build.open_alert_means(machine("c")).seal.open(before) == "https://chat.example/before"
    book = SpendBook(SavedDatabase(tables(machine("a"))))
    book.take("date,amount,currency,channel\n2026-03-01,12.5,EUR,paid\n")
    there_too = SpendBook(SavedDatabase(tables(machine("b"))))
    assert there_too.by("channel", "2026-03-01", "2026-03-01", (), "EUR") == {"paid": 12.5}


def tables(settings: Settings) -> SharedTables:
    opened = build.open_console(settings)
    assert opened is not None
    return opened


def test_one_machine_runs_retention_each_day(machine: Machine) -> None:
    here, there = (Daily(machine(name).retention, build.open_documents(machine(name), FOLDER)) for name in ("a", "b"))
    day = LATER / 1000
    while not here.due(day):
        day += 3600
    assert there.due(day)
    here.done(day)
    assert not there.due(day)
    assert there.due(day + 86_400)


def schema(version: str) -> dict[str, object]:
    return {
        "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
        "description": "A cart",
        "self": {"vendor": "com.acme", "name": "cart", "format": "jsonschema", "version": version},
        "type": "object",
        "properties": {"quantity": {"type": "integer", "description": "How many", "minimum": 0, "maximum": 100}},
        "additionalProperties": False,
    }


def test_a_schema_that_is_published_on_one_machine_validates_on_another(machine: Machine, store: Store) -> None:
    key = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-0")
    there, validator = build.open_iglu(machine("b"))
    with pytest.raises(SchemaResolutionError):
        there.schema(key)
    here, _ = build.open_iglu(machine("a"))
    publish(schema("1-0-0"), build.local_schemas(machine("a")), here)

    def known() -> bool:
        try:
            return there.schema(key)["self"] == schema("1-0-0")["self"]
        except SchemaResolutionError:
            return False

    wait_until(known, "the schema is known elsewhere")
    assert not isinstance(validator.check(SelfDescribing(key, {"quantity": 3})), Invalid)
    assert isinstance(validator.check(SelfDescribing(key, {"quantity": "three"})), Invalid)
    elsewhere = build.local_schemas(machine("b"))
    assert not elsewhere.put(key, {**schema("1-0-0"), "description": "Another"}, replace=False)
    elsewhere.remove(key)
    assert build.local_schemas(machine("a")).keys() == []
    assert not (build.data_dir(machine("a")) / "schemas" / key.path).exists()


def test_the_schemas_of_every_data_folder_are_taken_over_and_are_there_during_an_outage(
    machine: Machine, store: Store, url: str
) -> None:
    for name, version in (("a", "1-0-0"), ("b", "1-0-1"), ("c", "1-0-0")):
        file = build.data_dir(machine(name)) / "schemas/com.acme/cart/jsonschema" / version
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({**schema(version), "description": f"of {name}"}))
    keys = [SchemaKey.parse(f"iglu:com.acme/cart/jsonschema/{version}") for version in ("1-0-0", "1-0-1")]
    for name in ("a", "b", "c", "d"):
        found = build.local_schemas(machine(name)).lookup(keys[0])
        assert isinstance(found, dict)
        assert found["description"] == "of a"
    assert build.local_schemas(machine("a")).keys() == build.local_schemas(machine("d")).keys() == keys
    aside = build.data_dir(machine("c")) / "schemas/com.acme/cart/jsonschema/1-0-0.before-sharing"
    assert json.loads(aside.read_text())["description"] == "of c"
    hide(store, url)
    assert build.local_schemas(machine("d")).keys() == keys
    with pytest.raises(StateUnavailable):
        build.local_schemas(machine("d")).put(keys[0], schema("1-0-0"), replace=True)


def test_a_console_for_others_starts_without_the_store_and_lets_nobody_in(
    machine: Machine, store: Store, url: str
) -> None:
    settings = machine("a")
    console = settings.console.model_copy(update={"host": "0.0.0.0"})
    settings = settings.model_copy(update={"console": console})
    with pytest.raises(SettingsError, match="no admin yet"):
        open_doors(settings)
    hide(store, url)
    doors = open_doors(settings)
    with pytest.raises(StateUnavailable):
        doors.access.has_people()
    doors.access.close()


def hide(store: Store, url: str) -> None:
    """Let the shared state be unreachable while the store works."""
    in_postgres = url.startswith("postgres")
    change = "ALTER TABLE atomic.snowgauge_state RENAME TO hidden"
    store.query(change if in_postgres else "RENAME TABLE atomic.snowgauge_state TO atomic.hidden", read_only=False)


def show(store: Store, url: str) -> None:
    in_postgres = url.startswith("postgres")
    change = "ALTER TABLE atomic.hidden RENAME TO snowgauge_state"
    store.query(change if in_postgres else "RENAME TABLE atomic.hidden TO atomic.snowgauge_state", read_only=False)


def test_without_a_key_nothing_starts(machine: Machine) -> None:
    settings = machine("a")
    no_key = settings.shared_state.model_copy(update={"key": SecretStr("")})
    with pytest.raises(SettingsError, match=r"shared_state\.key"):
        lifetime.tombstones(settings.model_copy(update={"shared_state": no_key}))
