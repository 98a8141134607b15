"""After an erasure nothing anywhere holds the person, and everybody else is as before."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.actions.lifetime.erasing import Erasing
from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.marks import Finder, Marks, person
from snowgauge.actions.lifetime.person_export import export_person
from snowgauge.actions.lifetime.places import EventLogPlace, Place, store_places
from snowgauge.actions.lifetime.pruning import pruned_record
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.delivery.contract import Processed
from snowgauge.delivery.journal import Journal
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.spool import SpoolLog
from snowgauge.errors import SnowgaugeError
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Tally
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode, encode
from snowgauge.pipeline.personal_places import JournalPlace
from snowgauge.state.documents import FolderDocuments
from snowgauge.store.base import Store, StoreBatch
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view

CANARY = "canary-7d1e"
MAIL = "canary@example.com"
URI = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
EVERYBODY = [("user_id", CANARY), ("email", MAIL)]
NOW = NOON + 10**9


def body(*items: dict[str, Any]) -> str:
    schema = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
    return json.dumps({"schema": schema, "data": list(items)})


def payload(**fields: Any) -> CollectorPayload:
    given = {"timestamp": NOON, "path": "/com.snowplowanalytics.snowplow/tp2", "ip_address": "203.0.113.5", **fields}
    return CollectorPayload(**given)


def cx(data: Any) -> str:
    text = json.dumps({"schema": "iglu:x/contexts/jsonschema/1-0-1", "data": [{"schema": URI, "data": data}]})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


MINE = [
    payload(body=body({"e": "pv", "uid": CANARY})),
    payload(querystring=urlencode({"e": "pv", "uid": CANARY})),
    payload(body=body({"e": "ue", "cx": cx({"userId": CANARY})})),
    payload(querystring=urlencode({"e": "pv", "url": f"https://x.example/?m={quote(MAIL)}"})),
    payload(path="/com.acme/v1", body=json.dumps({"deep": [{"mail": MAIL}]}), content_type="application/json"),
    payload(path="/com.acme/v1", body=urlencode({"user_id": CANARY}), content_type="application/x-www-form-urlencoded"),
]
OTHERS = [
    payload(body=body({"e": "pv", "uid": "bob"})),
    payload(querystring="e=pv&uid=bob"),
    payload(body="not json {"),
]


class World:
    """A deployment's data around one store."""

    def __init__(self, folder: Path, store: Store, log: Any = None) -> None:
        self.folder = folder
        self.store = store
        self.log = log or SpoolLog(folder / "spool", min_free_bytes=0)
        self.journal = Journal(folder / "journal")
        lifetime = store.lifetime()
        self.lifetime = lifetime
        self.tombstones = Tombstones(FolderDocuments(folder / "privacy"))
        places: list[Place] = [EventLogPlace(self.log), JournalPlace(folder / "journal"), *store_places(lifetime)]
        self.erasing = Erasing(places, self.tombstones, Gate(folder, wait=2))

    def fill(self) -> None:
        writer = self.log.writer()
        writer.append([LogEntry(encode(one), NOON) for one in (*MINE, *OTHERS)])
        bad = {"schema": "iglu:a/size_violation/jsonschema/1-0-0", "data": {"payload": f"uid {MAIL}"}}
        writer.append([LogEntry(msgspec.json.encode(bad), NOON, "bad_row")])
        writer.close()
        own = [
            web_page_view(1, user_id=CANARY),
            web_page_view(2, contexts=[described(URI, {"id": "1", "userId": CANARY})]),
            web_page_view(3, se_label=f"mail to {MAIL.upper()}, please"),
            web_page_view(4, page_url=f"https://x.example/?u={quote(MAIL)}"),
        ]
        others = [web_page_view(n, user_id="bob") for n in range(10, 14)]
        record = encode(payload(body=body({"e": "pv", "uid": CANARY}, {"e": "bad", "uid": "bob"})))
        failed = [
            schema_violation(1, data={"payload": {"raw": {"parameters": [{"name": "uid", "value": CANARY}]}}}),
            schema_violation(2, record=record, event_index=1),
            schema_violation(3, record=encode(MINE[0])),
            schema_violation(4, record=encode(OTHERS[0])),
        ]
        incomplete = [web_page_view(30, user_id=CANARY), web_page_view(31, user_id="bob")]
        self.store.write(StoreBatch("stored", own, failed, incomplete))
        self.store.write(StoreBatch("others", others))
        waiting = StoreBatch(
            "waiting", [web_page_view(40, user_id=CANARY), web_page_view(41)], [failed[1]], [web_page_view(42)]
        )
        self.journal.save(Processed(waiting, Tally(3, 2, 1)))

    def run(self, identifiers: list[tuple[str, str]], at: int = NOW) -> Any:
        order = self.erasing.order(identifiers, at=at, by="op", reason="ticket 7")
        return self.erasing.carry_out(order, lambda: at / 1000 + 1)

    def texts(self) -> Iterator[bytes]:
        """Every form in which something is held."""
        for kind in ("good", "failed", "incomplete"):
            for row in self.lifetime.scan(kind):
                yield repr(row).encode()
                record = getattr(row, "record", None)
                if record:
                    yield record
        for file in sorted(self.folder.rglob("*")):
            if file.is_file() and not file.name.endswith("-shm"):
                yield file.read_bytes()
        for entry in self.log.peek():
            yield entry.body


