"""`snowgauge load` into ClickHouse, from topics as they are in the wild, and from files."""

from __future__ import annotations

import json
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.testing import kafka
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.engine import EngineProcess, ask
from snowgauge.testing.events import schema_violation, web_page_view
from snowgauge.testing.kafka import KafkaBrokers
from snowgauge.testing.roles import role

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    running = EngineProcess(tmp_path_factory.mktemp("engine") / "data").start(180)
    yield running
    running.stop()


def settings(engine: EngineProcess, folder: Path, **more: str) -> dict[str, str]:
    return {
        "common.data_dir": str(folder),
        "common.run_as_root": "true",
        "iglu.iglu_central": "false",
        "store.url": engine.url.replace("http://", "clickhouse://default:@"),
        "eventlog.linger": "20 ms",
        "shared_state.key": "the key of all machines",
        **{name.replace("__", "."): value for name, value in more.items()},
    }


def stored(engine: EngineProcess, app: str) -> tuple[int, int]:
    """Events of an application, and how many of them are another's second."""
    sql = f"SELECT count(), count() - uniqExact(event_id) FROM atomic.events WHERE app_id = '{app}' FORMAT TSV"
    answer = ask(engine, sql)
    if answer.status != 200:  # there is no table yet
        return 0, 0
    count, twice = answer.text.split()
    return int(count), int(twice)


def failed(engine: EngineProcess, kind: str) -> int:
    answer = ask(engine, f"SELECT count() FROM atomic.failed_events WHERE failure_type = '{kind}' FORMAT TSV")
    return int(answer.text) if answer.status == 200 else 0


def test_files_are_loaded_once_and_what_is_no_event_is_kept(engine: EngineProcess, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.tsv", tmp_path / "bad.jsonl"
    events = [to_tsv(web_page_view(number, app_id="files")) for number in range(30)]
    good.write_text("\n".join([*events[:20], "no enriched event", *events[20:]]) + "\n")
    rows = [json.loads(schema_violation(number).bad_row_json()) | {"number": number} for number in range(3)]
    bad.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    before = failed(engine, "loader_parsing_error"), failed(engine, "schema_violations")
    for _ in range(2):
        options = ["--from", str(good), "--bad-from", str(bad), "--json"]
        assert role("load", settings(engine, tmp_path / "data"), tmp_path / "log", options).wait(240) == 0
        assert stored(engine, "files") == (30, 0)
        assert failed(engine, "loader_parsing_error") == before[0] + 1
        assert failed(engine, "schema_violations") == before[1] + 3


@pytest.mark.skipif(bool(kafka.missing()), reason=kafka.missing() or "nothing is missing")
def test_topics_with_holes_strangers_large_records_and_made_again(engine: EngineProcess, tmp_path: Path) -> None:
    brokers = KafkaBrokers(tmp_path / "kafka").start()
    name = f"t{uuid.uuid4().hex[:8]}"
    largest = {"max.message.bytes": "4000000"}

    def make() -> None:
        brokers.make_topics(*(f"{name}-{part}" for part in ("enriched", "bad", "enriched-outcomes")), config=largest)

    def enrich(numbers: range, *, size: int = 0) -> None:
        """In transactions, of which every other is aborted: offsets have holes, and what was aborted is no event."""
        client = {"bootstrap.servers": brokers.servers, "transactional.id": name, "message.max.bytes": 4_000_000}
        producer = Producer(client)
        producer.init_transactions(60)
        for number in numbers:
            producer.begin_transaction()
            event = web_page_view(number, app_id=name, page_title="x" * size or None)
            producer.produce(f"{name}-enriched", to_tsv(event).encode())
            if number % 2:
                producer.flush(60)  # a transaction that the broker has not heard of cannot be aborted
                producer.abort_transaction(60)
            else:
                producer.commit_transaction(60)

    def load(number: int) -> subprocess.Popen[bytes]:
        kafka_settings = {"eventlog.kafka.group": name, "eventlog.kafka.session_timeout": "2 s"}
        options = ["--from", brokers.url, "--topic", f"{name}-enriched", "--bad-topic", f"{name}-bad"]
        return role("load", settings(engine, tmp_path / str(number)) | kafka_settings, tmp_path / "log", options)

    before = failed(engine, "loader_parsing_error")
    make()
    running = [load(0)]
    try:
        enrich(range(20))
        strangers = Producer({"bootstrap.servers": brokers.servers})
        for value in (b"no enriched event", b"", b"\xff\xfe\t\t", None):
            strangers.produce(f"{name}-enriched", value)
        strangers.flush(60)
        enrich(range(20, 22), size=2_000_000)
        wait_until(lambda: stored(engine, name) == (11, 0), "all that was committed is stored", within=240)
        wait_until(lambda: failed(engine, "loader_parsing_error") >= before + 3, "strangers are kept", within=180)
        running[0].kill()
        running[0].wait()
        enrich(range(30, 40))
        running.append(load(1))
        wait_until(lambda: stored(engine, name) == (16, 0), "the next loader goes on", within=240)
        brokers.delete_topics(f"{name}-enriched")
        brokers.make_topics(f"{name}-enriched")
        enrich(range(50, 60))
        wait_until(lambda: stored(engine, name) == (21, 0), "a topic made again is read from its beginning", within=240)
        running[1].send_signal(signal.SIGTERM)
        assert running[1].wait(120) == 0
    finally:
        for one in running:
            one.kill()
            one.wait()
        brokers.stop()
