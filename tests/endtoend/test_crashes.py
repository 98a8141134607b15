"""kill -9 under load, an engine that is away, a slow registry, a full disk: what was acknowledged is stored, once."""

from __future__ import annotations

import http.client
import http.server
import json
import random
import subprocess
import threading
import time
import urllib.parse
import uuid
from contextlib import suppress

import pytest

from snowgauge.testing.deployment import Deployment, wait_until

pytestmark = pytest.mark.e2e

SETTINGS = {
    "iglu.iglu_central": "false",
    "console.enabled": "false",
    "eventlog.spool.segment_bytes": "256 KiB",
    "eventlog.max_batch_entries": "100",
    "pipeline.workers": "2",
    "pipeline.collectors": "2",
}
LINK = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1"


def event(event_id, *, good):
    """A self-describing event; the bad one lacks a property that its schema requires."""
    data = {"targetUrl": "http://x.example"} if good else {"elementId": "no target"}
    described = {
        "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
        "data": {"schema": LINK, "data": data},
    }
    return {"e": "ue", "eid": event_id, "p": "web", "tv": "test", "aid": "load", "ue_pr": json.dumps(described)}


class Load:
    """Threads that send events and note what was acknowledged. Nothing is sent twice."""

    def __init__(self, port, threads=3):
        self._port = port
        self._stop = threading.Event()
        self.acknowledged = {}  # event id -> whether it is a good one
        self.unanswered = {}
        self.refused = {}
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number):
        chance = random.Random(number)
        connection = None
        while not self._stop.is_set():
            ids = {str(uuid.uuid4()): chance.random() < 0.8 for _ in range(chance.randint(1, 8))}
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
                if number == 0:
                    ids = dict([next(iter(ids.items()))])
                    ((event_id, good),) = ids.items()
                    connection.request("GET", "/i?" + urllib.parse.urlencode(event(event_id, good=good)))
                else:
                    body = {
                        "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
                        "data": [event(event_id, good=good) for event_id, good in ids.items()],
                    }
                    connection.request(
                        "POST",
                        "/com.snowplowanalytics.snowplow/tp2",
                        json.dumps(body),
                        {"Content-Type": "application/json"},
                    )
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                self.unanswered.update(ids)
                connection.close()
                connection = None
                time.sleep(0.02)
                continue
            (self.acknowledged if response.status == 200 else self.refused).update(ids)
            time.sleep(0.01)
        if connection is not None:
            connection.close()


def check(deployment, load):
    """Acknowledged = enriched + failed, nothing twice, nothing that was never sent; returns when all is stored."""

    def all_there():
        with suppress(OSError):
            return deployment.backlog() == 0 and sum(deployment.stored()) >= len(load.acknowledged)
        return False

    wait_until(all_there, "everything acknowledged is stored", within=180)
    good = [row["event_id"] for row in deployment.sql("SELECT event_id FROM atomic.events")]
    failed = [row["event_id"] for row in deployment.sql("SELECT event_id FROM atomic.failed_events")]
    assert len(good) == len(set(good)), "a good event is there twice"
    assert len(failed) == len(set(failed)), "a failed event is there twice"
    sent = {**load.acknowledged, **load.unanswered}
    assert {i for i, is_good in load.acknowledged.items() if is_good} - set(good) == set(), "good events are missing"
    assert {i for i, is_good in load.acknowledged.items() if not is_good} - set(failed) == set(), "failures are missing"
    assert all(sent[i] for i in good), "an event is there that is not good or was refused"
    assert not any(sent[i] for i in failed)


@pytest.mark.parametrize("rounds", [3])
def test_acknowledged_is_enriched_plus_failed_whatever_is_killed(tmp_path, rounds):
    chance = random.Random()
    with Deployment(tmp_path / "data", SETTINGS) as deployment, Load(deployment.port) as load:
        for _ in range(rounds):
            victims = chance.sample(
                [("collector", 0), ("collector", 1), ("pipeline", 0), ("pipeline", 1), ("clickhouse", 0)], 3
            )
            for role, index in victims:
                time.sleep(chance.uniform(0.05, 0.8))
                deployment.kill(role, index)
            before = len(load.acknowledged)
            wait_until(lambda: len(load.acknowledged) > before + 50, "the collector answers again")  # noqa: B023
        wait_until(deployment.engine_up, "the engine is back")
        load.__exit__()
        assert len(load.acknowledged) > 300
        check(deployment, load)


