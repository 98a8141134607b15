"""The private port while its store hangs: a stopped engine, and a server that takes connections and never answers."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest

from snowgauge.actions import overview
from snowgauge.actions.agent import asking
from snowgauge.actions.doctor.examine import examine
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.console import Browser, PrivatePort, listening
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.engine import EngineProcess

PAGES = ("/api/v1/events", "/api/v1/timeline", "/api/v1/failed/causes", "/api/v1/schemas")


def settings():
    return ClickHouseSettings.model_validate({})


@pytest.fixture(params=["stopped engine", "silent clickhouse", "silent postgres"])
def hung_store(request, tmp_path: Path):
    """A store that hangs, and how to let it go on."""
    if request.param == "stopped engine":
        engine = EngineProcess(tmp_path / "engine", sync=False).start()
        store = ClickHouseStore(settings(), engine_connection(settings(), engine.url))
        store.migrate()
        os.kill(engine.pid, signal.SIGSTOP)
        try:
            yield store
        finally:
            os.kill(engine.pid, signal.SIGCONT)
            engine.stop()
        return
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if request.param == "silent clickhouse":
            yield ClickHouseStore(settings(), engine_connection(settings(), f"http://127.0.0.1:{port}"))
        else:
            yield PostgresStore(f"postgresql://x@127.0.0.1:{port}/x", PostgresSettings(), None)


def test_every_question_is_answered_and_names_the_part_that_hangs(hung_store, tmp_path):
    port = PrivatePort(tmp_path, store=hung_store)
    browser = Browser(port.app)
    answer = browser.get("/api/v1/health")
    assert answer.status_code == 200
    parts = {part["name"]: part for part in answer.json()["parts"]}
    assert (parts["store"]["ok"], parts["store"]["note"]) == (False, "no answer within 2 s")
    assert parts["eventlog"]["ok"]
    for _ in range(3):  # more than there are threads would be a pile; each is refused at once
        for page in PAGES:
            refused = browser.get(page)
            assert refused.status_code == 503, page
            assert "the store does not answer" in refused.json()["detail"]
    ticks = browser.get("/api/v1/first-run/ticks").json()
    assert ticks["notes"] == ["store: no answer within 2 s"]
    assert browser.get("/health").status_code == 200
    assert browser.get("/ready").status_code == 503
    assert not overview.overview(port.deployment).ready
    assert not asking.status(port.deployment).ready
    assert not asking.component_health(port.deployment).healthy
    checks = {check.id: check for check in examine(port.deployment)}
    assert (checks["store"].status, checks["store"].found) == ("fail", "no answer within 2 s")
    assert checks["traffic"].status == "fail"


def test_pages_loaded_again_and_again_leave_threads_for_the_rest(tmp_path: Path) -> None:
    """Questions in flight when the engine stops keep their threads; however many there are, the rest is answered."""
    engine = EngineProcess(tmp_path / "engine", sync=False).start()
    store = ClickHouseStore(settings(), engine_connection(settings(), engine.url))
    store.migrate()
    port = PrivatePort(tmp_path, store=store)
    answers: list[int] = []
    try:
        with (
            listening(port.app) as address,
            httpx.Client(base_url=address, timeout=600, limits=httpx.Limits(max_connections=200)) as browser,
        ):

            def load(page: str) -> None:
                answers.append(browser.get(page).status_code)

            assert browser.get(PAGES[0]).status_code == 200  # so the store has answered just now
            os.kill(engine.pid, signal.SIGSTOP)
            loading = [threading.Thread(target=load, args=(PAGES[n % len(PAGES)],)) for n in range(100)]
            for thread in loading:
                thread.start()
            # all that found no place are refused; what asked while the store was thought to answer still waits
            wait_until(lambda: len(answers) >= 84, "the pages beyond the places are refused")
            assert set(answers) == {503}
            for path in ("/api/v1/health", "/health", "/metrics"):
                assert browser.get(path).status_code == 200, path
            os.kill(engine.pid, signal.SIGCONT)
            for thread in loading:
                thread.join()
            wait_until(lambda: browser.get(PAGES[0]).status_code == 200, "it answers again")
    finally:
        os.kill(engine.pid, signal.SIGCONT)
        port.close()
        engine.stop()
