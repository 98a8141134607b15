"""Acknowledged means kept."""

from __future__ import annotations

import asyncio
import threading

import pytest

from snowgauge.collector.app import create_app
from snowgauge.collector.settings import CollectorSettings
from snowgauge.collector.submit import Submitter
from snowgauge.delivery.memory import MemoryLog
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.testing.asgi import Client, call, scope


class Disk:
    """A writer over the memory log whose disk can be slow, full or broken."""

    def __init__(self):
        self.log = MemoryLog()
        self._writer = self.log.writer()
        self.broken: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.groups: list[int] = []
        self.closed = False

    def append(self, entries):
        self.open.wait()
        if self.broken:
            raise self.broken
        self._writer.append(entries)
        self.groups.append(len(entries))

    def healthy(self):
        return self.broken is None

    def close(self):
        self.closed = True
        self._writer.close()

    @property
    def bodies(self):
        return [entry.body for entry in self.log.peek()]


@pytest.fixture
def disk():
    return Disk()


@pytest.mark.parametrize("failure", [LogUnavailable("the disk is full"), OSError("gone"), RuntimeError("a bug")])
def test_what_cannot_be_kept_is_not_acknowledged_and_recovers_by_itself(disk, failure):
    with Client(create_app(CollectorSettings(), disk)) as client:
        assert client.request("GET", "/sink-health").status == 200
        disk.broken = failure
        answer = client.request("POST", "/a/b", [("Origin", "https://a.example")], b"{}")
        assert (answer.status, answer["retry-after"]) == (503, "5")
        assert answer["access-control-allow-origin"] == "https://a.example"
        assert answer["set-cookie"] is None
        assert client.request("GET", "/i").status == 503
        sick = client.request("GET", "/sink-health")
        assert (sick.status, sick.body) == (503, b"Service Unavailable")
        assert client.request("GET", "/health").status == 200
        disk.broken = None
        assert client.request("POST", "/a/b", body=b"{}").status == 200
        assert client.request("GET", "/sink-health").status == 200
    assert len(disk.bodies) == 1
    assert disk.closed


def test_no_answer_before_the_write_has_ended(disk):
    async def scenario():
        app = create_app(CollectorSettings(), disk)
        disk.open.clear()
        waiting = asyncio.ensure_future(call(app, scope("GET", "/i")))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        disk.open.set()
        assert (await waiting).status == 200
        await app.close()

    asyncio.run(scenario())


def test_requests_share_writes(disk):
    async def scenario():
        app = create_app(CollectorSettings(), disk)
        answers = await asyncio.gather(*[call(app, scope("GET", f"/i?n={n}")) for n in range(500)])
        assert {answer.status for answer in answers} == {200}
        await app.close()

    asyncio.run(scenario())
    assert sum(disk.groups) == 500
    assert len(disk.groups) < 50


def test_a_log_that_stalls_gets_503_in_time_and_the_next_request_is_served(disk):
    async def scenario():
        app = create_app(CollectorSettings.model_validate({"networking": {"response_header_timeout": "50 ms"}}), disk)
        disk.open.clear()
        stalled = await call(app, scope("GET", "/i"))
        assert (stalled.status, stalled["retry-after"]) == (503, "5")
        disk.open.set()
        assert (await call(app, scope("GET", "/i"))).status == 200
        await app.close()

    asyncio.run(scenario())


def test_a_full_queue_is_refused_not_grown(disk):
    async def scenario():
        submitter = Submitter(disk, max_waiting_bytes=100)
        disk.open.clear()
        entry = LogEntry(b"x" * 60, 1)
        first = asyncio.ensure_future(submitter.submit([entry]))
        await asyncio.sleep(0)
        with pytest.raises(LogUnavailable, match="max_waiting_bytes"):
            await submitter.submit([entry])
        disk.open.set()
        await first
        # a single large one is let in when nothing waits: otherwise it never would be
        await submitter.submit([LogEntry(b"x" * 500, 1)])
        await submitter.close()

    asyncio.run(scenario())
    assert len(disk.bodies) == 2


def test_closing_writes_what_waits_and_refuses_what_comes(disk):
    async def scenario():
        submitter = Submitter(disk, max_waiting_bytes=10**6)
        waiting = [asyncio.ensure_future(submitter.submit([LogEntry(b"%d" % n, n)])) for n in range(20)]
        await asyncio.sleep(0)
        await submitter.close()
        with pytest.raises(LogUnavailable):
            await submitter.submit([LogEntry(b"late", 1)])
        await asyncio.gather(*waiting)
        await submitter.close()

    asyncio.run(scenario())
    assert disk.bodies == [b"%d" % n for n in range(20)]
    assert disk.closed


def test_one_request_given_up_does_not_disturb_its_group(disk):
    async def scenario():
        submitter = Submitter(disk, max_waiting_bytes=10**6)
        tasks = [asyncio.ensure_future(submitter.submit([LogEntry(b"%d" % n, n)])) for n in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(tasks[0], tasks[2])
        await submitter.close()

    asyncio.run(scenario())


def test_a_failed_write_counts_against_health_for_a_while_only(disk):
    now = [100.0]

    async def scenario():
        submitter = Submitter(disk, max_waiting_bytes=10**6, monotonic=lambda: now[0])
        disk.broken = LogUnavailable("full")
        with pytest.raises(LogUnavailable):
            await submitter.submit([LogEntry(b"x", 1)])
        disk.broken = None
        assert not submitter.healthy()
        now[0] += 5.1
        assert submitter.healthy()
        await submitter.close()
        assert not submitter.healthy()

    asyncio.run(scenario())