def test_after_everything_at_once_is_killed_the_next_start_goes_on(tmp_path):
    deployment = Deployment(tmp_path / "data", SETTINGS)
    deployment.start()
    with Load(deployment.port) as load:
        wait_until(lambda: len(load.acknowledged) > 300, "some load")
        deployment.kill_all()
        deployment.start()
        before = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > before + 100, "the collector answers again")
    check(deployment, load)
    assert deployment.stop() == 0


def test_a_stop_loses_nothing_and_ends_in_order(tmp_path):
    deployment = Deployment(tmp_path / "data", SETTINGS)
    deployment.start()
    with Load(deployment.port) as load:
        wait_until(lambda: len(load.acknowledged) > 300, "some load")
        assert deployment.stop() == 0
    deployment.start()
    check(deployment, load)
    assert deployment.stop() == 0


def test_while_the_engine_is_down_events_are_taken_and_stored_later(tmp_path):
    with Deployment(tmp_path / "data", SETTINGS) as deployment, Load(deployment.port) as load:
        for _ in range(12):  # the supervisor starts it again and again
            deployment.kill("clickhouse")
            time.sleep(0.3)
        taken = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > taken + 100, "events are taken without an engine")
        wait_until(deployment.engine_up, "the engine is back")
        load.__exit__()
        assert load.refused == {}
        check(deployment, load)


def test_events_of_a_slow_registry_become_good_and_those_of_a_lost_schema_stay_failed(tmp_path):
    class Registry(http.server.BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self):
            Registry.asked += 1
            time.sleep(1)
            if "here" in self.path and Registry.asked > 2:
                body = json.dumps(
                    {
                        "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
                        "self": {"vendor": "com.acme", "name": "here", "format": "jsonschema", "version": "1-0-0"},
                        "type": "object",
                        "properties": {"a": {"type": "integer"}},
                    }
                ).encode()
                self.send_response(200)
            else:
                body = b"{}"
                self.send_response(503 if "here" in self.path else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings = {
        **SETTINGS,
        "iglu.registries": json.dumps([f"http://127.0.0.1:{server.server_address[1]}"]),
        "iglu.timeout": "10 s",
        "pipeline.auto_recover_interval": "1 s",
    }
    try:
        with Deployment(tmp_path / "data", settings) as deployment:
            for number, name in enumerate(["here", "gone", "here"]):
                described = {
                    "schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
                    "data": {"schema": f"iglu:com.acme/{name}/jsonschema/1-0-0", "data": {"a": number}},
                }
                query = urllib.parse.urlencode(
                    {"e": "ue", "p": "web", "tv": "t", "aid": "slow", "ue_pr": json.dumps(described)}
                )
                connection = http.client.HTTPConnection("127.0.0.1", deployment.port, timeout=5)
                connection.request("GET", f"/i?{query}")
                assert connection.getresponse().status == 200
                connection.close()
            wait_until(lambda: deployment.stored("app_id = 'slow'")[0] == 2, "two good ones")
            waiting = "SELECT failure_type, message FROM atomic.failed_events FINAL WHERE status = 'open'"
            wait_until(lambda: len(deployment.sql(waiting)) == 1, "the recovered ones marked so")
            (row,) = deployment.sql(waiting)
            assert row["failure_type"] == "schema_violations"
            assert "iglu:com.acme/gone/jsonschema/1-0-0" in row["message"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small tmpfs here (needs root): {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_answers_503_and_recovers_by_itself(tmp_path, small_disk):
    settings = {
        **SETTINGS,
        "eventlog.spool.folder": str(small_disk / "spool"),
        "eventlog.spool.segment_bytes": "512 KiB",
    }
    with Deployment(tmp_path / "data", settings) as deployment, Load(deployment.port) as load:
        wait_until(lambda: len(load.acknowledged) > 50, "some load")
        with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        wait_until(lambda: len(load.refused) > 20, "requests are refused")
        (small_disk / "ballast").unlink()
        taken = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > taken + 100, "requests are taken again")
        load.__exit__()
        check(deployment, load)
