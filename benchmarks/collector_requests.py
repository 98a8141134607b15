"""How many requests the collector answers, beside what its HTTP server can do at all.

Run ``python benchmarks/collector_requests.py [--seconds 5] [--connections 64] [--folder DIR]``. Each row is a server
process of its own, loaded with a tracker's POST by ``wrk`` where that is installed, else by a small asyncio client
(which then is the limit: compare only rows of one run). ``DIR`` decides which disk the spool is measured on.

Rows: the same Granian server on the same event loop with a handler that does nothing; the collector with a log that
forgets; the collector with the durable spool, every answer after its fsync; and the same at half that rate, with a disk
that takes 10 ms longer for each fsync. CPU is the server's own, user and system, per request: on a busy machine it says
more than the rate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks._aims import note
from snowgauge.collector.serve import run
from snowgauge.collector.settings import CollectorSettings

EVENT = {
    "e": "pv", "url": "https://shop.example.com/products/42?utm_source=mail", "page": "Product 42", "p": "web",
    "tv": "js-4.6.0", "tna": "sp1", "aid": "shop", "tz": "Europe/Berlin", "lang": "en-GB", "cs": "UTF-8",
    "res": "1920x1080", "vp": "1200x900", "ds": "1200x3000", "cd": "24", "cookie": "1", "vid": "3",
    "eid": "4e35e8c6-03c4-4c17-8202-80de5bd9d953", "duid": "aa5b7a86-0e13-4e52-9b2a-3b0c5d6f9a11",
    "sid": "f0f9a0fe-5f5b-4b8a-9d4b-0f4a33d4c9b2", "dtm": "1700000000000", "stm": "1700000000100",
    "cx": "eyJzY2hlbWEiOiJpZ2x1OmNvbS5zbm93cGxvd2FuYWx5dGljcy5zbm93cGxvdy9jb250ZXh0cy9qc29uc2NoZW1hLzEtMC0wIn0",
}  # fmt: skip
BODY = json.dumps(
    {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": [EVENT]},
    separators=(",", ":"),
)
HEADERS = {
    "Content-Type": "application/json; charset=UTF-8",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
    "Origin": "https://shop.example.com",
    "Referer": "https://shop.example.com/",
    "Accept": "*/*",
    "Accept-Language": "en-GB,en;q=0.9",
    "Cookie": "sp=7a5b7a86-0e13-4e52-9b2a-3b0c5d6f9a11",
    "X-Forwarded-For": "203.0.113.9",
}
PATH = "/com.snowplowanalytics.snowplow/tp2"


SLOW_FSYNC = 0.010
"""Seconds, of the disk that is made slow on purpose."""


class Forgetting:
    """A log writer that keeps nothing: what remains is the collector's own work."""

    def append(self, entries: Any) -> None:
        pass

    def healthy(self) -> bool:
        return True

    def close(self) -> None:
        pass


class SlowDisk(Forgetting):
    """The spool on a disk that takes its time to make a group durable."""

    def __init__(self, writer: Any, seconds: float) -> None:
        self._writer = writer
        self._seconds = seconds

    def append(self, entries: Any) -> None:
        self._writer.append(entries)
        time.sleep(self._seconds)

    def close(self) -> None:
        self._writer.close()


def serve_empty(port: int) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def main() -> None:
        server = Server(
            app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False,
            backlog=1024, backpressure=1024,
        )  # fmt: skip
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
        await server.serve()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def serve_collector(port: int, folder: str | None, slow: float = 0.0) -> None:
    writer: Any = Forgetting()
    if folder:
        from snowgauge.delivery.settings import EventLogSettings

        writer = EventLogSettings().open(Path(folder)).writer()
        writer = SlowDisk(writer, slow) if slow else writer
    run(CollectorSettings(interface="127.0.0.1", port=port, pre_termination_period=timedelta(0)), writer)


