"""What growing past one machine costs: the same records from the spool and from Kafka.

    python -m benchmarks.scale [--events 60000] [--seconds 15] [--connections 64] [--workers 1 2]

Workers read what waits in a log that was filled before, into one ClickHouse engine: processor time per event of the
worker, and events per second of one worker and of two. Collectors answer as many connections as they are given, each
with requests of one event, one after the other. Processor time is user and system of the measured processes alone; the
brokers' own is told apart. Rates and delays say something on an idle machine only. It needs Java and Kafka's jars
(`python -m snowgauge.testing.kafka`).
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.end_to_end import event, request
from snowgauge.delivery.backends import Streams
from snowgauge.delivery.contract import EventLog
from snowgauge.delivery.kafka.client import Cluster
from snowgauge.delivery.kafka.topics import Layout, make
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import encode
from snowgauge.testing.deployment import free_port, wait_until
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.kafka import KafkaBrokers, missing
from snowgauge.testing.roles import role

_PER_REQUEST = 10
_PARTITIONS = 8


class Log:
    """One log of a run, as settings of processes and as itself. ``kafka`` or ``spool``."""

    def __init__(self, kind: str, folder: Path, brokers: KafkaBrokers) -> None:
        self.kind = kind
        self.folder = folder
        folder.mkdir()
        self.streams = Streams(f"{folder.name}-good", f"{folder.name}-bad")
        given: dict[str, Any] = {"kafka": {"group": folder.name}} | ({"url": brokers.url} if kind == "kafka" else {})
        settings = EventLogSettings.model_validate(given)
        if kind == "kafka":
            make(Cluster.of(brokers.url, settings.kafka, self.streams), Layout(_PARTITIONS, 1, timedelta(days=1)))
        self.log: EventLog = settings.open(folder, self.streams)
        self.settings = {
            "common.data_dir": str(folder),
            "common.run_as_root": "true",
            "iglu.iglu_central": "false",
            "pipeline.auto_recover": "false",
            "shared_state.key": "the key of all machines",
            "collector.streams.good.name": self.streams.good,
            "collector.streams.bad.name": self.streams.bad,
            "eventlog.kafka.group": folder.name,
            **({"eventlog.url": brokers.url} if kind == "kafka" else {}),
        }

    def fill(self, events: int) -> None:
        """As two collectors would: the spool gives work to two workers then."""
        writers = [self.log.writer(), self.log.writer()]
        for number in range(events // _PER_REQUEST):
            if number % 100 == 0:
                some = [_entry(number + more) for more in range(100)]
                writers[number // 100 % 2].append(some[: events // _PER_REQUEST - number])
        for writer in writers:
            writer.close()

    def waiting(self) -> int:
        try:
            return self.log.stats().entries
        except LogUnavailable:
            return -1


def _entry(number: int) -> LogEntry:
    events = [event(number * _PER_REQUEST + one) for one in range(_PER_REQUEST)]
    body = {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": events}
    now = int(time.time() * 1000)
    payload = CollectorPayload(
        timestamp=now, path="/com.snowplowanalytics.snowplow/tp2", body=msgspec.json.encode(body).decode(),
        content_type="application/json", collector="ssc-3.7.0", ip_address="203.0.113.9", encoding="UTF-8",
    )  # fmt: skip
    return LogEntry(encode(payload), now)


def _used(pid: int) -> float:
    """Seconds of processor time of a process and all below it."""
    top = psutil.Process(pid)
    times = [one.cpu_times() for one in [top, *top.children(recursive=True)]]
    return sum(one.user + one.system for one in times)


@contextmanager
def _processes(name: str, log: Log, number: int, more: Mapping[str, str], *options: str) -> Iterator[list[int]]:
    """``number`` processes of a role, ready; their ids."""
    given = {**log.settings, **more}
    running = []
    for index in range(number):
        folder = log.folder if log.kind == "spool" else log.folder / f"{name}-{index}"
        words = ["--index", str(index if log.kind == "spool" else 0), *options]
        own = {"common.data_dir": str(folder), "pipeline.workers": str(number if log.kind == "spool" else 1)}
        running.append((role(name, given | own, log.folder / f"{name}.log", words), folder, words[1]))
    try:
        for process, folder, index in running:
            mark = folder / "run" / f"{name}-{index}.ready"
            wait_until(lambda mark=mark: mark.exists(), f"{name} is ready", within=240)  # type: ignore[misc]
            assert process.poll() is None
        yield [process.pid for process, _, _ in running]
    finally:
        for process, _, _ in running:
            process.terminate()
        for process, _, _ in running:
            process.wait(120)


def drain(log: Log, engine: EngineProcess, brokers: KafkaBrokers, workers: int, events: int) -> dict[str, float]:
    """Processor time per event in µs, and events per second."""
    log.fill(events)
    store = {"store.url": engine.url.replace("http://", "clickhouse://default:@")}
    others = {"engine": engine.pid, "brokers": brokers.pids[0]}
    with _processes("pipeline", log, workers, store) as pids:
        before = {name: _used(pid) for name, pid in others.items()}
        of_workers, started = sum(map(_used, pids)), time.monotonic()
        first = log.waiting()
        wait_until(lambda: log.waiting() == 0, "all is stored", within=1200)
        took = time.monotonic() - started
        done = first * _PER_REQUEST
        used = {"worker": sum(map(_used, pids)) - of_workers}
        used |= {name: _used(pid) - before[name] for name, pid in others.items()}
    return {**{name: seconds / done * 1e6 for name, seconds in used.items()}, "rate": done / took, "of": done}


async def _client(port: int, until: float, seed: int, delays: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    raw = bytearray(request(seed, 1))
    while time.monotonic() < until:
        at = raw.find(b'"eid":"')
        raw[at + 7 : at + 43] = str(uuid.uuid4()).encode()
        began = time.monotonic()
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.partition(b":")[2]))
        if head.startswith(b"HTTP/1.1 200"):
            delays.append(time.monotonic() - began)
        else:
            await asyncio.sleep(0.2)
    writer.close()


def _clients(port: int, seconds: float, connections: int, done: Any) -> None:
    async def all_of_them() -> list[float]:
        delays: list[float] = []
        until = time.monotonic() + seconds
        await asyncio.gather(*(_client(port, until, number, delays) for number in range(connections)))
        return delays

    done.put(sorted(asyncio.run(all_of_them())))


def collect(log: Log, brokers: KafkaBrokers, seconds: float, connections: int) -> dict[str, float]:
    port = free_port()
    own = multiprocessing.get_context("spawn")  # a fork would have the Kafka client's locks and none of its threads
    results: multiprocessing.Queue[list[float]] = own.Queue()
    with _processes("collector", log, 1, {}, "--host", "127.0.0.1", "--port", str(port)) as (pid,):
        before, of_brokers = _used(pid), _used(brokers.pids[0])
        clients = own.Process(target=_clients, args=(port, seconds, connections, results))
        clients.start()
        delays = results.get(timeout=seconds + 120)
        clients.join()
        used, by_brokers = _used(pid) - before, _used(brokers.pids[0]) - of_brokers
    number = len(delays)
    return {
        "collector": used / number * 1e6, "brokers": by_brokers / number * 1e6, "rate": number / seconds,
        "p50": delays[number // 2] * 1000, "p99": delays[number * 99 // 100] * 1000,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], choices=[1, 2])
    options = parser.parse_args()
    if missing():
        sys.exit(missing())
    load = os.getloadavg()[0]
    workers: dict[str, dict[str, float]] = {}
    collectors: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        brokers = KafkaBrokers(Path(folder) / "kafka").start()
        engine = EngineProcess(Path(folder) / "engine").start(240)
        try:
            for kind in ("spool", "kafka"):
                for number in options.workers:
                    log = Log(kind, Path(folder) / f"{kind}-{number}", brokers)
                    workers[f"{kind}, {number}"] = drain(log, engine, brokers, number, options.events)
                log = Log(kind, Path(folder) / f"{kind}-c", brokers)
                collectors[kind] = collect(log, brokers, options.seconds, options.connections)
        finally:
            engine.stop()
            brokers.stop()
    show(workers, collectors, load)


def show(workers: dict[str, dict[str, float]], collectors: dict[str, dict[str, float]], load: float) -> None:
    first = Table(title=f"workers, {os.cpu_count()} cores, load {load:.1f} before; µs of processor time per event")
    for name in ("log, workers", "worker", "engine", "brokers", "events/s"):
        first.add_column(name, justify="left" if name.startswith("log") else "right")
    for name, cost in workers.items():
        first.add_row(
            name, f"{cost['worker']:.0f}", f"{cost['engine']:.0f}", f"{cost['brokers']:.0f}", f"{cost['rate']:,.0f}"
        )
    second = Table(title="collectors; µs of processor time per request of one event")
    for name in ("log", "collector", "brokers", "requests/s", "p50", "p99"):
        second.add_column(name, justify="left" if name == "log" else "right")
    for name, cost in collectors.items():
        second.add_row(
            name, f"{cost['collector']:.0f}", f"{cost['brokers']:.0f}", f"{cost['rate']:,.0f}",
            f"{cost['p50']:.1f} ms", f"{cost['p99']:.1f} ms",
        )  # fmt: skip
    console = Console(width=120)
    console.print(first)
    console.print(second)
    first_of = next(iter(workers)).rpartition(" ")[2]
    ratio = workers[f"kafka, {first_of}"]["worker"] / workers[f"spool, {first_of}"]["worker"]
    console.print(f"a worker on Kafka uses {ratio:.2f} times the processor time of one on the spool (aim: 1.2 at most)")


if __name__ == "__main__":
    main()