@pytest.fixture(params=["memory", "clickhouse", "postgres"])
def store(request: pytest.FixtureRequest, new_store: Any) -> Store:
    made: Store = new_store(request.param)
    return made


@pytest.fixture
def plain_world(tmp_path: Path) -> World:
    made = World(tmp_path, MemoryStore())
    made.fill()
    return made


@pytest.fixture
def world(tmp_path: Path, store: Store) -> World:
    made = World(tmp_path, store)
    made.fill()
    return made


def test_nothing_holds_the_person_and_everybody_else_is_as_before(world: World) -> None:
    report = world.run(EVERYBODY)
    for text in world.texts():
        for form in (CANARY, MAIL, quote(MAIL), MAIL.upper(), base64.b64encode(b'"uid": "' + CANARY.encode()).decode()):
            assert form.encode() not in text
    assert {row.user_id for row in world.lifetime.scan("good")} == {"bob"}
    assert len(list(world.lifetime.scan("good"))) == 4
    kept = list(world.lifetime.scan("failed"))
    assert [row.id for row in kept] == [schema_violation(2).id, schema_violation(4).id]
    # the other visitor's event is still in its place in the request that both were in
    data = json.loads(decode(kept[0].record).body or "")["data"]
    assert data == [{}, {"e": "bad", "uid": "bob"}]
    assert [row.user_id for row in world.lifetime.scan("incomplete")] == ["bob"]
    waiting = [decode(entry.body) for entry in world.log.peek() if entry.kind == "payload"]
    assert waiting == OTHERS
    processed = world.journal.load("waiting")
    assert processed is not None
    assert [event.event_id for event in processed.batch.events] == [web_page_view(41).event_id]
    assert processed.tally == Tally(3, 1, 1, 1)
    assert {taken.place: (taken.removed, taken.changed) for taken in report.taken} == {
        "event_log": (7, 0), "journal": (1, 1), "events": (4, 0), "failed_events": (2, 1), "incomplete_events": (1, 0),
    }  # fmt: skip
    assert (report.by, report.reason, report.left) == ("op", "ticket 7", 0)


def test_entities_of_an_erased_event_go_with_it(new_store: Any, tmp_path: Path) -> None:
    world = World(tmp_path, new_store("postgres"))
    world.fill()
    before = world.store.query("SELECT count(*) FROM atomic.com_snowplowanalytics_snowplow_web_page_1").rows[0][0]
    world.run(EVERYBODY)
    left = world.store.query(
        "SELECT count(*), count(e.event_id) FROM atomic.com_snowplowanalytics_snowplow_web_page_1 w "
        "LEFT JOIN atomic.events e ON e.event_id = w.root_id AND e.collector_tstamp = w.root_tstamp"
    ).rows[0]
    assert before > left[0] > 0
    assert left[0] == left[1]


def test_a_plan_changes_nothing_and_says_what_would_go(world: World) -> None:
    before = list(world.texts())
    plan = world.erasing.plan(EVERYBODY)
    assert {count.place: count.items for count in plan.places} == {
        "event_log": 7, "journal": 2, "events": 4, "failed_events": 3, "incomplete_events": 1,
    }  # fmt: skip
    seen = dict.fromkeys(kind for kind, _, _ in plan.seen_with)
    assert set(seen) == {"domain_userid", "network_userid"}
    assert list(world.texts()) == before


def test_an_erasure_twice_finds_nothing_the_second_time(plain_world: World) -> None:
    plain_world.run(EVERYBODY)
    assert sum(taken.removed + taken.changed for taken in plain_world.run(EVERYBODY, NOW + 1).taken) == 0
    assert len(list(plain_world.erasing.reports())) == 2


