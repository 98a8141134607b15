"""Suites reset, send and look, two hundred times, beside others that do the same, and always see what they sent."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from snowgauge.testing.micro import Micro, MicroClient

RUNS = 200
TP2 = "/com.snowplowanalytics.snowplow/tp2"
PAYLOAD = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"


@pytest.fixture(scope="module")
def micro():
    with Micro("--set", "iglu.iglu_central=false", "--set", "logging.level=ERROR") as running:
        yield running


def send(micro: MicroClient, *events):
    body = {"schema": PAYLOAD, "data": [{"p": "web", "tv": "py-1.0", **event} for event in events]}
    request = urllib.request.Request(micro.url + TP2, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


@contextmanager
def busy(micro: MicroClient) -> Iterator[None]:
    """Others who look at the same Micro all the time, without sending anything."""
    done = threading.Event()

    def look() -> int:
        looks = 0
        while not done.is_set():
            micro.all()
            micro.ask("events", {"filters": [], "page": 1, "pageSize": 20})
            micro.ask("columns")
            looks += 1
        return looks

    with ThreadPoolExecutor(3) as others:
        looking = [others.submit(look) for _ in range(3)]
        try:
            yield
        finally:
            done.set()
        assert all(one.result() for one in looking)


@pytest.mark.e2e
def test_what_was_sent_is_there_at_the_first_look(micro) -> None:
    with busy(micro):
        check_every_run(micro)


def check_every_run(micro: MicroClient) -> None:
    for run in range(RUNS):
        micro.reset()
        assert micro.all() == {"total": 0, "good": 0, "bad": 0}
        send(micro, {"e": "pv", "aid": f"run{run}"}, {"e": "pv", "eid": "bad"})
        send(micro, {"e": "se", "se_ca": "a", "se_ac": "b", "aid": f"run{run}"})
        assert [event["event"]["event"] for event in micro.good()] == ["struct", "page_view"]
        assert {event["event"]["app_id"] for event in micro.good()} == {f"run{run}"}
        assert len(micro.bad()) == 1


@pytest.mark.e2e
def test_many_at_once_each_see_their_own(micro) -> None:
    micro.reset()
    start = threading.Barrier(8)

    def suite(number: int) -> None:
        start.wait()
        for run in range(RUNS // 8):
            send(micro, *({"e": "pv", "aid": f"app{number}", "uid": f"{run}/{event}"} for event in range(3)))
            wanted = {"filters": [{"column": "app_id", "values": [f"app{number}"]}], "page": 1, "pageSize": 3}
            page = micro.ask("events", wanted)
            assert [event["user_id"] for event in page["events"]] == [f"{run}/2", f"{run}/1", f"{run}/0"]
            assert page["totalItems"] == 3 * (run + 1)

    with ThreadPoolExecutor(8) as suites:
        for done in [suites.submit(suite, number) for number in range(8)]:
            done.result()
    assert micro.all() == {"total": 3 * 8 * (RUNS // 8), "good": 3 * 8 * (RUNS // 8), "bad": 0}
