"""Sinks over the API: how they stand, and their dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from snowgauge.actions.sinks import Sinks
from snowgauge.delivery import place
from snowgauge.delivery.contract import Refusal
from snowgauge.delivery.dead_letters import DeadLetters
from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.events import web_page_view


class Sink:
    """Refuses whoever is called bad."""

    def __init__(self) -> None:
        self.taken: list[StoreBatch] = []

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        if any(event.user_id == "bad" for event in batch.events):
            return [Refusal(batch, "still bad")]
        self.taken.append(batch)
        return ()

    def close(self) -> None: ...


@pytest.fixture
def letters(tmp_path: Path) -> DeadLetters:
    return DeadLetters(tmp_path / "sinks" / "dead-letters", most_bytes=2**20)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def port(tmp_path: Path, letters: DeadLetters, sink: Sink) -> Iterator[PrivatePort]:
    sinks = Sinks(tmp_path / "sinks", ["http.crm"], letters, lambda: {"http.crm": sink}, lambda batch: batch)
    made = PrivatePort(tmp_path, sinks=sinks)
    yield made
    made.close()


def refuse(letters: DeadLetters, name: str, user: str) -> None:
    letters.put("http.crm", Refusal(StoreBatch(name, [web_page_view(1, user_id=user)]), f"no {user}"))


def test_a_sink_that_takes_nothing_is_seen(client: Browser, tmp_path: Path) -> None:
    (ok,) = client.get("/api/v1/sinks").json()
    assert (ok["name"], ok["ok"], ok["waiting"], ok["dead_letters"]) == ("http.crm", True, 0, 0)
    worker = tmp_path / "sinks" / "worker-0"
    worker.mkdir(parents=True)
    place.write(worker / "http.crm.cursor", place.Place(trouble="nobody there", since=place.now_ms() - 120_000))
    (worker / "000000000001.batch").write_bytes(b"x" * 10)
    (broken,) = client.get("/api/v1/sinks").json()
    assert (broken["ok"], broken["waiting"], broken["waiting_bytes"]) == (False, 1, 10)
    assert "nobody there" in broken["note"]
    health = client.get("/api/v1/health").json()
    assert [part["ok"] for part in health["parts"] if part["name"] == "sink http.crm"] == [False]
    place.write(worker / "http.crm.cursor", place.Place(1, passed_by=3, passed_at=place.now_ms()))
    (passed,) = client.get("/api/v1/sinks").json()
    assert (passed["ok"], passed["waiting"], passed["passed_by"]) == (False, 0, 3)
    assert "3 batches passed it by" in passed["note"]


def test_dead_letters_are_listed_sent_again_and_deleted(client: Browser, letters: DeadLetters, sink: Sink) -> None:
    for name, user in (("a", "ann"), ("b", "bad"), ("c", "bob")):
        refuse(letters, name, user)
    path = "/api/v1/sinks/http.crm/dead-letters"
    assert [(one["id"], one["reason"], one["events"]) for one in client.get(path).json()] == [
        ("a", "no ann", 1),
        ("b", "no bad", 1),
        ("c", "no bob", 1),
    ]
    assert client.get("/api/v1/sinks").json()[0]["dead_letters"] == 3
    assert client.post(f"{path}/replay", json={"ids": ["a"]}).json()["delivered"] == 1
    done = client.post(f"{path}/replay", json={}).json()
    assert (done["delivered"], done["refused"], done["left"]) == (1, 1, 0)
    assert [batch.id for batch in sink.taken] == ["a", "c"]
    (left,) = client.get(path).json()
    assert (left["id"], left["attempts"], left["reason"]) == ("b", 2, "still bad")
    assert client.post(f"{path}/discard", json={}).json() == 1
    assert client.get(path).json() == []


def test_what_is_not_there_is_refused(client: Browser, letters: DeadLetters) -> None:
    assert client.get("/api/v1/sinks/nope/dead-letters").status_code == 404
    for ids in (["../../x"], ["nope"]):
        answer = client.post("/api/v1/sinks/http.crm/dead-letters/replay", json={"ids": ids})
        assert answer.status_code == 404, answer.text
    letters.put("http.gone", Refusal(StoreBatch("a", [web_page_view(1)]), "no"))
    answer = client.post("/api/v1/sinks/http.gone/dead-letters/replay", json={})
    assert answer.status_code == 409
    assert "not in the settings any more" in answer.text
    assert client.post("/api/v1/sinks/http.gone/dead-letters/discard", json={}).json() == 1