def test_what_the_person_does_later_is_not_concerned(tmp_path: Path) -> None:
    world = World(tmp_path, MemoryStore(), MemoryLog())
    world.fill()
    world.run(EVERYBODY)
    later = web_page_view(60, user_id=CANARY, collector_tstamp=NOW + 1)
    earlier = web_page_view(61, user_id=CANARY, collector_tstamp=NOW - 1)
    assert not world.tombstones.covers(later)
    assert world.tombstones.covers(earlier)
    assert world.tombstones.covers(encode(MINE[0]))
    assert not world.tombstones.covers(encode(OTHERS[0]))
    assert world.tombstones.pruned(encode(MINE[0])) is None
    kept = world.tombstones.without(StoreBatch("x", [later, earlier], [schema_violation(1)], [earlier]))
    assert (kept.events, len(kept.failed), kept.incomplete) == ([later], 1, [])


def test_the_first_erasures_of_a_folder_at_the_same_moment_have_one_key(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from snowgauge.actions.lifetime.tombstones import Tombstones\n"
        "print(flush=True); sys.stdin.readline()\n"
        "from snowgauge.state.documents import FolderDocuments\n"
        "Tombstones(FolderDocuments(Path(sys.argv[1]) / 'privacy')).add(sys.argv[2], 9, [('user_id', sys.argv[2])])"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), f"person-{number}"], stdin=-1, stdout=-1)
        for number in range(4)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline()
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in started:
        process.communicate()
        assert process.returncode == 0
    kept = Tombstones(FolderDocuments(tmp_path / "privacy"))
    for number in range(4):
        assert kept.covers(web_page_view(1, user_id=f"person-{number}", collector_tstamp=8)), number
    assert [file.name for file in (tmp_path / "privacy").iterdir() if file.suffix == ".new"] == []


def test_tombstones_and_reports_name_nobody(tmp_path: Path) -> None:
    world = World(tmp_path, MemoryStore(), MemoryLog())
    world.fill()
    world.run(EVERYBODY)
    for file in (tmp_path / "privacy").rglob("*"):
        if file.is_file():
            assert CANARY.encode() not in file.read_bytes()
            assert MAIL.encode() not in file.read_bytes()
            assert file.stat().st_mode & 0o077 == 0


def test_an_erasure_waits_for_the_batch_that_is_being_stored_and_gives_up(tmp_path: Path) -> None:
    world = World(tmp_path, MemoryStore(), MemoryLog())
    world.fill()
    with Gate(tmp_path).storing(), pytest.raises(SnowgaugeError, match="try again"):
        world.run(EVERYBODY)
    (order,) = world.erasing.unfinished()
    assert world.erasing.carry_out(order, lambda: NOW / 1000).left == 0
    assert world.erasing.unfinished() == []


@pytest.mark.parametrize("wrong", [[], [("user_id", " ")], [("email", "nobody")], [("word", "a")]])
def test_whom_it_would_mean_must_be_clear(tmp_path: Path, wrong: list[tuple[str, str]]) -> None:
    with pytest.raises(SnowgaugeError):
        World(tmp_path, MemoryStore(), MemoryLog()).erasing.plan(wrong)


def test_a_person_gets_everything_that_an_erasure_would_take_and_nothing_of_others(
    tmp_path: Path, plain_world: World
) -> None:
    folder = tmp_path / "for-them"
    counts = export_person(plain_world.erasing, EVERYBODY, folder)
    assert counts == {"event_log": 7, "journal": 2, "events": 4, "failed_events": 3, "incomplete_events": 1}
    for name, count in counts.items():
        text = (folder / f"{name}.json").read_text()
        assert len(json.loads(text)) == count
        assert (folder / f"{name}.csv").read_text().count("\n") >= count + 1
        assert "bob" not in text
    with pytest.raises(SnowgaugeError, match="not empty"):
        export_person(plain_world.erasing, EVERYBODY, folder)


KILLED = """
import os, sys, signal
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from snowgauge.actions.lifetime import places
from snowgauge.delivery.spool import SpoolLog, amend
from snowgauge.actions.lifetime.erasing import Erasing
from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.state.documents import FolderDocuments
from snowgauge.pipeline.personal_places import JournalPlace
from snowgauge.store.memory import MemoryStore
folder, step = Path(sys.argv[1]), int(sys.argv[2])
steps = 0
def tick(*_):
    global steps
    steps += 1
    if steps == step:
        os.kill(os.getpid(), signal.SIGKILL)
log = SpoolLog(folder / "spool", min_free_bytes=0)
parts = [places.EventLogPlace(log), JournalPlace(folder / "journal"), *places.store_places(MemoryStore().lifetime())]
erasing = Erasing(parts, Tombstones(FolderDocuments(folder / "privacy")), Gate(folder))
(order,) = erasing.unfinished()
erasing.carry_out(order, lambda: 1.0, tick)
"""