def measure(
    serve: Any, arguments: tuple[Any, ...], seconds: float, connections: int, rate: float = 0.0
) -> dict[str, float]:
    """``rate``: requests a second of all connections together; 0 for as many as go."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(port, *arguments))
    process.start()
    try:
        wait_until_open(port)
        load(port, 1.0, connections)  # warm up
        watched = psutil.Process(process.pid)
        before = watched.cpu_times()
        result = load(port, seconds, connections, rate)
        after = watched.cpu_times()
        used = after.user + after.system - before.user - before.system
        result["cpu_us"] = used / max(1.0, result["requests"]) * 1e6
        result["mb"] = watched.memory_info().rss / 1e6
        return result
    finally:
        process.terminate()
        process.join(20)


def wait_until_open(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit(f"the server at port {port} did not start")


def load(port: int, seconds: float, connections: int, rate: float = 0.0) -> dict[str, float]:
    if shutil.which("wrk") and not rate:
        return load_with_wrk(port, seconds, connections)
    return asyncio.run(load_with_asyncio(port, seconds, connections, rate))


def load_with_wrk(port: int, seconds: float, connections: int) -> dict[str, float]:
    script = "wrk.method='POST'\n" + "".join(
        f"wrk.headers[{json.dumps(k)}]={json.dumps(v)}\n" for k, v in HEADERS.items()
    )
    script += f"wrk.body=[==[{BODY}]==]\n"
    script += (
        "done=function(s,l,r) io.write(string.format('RESULT %d %d %f %f %d\\n', s.requests, s.duration, "
        "l:percentile(50), l:percentile(99), s.errors.status+s.errors.read+s.errors.timeout)) end\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", file.name,
             f"http://127.0.0.1:{port}{PATH}"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    found = re.search(r"RESULT (\d+) (\d+) (\S+) (\S+) (\d+)", out)
    if not found:
        sys.exit(f"cannot read the output of wrk:\n{out}")
    requests, micros, p50, p99, errors = map(float, found.groups())
    return {"requests": requests, "rate": requests / micros * 1e6, "p50": p50 / 1e3, "p99": p99 / 1e3, "errors": errors}


async def load_with_asyncio(port: int, seconds: float, connections: int, rate: float = 0.0) -> dict[str, float]:
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "127.0.0.1", **HEADERS}.items())
    request = f"POST {PATH} HTTP/1.1\r\n{head}Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
    times: list[float] = []
    errors = 0
    end = time.perf_counter() + seconds

    interval = connections / rate if rate else 0.0

    async def send_all(number: int) -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        due = time.perf_counter() + interval * number / connections
        while (start := time.perf_counter()) < end:
            if start < due:
                await asyncio.sleep(due - start)
                start = time.perf_counter()
            due = max(due + interval, start - interval)
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            times.append(time.perf_counter() - start)
            errors += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*[send_all(number) for number in range(connections)])
    cuts = statistics.quantiles(times, n=100)
    return {
        "requests": float(len(times)),
        "rate": len(times) / seconds,
        "p50": cuts[49] * 1e3,
        "p99": cuts[98] * 1e3,
        "errors": float(errors),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--folder", help="where the spool is written (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = [
            ("(a) same server, empty handler", serve_empty, ()),
            ("(b) collector, log that forgets", serve_collector, (None,)),
            ("(c) collector, durable spool", serve_collector, (folder,)),
        ]
        table = Table(title=f"Collector, {options.connections} connections, {len(BODY)} byte POSTs")
        for title in ("", "requests/s", "of (a)", "p50 ms", "p99 ms", "CPU µs/request", "MB", "errors"):
            table.add_column(title, justify="right" if title else "left")
        limit = 0.0
        measured = []
        for name, serve, arguments in rows:
            got = measure(serve, arguments, options.seconds, options.connections)
            limit = limit or got["rate"]
            measured.append(got)
            table.add_row(
                name, f"{got['rate']:,.0f}", f"{got['rate'] / limit:.0%}", f"{got['p50']:.1f}", f"{got['p99']:.1f}",
                f"{got['cpu_us']:.0f}", f"{got['mb']:.0f}", f"{got['errors']:.0f}",
            )  # fmt: skip
        slow = measure(
            serve_collector, (folder, SLOW_FSYNC), options.seconds, options.connections, measured[-1]["rate"] / 2
        )
        table.add_row(
            f"(d) the same at half the rate, {SLOW_FSYNC * 1e3:.0f} ms more per fsync", f"{slow['rate']:,.0f}", "",
            f"{slow['p50']:.1f}", f"{slow['p99']:.1f}", f"{slow['cpu_us']:.0f}", f"{slow['mb']:.0f}",
            f"{slow['errors']:.0f}",
        )  # fmt: skip
    Console(width=130).print(table)
    empty, forgetful, durable = measured
    note(
        empty_us=empty["cpu_us"],
        forgetful_share=forgetful["rate"] / empty["rate"] * 100,
        collector_share=durable["rate"] / empty["rate"] * 100,
        slow_disk_p99_ms=slow["p99"],
    )


if __name__ == "__main__":
    main()
