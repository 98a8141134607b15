"""A deployment whose store is unreachable, or takes connections and never answers: what is in front of it stands."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from snowgauge.testing.deployment import Deployment, free_port, wait_until


@pytest.fixture(params=["unreachable", "silent"])
def store_port(request):
    if request.param == "unreachable":
        yield free_port()
        return
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


def test_the_collector_answers_while_the_store_does_not(tmp_path, store_port, monkeypatch):
    running = Deployment(
        tmp_path / "data",
        {"store.url": f"postgresql://snow@127.0.0.1:{store_port}/none", "console.enabled": "false"},
    )
    monkeypatch.setattr(running, "ready", running.collector_up)
    running.start()
    try:
        collector = running.pid("collector")
        wait_until(lambda: "waiting_for" in running.log_tail(), "it is said what is waited for", within=120)
        os.kill(collector, signal.SIGKILL)
        wait_until(lambda: running.pid("collector") != collector and running.collector_up(), "it is started again")
    finally:
        assert running.stop() == 0