@pytest.mark.parametrize("step", [1, 4, 8])
def test_an_erasure_that_was_killed_is_gone_on_with(tmp_path: Path, step: int) -> None:
    store = MemoryStore()
    world = World(tmp_path, store)
    world.fill()
    world.erasing.order(EVERYBODY, at=NOW, by="op")
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(step), ""], check=False)
    assert done.returncode == -9
    (order,) = world.erasing.unfinished()
    assert world.erasing.carry_out(order, lambda: NOW / 1000).left == 0
    # the order itself, which named the person, is gone too
    for text in world.texts():
        assert CANARY.encode() not in text
        assert MAIL.encode() not in text
    assert len([entry for entry in world.log.peek() if entry.kind != "erased"]) == len(OTHERS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
wrapped = st.recursive(
    st.sampled_from([CANARY, f"see {CANARY}!", f"https://x.example/a?b={CANARY}"]),
    lambda inner: st.one_of(
        st.builds(lambda value, other: {"k": value, "o": other}, inner, json_values),
        st.builds(lambda value, other: [other, value], inner, json_values),
        inner.map(json.dumps),
        inner.map(lambda value: base64.urlsafe_b64encode(json.dumps({"v": value}).encode()).decode()),
        inner.map(lambda value: urlencode({"a": "1", "v": value if isinstance(value, str) else json.dumps(value)})),
    ),
    max_leaves=4,
)


@given(value=wrapped, other=json_values, where=st.sampled_from(["body", "querystring", "item", "header", "entity"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_word_is_found_however_it_is_wrapped(value: Any, other: Any, where: str) -> None:
    finder = Finder(person([("word", CANARY)]))
    text = value if isinstance(value, str) else json.dumps(value)
    item: Any = {
        "body": payload(path="/com.acme/v1", body=text),
        "querystring": payload(querystring=urlencode({"p": text})),
        "item": payload(body=body({"e": "pv", "p": text})),
        "header": payload(headers=[f"X-Thing: {text}"]),
        "entity": web_page_view(1, contexts=[described(URI, {"x": value, "y": other})]),
    }[where]
    if "%" in text and where == "header":
        return
    assert finder.by(item) is not None
    if isinstance(item, CollectorPayload):
        assert pruned_record(encode(item), finder.marks, finder.by_any) is None


@given(value=json_values)
@settings(deadline=None)
def test_what_has_no_mark_of_the_person_is_left_alone(value: Any) -> None:
    record = encode(payload(body=json.dumps(value), querystring="e=pv"))
    finder = Finder(person([("word", CANARY), ("user_id", CANARY)]))
    assert pruned_record(record, finder.marks, finder.by_any) is record


@pytest.mark.parametrize(
    ("item", "mark"),
    [
        (web_page_view(1, user_id="u1"), ("user_id", "u1")),
        (web_page_view(1, refr_domain_userid="d1"), ("domain_userid", "d1")),
        (web_page_view(1, page_url="https://x.example/?_sp=d2.17000"), ("domain_userid", "d2")),
        (payload(headers=["Cookie: a=b; _sp_id.1fff=d3.17.1; sp=n1"]), ("domain_userid", "d3")),
        (payload(headers=["Cookie: a=b; sp=n1"]), ("network_userid", "n1")),
        (payload(network_user_id="n2"), ("network_userid", "n2")),
        (payload(ip_address="2001:db8::1"), ("ip", "2001:db8::1")),
        (payload(headers=["X-Forwarded-For: 10.0.0.1, 198.51.100.4"]), ("ip", "198.51.100.4")),
        ({"user_id": 42}, ("user_id", "42")),
        ({"customer-id": "c"}, ("user_id", "c")),
        ("reach me: Ann.B+x@Example.co.uk, thanks", ("email", "ann.b+x@example.co.uk")),
    ],
)
def test_marks_by_place(item: Any, mark: tuple[str, str]) -> None:
    assert mark in set(Marks(["customerId"]).of(item))


@pytest.mark.parametrize(
    ("item", "kind"), [({"quantity": "42"}, "user_id"), (web_page_view(1, txn_id=42), "user_id"), ({"id": "42"}, "ip")]
)
def test_a_value_in_another_place_is_no_mark(item: Any, kind: str) -> None:
    assert (kind, "42") not in set(Marks().of(item))
