"""A whole deployment under load: sustained events per second with nothing lost, time from 200 to queryable, memory of
all processes idle and loaded, and time from start to ready.

    python -m benchmarks.end_to_end [--seconds 20] [--collectors 1] [--workers 1] [--batch 10]

The load comes from a process of its own on the same machine, so it takes its share of the cores; its cost stands in
the table. So does the processor time of each part per event: on a machine that does other work too it says more than
the rate.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import socket
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks._aims import note
from snowgauge.testing.deployment import Deployment

PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
SESSION = "iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2"
CONSENT = "iglu:org.w3/PerformanceNavigationTiming/jsonschema/1-0-0"
AGENTS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0"
    for major in range(100, 130)
]


def event(index: int) -> dict[str, str]:
    """A page view as the JavaScript tracker sends it, with three entities."""
    now = int(time.time() * 1000)
    user = str(uuid.UUID(int=index % 5000, version=4))
    entities = [
        {"schema": PAGE, "data": {"id": str(uuid.uuid4())}},
        {"schema": CONSENT, "data": {"type": "navigate", "redirectCount": 0, "duration": 230.5, "domComplete": 210.25}},
        {
            "schema": SESSION,
            "data": {
                "userId": user, "sessionId": str(uuid.uuid4()), "eventIndex": index % 50 + 1, "sessionIndex": 3,
                "previousSessionId": None, "storageMechanism": "COOKIE_1", "firstEventId": str(uuid.uuid4()),
                "firstEventTimestamp": "2026-01-01T10:00:00.000Z",
            },
        },
    ]  # fmt: skip
    wrapper = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
    return {
        "e": "pv", "p": "web", "tv": "js-4.10.1", "tna": "sp", "aid": "bench", "eid": str(uuid.uuid4()),
        "dtm": str(now - 40), "stm": str(now), "tz": "Europe/Berlin", "lang": "de-DE", "cs": "UTF-8",
        "res": "1920x1080", "vp": "1200x800", "ds": "1200x4000", "cd": "24", "cookie": "1", "vid": "3", "duid": user,
        "sid": str(uuid.UUID(int=index % 9000, version=4)), "ua": AGENTS[index % len(AGENTS)],
        "url": f"https://shop.example.org/products/{index % 500}?utm_source=news&utm_medium=email",
        "refr": "https://www.google.com/search?q=shoes", "page": f"Product {index % 500}",
        "co": json.dumps({"schema": wrapper, "data": entities}, separators=(",", ":")),
    }  # fmt: skip


def request(start: int, batch: int) -> bytes:
    body = json.dumps(
        {
            "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
            "data": [event(start + i) for i in range(batch)],
        },
        separators=(",", ":"),
    ).encode()
    head = (
        "POST /com.snowplowanalytics.snowplow/tp2 HTTP/1.1\r\nHost: localhost\r\nOrigin: https://shop.example.org\r\n"
        f"Content-Type: application/json; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def load(port: int, until: float, batch: int, seed: int, rate: float, done: Any) -> None:
    """Send requests one after the other; reports how many events were answered with 200 and the CPU it took."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    prepared = [request(seed + i * batch, batch) for i in range(200)]
    marker = b'"eid":"'
    acknowledged = refused = 0
    started = time.monotonic()
    while time.monotonic() < until:
        if rate and acknowledged / rate > time.monotonic() - started:
            time.sleep(0.005)
            continue
        raw = bytearray(prepared[(acknowledged // batch) % len(prepared)])
        at = raw.find(marker)
        while at >= 0:  # every event is a new one
            raw[at + 7 : at + 43] = str(uuid.uuid4()).encode()
            at = raw.find(marker, at + 43)
        connection.sendall(raw)
        answer = connection.recv(65536)
        if answer.startswith(b"HTTP/1.1 200"):
            acknowledged += batch
        else:
            refused += batch
            time.sleep(0.05)
    done.put((acknowledged, refused, time.process_time()))


def memory(pid: int) -> float:
    """Proportional memory of a process and all below it, MB."""
    total = 0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


ROLES = frozenset(("clickhouse", "collector", "pipeline", "console"))


def processor_time(deployment: Deployment) -> dict[str, float]:
    """Seconds of processor time that each role has used so far, the supervisor as ``rest``."""
    total: dict[str, float] = {}
    top = psutil.Process(deployment._process.pid)  # type: ignore[union-attr]
    for process in [top, *top.children(recursive=True)]:
        try:
            role = next((word for word in reversed(process.cmdline()) if word in ROLES), "rest")
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total[role] = total.get(role, 0.0) + times.user + times.system
    return total


def drive(deployment: Deployment, options: argparse.Namespace, clients: int, rate: float) -> dict[str, float]:
    before = deployment.sql("SELECT toUInt32(count()) AS n FROM atomic.events")[0]["n"]
    cpu_before = processor_time(deployment)
    results: multiprocessing.Queue[tuple[int, int, float]] = multiprocessing.Queue()
    until = time.monotonic() + options.seconds
    processes = [
        multiprocessing.Process(
            target=load, args=(deployment.port, until, options.batch, i * 10**6, rate / clients, results)
        )
        for i in range(clients)
    ]
    started = time.monotonic()
    for process in processes:
        process.start()
    peak, backlog = 0.0, 0
    pid = deployment._process.pid  # type: ignore[union-attr]
    while any(process.is_alive() for process in processes):
        peak = max(peak, memory(pid))
        backlog = max(backlog, deployment.backlog())
        time.sleep(0.5)
    answers = [results.get() for _ in processes]
    sent_for = time.monotonic() - started
    sent = sum(answer[0] for answer in answers)
    deadline = time.monotonic() + 600
    while deployment.sql("SELECT toUInt32(count()) AS n FROM atomic.events")[0]["n"] - before < sent:
        if time.monotonic() > deadline:
            raise SystemExit("not all events were stored within 600 s")
        time.sleep(0.5)  # each question costs the engine some milliseconds
    used = {role: seconds - cpu_before.get(role, 0.0) for role, seconds in processor_time(deployment).items()}
    took = time.monotonic() - started
    late = deployment.sql(
        "SELECT quantiles(0.5, 0.95, 0.99)(toFloat64(load_tstamp) - toFloat64(collector_tstamp)) AS q FROM "
        f"(SELECT * FROM atomic.events ORDER BY load_tstamp DESC LIMIT {sent})"
    )[0]["q"]
    return {
        "sent": sent, "refused": sum(answer[1] for answer in answers),
        "sending": sent / sent_for, "sustained": sent / took,
        "p50": late[0], "p95": late[1], "p99": late[2], "peak": peak, "backlog": backlog,
        "client_cpu": sum(answer[2] for answer in answers) / sent_for,
        **{f"{role}_us": seconds / sent * 1e6 for role, seconds in used.items()},
        "load_us": sum(answer[2] for answer in answers) / sent * 1e6,
        "unique": deployment.sql("SELECT toUInt32(uniqExact(event_id)) AS n FROM atomic.events")[0]["n"],
        "rows": deployment.sql("SELECT toUInt32(count()) AS n FROM atomic.events")[0]["n"],
    }  # fmt: skip


COMMANDS = (("sql", "SELECT 1"), ("status",))


def command_seconds(deployment: Deployment) -> dict[str, float]:
    """Processor seconds of commands against the running deployment, medians of three."""
    return {
        arguments[0]: statistics.median(_command_seconds(deployment, arguments) for _ in range(3))
        for arguments in COMMANDS
    }


def _command_seconds(deployment: Deployment, arguments: tuple[str, ...]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        deployment.command(*arguments)
    except AssertionError as error:  # `status` ends with 1 where something is not in order, as on a busy machine
        if arguments != ("status",):
            raise
        print(error)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def started_in(deployment: Deployment) -> float:
    """Seconds until it is ready, seen from outside."""
    started = time.monotonic()
    deployment.start()
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--collectors", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1000, help="events per second of the run that measures delay")
    parser.add_argument("--set", action="append", default=[], help="one more setting, key=value")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="snowgauge-bench-") as folder:
        settings = {"pipeline.collectors": str(options.collectors), "pipeline.workers": str(options.workers)}
        settings.update(pair.split("=", 1) for pair in options.set)
        deployment = Deployment(Path(folder) / "data", settings)
        ready = started_in(deployment)
        deployment.stop()
        again = started_in(deployment)
        time.sleep(3)
        idle = memory(deployment._process.pid)  # type: ignore[union-attr]
        try:
            commands = command_seconds(deployment)
            calm = drive(deployment, options, 1, options.rate)
            full = drive(deployment, options, options.clients, 0)
        finally:
            deployment.stop()
    table = Table(
        title=f"end to end, {os.cpu_count()} cores, {options.collectors} collectors, {options.workers} workers"
    )
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("aim", justify="right")
    costs = {role: full.get(f"{role}_us", 0.0) for role in ("collector", "pipeline", "clickhouse", "rest", "load")}
    cores = os.cpu_count() or 1
    note(
        **{f"{role}_us": cost for role, cost in costs.items() if role != "load"},
        small_batches=calm.get("clickhouse_us", 0.0) / max(costs["clickhouse"], 0.1),
        ready_s=ready,
        ready_again_s=again,
        command_s=max(commands.values()),
        idle_mb=idle,
        peak_mb=full["peak"],
        delay_p95_s=calm["p95"],
    )
    for name, measured, aim in (
        ("start to ready, new folder", f"{ready:.1f} s", "< 2.5 s"),
        ("  the same folder again", f"{again:.1f} s", "< 2 s"),
        *((f"processor time of `{name}`", f"{seconds:.2f} s", "< 0.6 s") for name, seconds in commands.items()),
        ("memory idle (all processes, proportional)", f"{idle:.0f} MB", "< 450 MB"),
        ("memory loaded, highest", f"{full['peak']:.0f} MB", "< 900 MB"),
        (f"delay at {options.rate:.0f} events/s: p50", f"{calm['p50']:.2f} s", ""),
        ("  p95", f"{calm['p95']:.2f} s", "< 1 s"),
        ("  p99", f"{calm['p99']:.2f} s", ""),
        ("full load: events acknowledged", f"{full['sent']:,.0f}", ""),
        ("  refused (503)", f"{full['refused']:,.0f}", ""),
        ("  events/s acknowledged", f"{full['sending']:,.0f}", ""),
        ("  events/s from first request to last row", f"{full['sustained']:,.0f}", "≥ 5,000"),
        ("  largest backlog (requests)", f"{full['backlog']:,.0f}", ""),
        ("  cores used by the load itself", f"{full['client_cpu']:.2f}", ""),
        *((f"  processor time per event, {role}", f"{cost:.0f} µs", "") for role, cost in costs.items()),
        (f"  which {cores} cores of their own bear", f"{cores * 1e6 / sum(costs.values()):,.0f} events/s", "≥ 5,000"),
        ("rows / distinct event ids", f"{full['rows']:,.0f} / {full['unique']:,.0f}", "equal"),
    ):
        table.add_row(name, measured, aim)
    Console().print(table)


if __name__ == "__main__":
    main()
