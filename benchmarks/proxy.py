"""What the proxy in front costs: the same load on the collector, straight, through Traefik, and through Caddy.

Run ``python -m benchmarks.proxy [--seconds 5] [--connections 32] [--folder DIR]``. The collector writes its durable
spool; the load is a tracker's POST on keep-alive connections from an asyncio client, over TLS where it goes through a
proxy. Client, proxy and collector share the machine, so the proxied rates hold the client's own TLS too; CPU per
request is that of collector and proxy alone. A row of straight HTTPS (the collector's own) shows what TLS costs
without a proxy.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import signal
import ssl
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.collector_requests import BODY, HEADERS, PATH
from snowgauge.collector.serve import run
from snowgauge.collector.settings import CollectorSettings
from snowgauge.errors import SettingsError
from snowgauge.pipeline.proxy.run import FrontProxy
from snowgauge.settings.load import load
from snowgauge.testing.certificates import self_signed
from snowgauge.testing.deployment import free_port, wait_until

NAME = "collector.snowgauge.example"


def serve(folder: str, port: int, tls_port: int, chain: str, key: str, secure: bool) -> None:
    from snowgauge.delivery.spool import SpoolLog

    given: dict[str, Any] = {"interface": "127.0.0.1", "port": port, "pre_termination_period": "0 s"}
    if secure:
        given["ssl"] = {"enable": True, "port": tls_port, "certificate": chain, "private_key": key}
    run(CollectorSettings.model_validate(given), SpoolLog(Path(folder)).writer())


def proxy(program: str, folder: str, port: int, tls_port: int, chain: str, key: str) -> None:
    tls = {
        "domains": NAME,
        "proxy": program,
        "interface": "127.0.0.1",
        "http_port": free_port(),
        "https_port": tls_port,
    }
    flags = [f"tls.{name}={value}" for name, value in {**tls, "certificate": chain, "private_key": key}.items()]
    settings = load(flags=[*flags, f"collector.port={port}"], folder=Path(folder)).settings
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    FrontProxy(settings, Path(folder), os.environ).run(stop)


async def load_with_asyncio(
    port: int, context: ssl.SSLContext | None, seconds: float, connections: int
) -> tuple[list[float], int]:
    head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": NAME, **HEADERS}.items())
    request = f"POST {PATH} HTTP/1.1\r\n{head}Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
    times: list[float] = []
    errors = 0
    end = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname=NAME if context else None
        )
        while (start := time.perf_counter()) < end:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            times.append(time.perf_counter() - start)
            errors += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*[one() for _ in range(connections)])
    return times, errors


def cpu(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        for one in [process, *process.children(recursive=True)]:
            used = one.cpu_times()
            total += used.user + used.system
    return total


def measure(
    starts: list[tuple[Callable[..., None], tuple[Any, ...]]],
    port: int,
    context: ssl.SSLContext | None,
    seconds: float,
    connections: int,
) -> list[str]:
    forks = multiprocessing.get_context("spawn")
    running = [forks.Process(target=target, args=arguments) for target, arguments in starts]
    for process in running:
        process.start()

    def answers() -> bool:
        try:
            return bool(asyncio.run(load_with_asyncio(port, context, 0.2, 1))[0])
        except (OSError, asyncio.IncompleteReadError):
            return False

    try:
        wait_until(answers, "the server answers", within=30)
        asyncio.run(load_with_asyncio(port, context, 1, connections))
        watched = [psutil.Process(process.pid) for process in running]
        before = cpu(watched)
        times, errors = asyncio.run(load_with_asyncio(port, context, seconds, connections))
        used = cpu(watched) - before
    finally:
        for process in reversed(running):
            process.terminate()
            process.join(20)
            if process.is_alive():
                process.kill()
                process.join()
    cuts = statistics.quantiles(times, n=100)
    return [
        f"{len(times) / seconds:,.0f}",
        f"{cuts[49] * 1e3:.1f}",
        f"{cuts[98] * 1e3:.1f}",
        f"{used / len(times) * 1e6:.0f}",
        str(errors),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--folder", help="where the spool is written (default: a temporary folder)")
    options = parser.parse_args()
    table = Table(title=f"{options.connections} connections, {len(BODY)} byte POSTs, durable spool")
    for title in ("", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "errors"):
        table.add_column(title, justify="right" if title else "left")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        chain, key = Path(folder) / "chain.pem", Path(folder) / "key.pem"
        self_signed([NAME], chain, key)
        trusting = ssl.create_default_context(cafile=str(chain))
        for row in ("straight, HTTP", "straight, HTTPS", "traefik", "caddy"):
            port, tls_port = free_port(), free_port()
            place = Path(folder) / row.replace(", ", "-")
            place.mkdir()
            files = (str(chain), str(key))
            secure = row == "straight, HTTPS"
            starts: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
                (serve, (str(place / "spool"), port, tls_port, *files, secure))
            ]
            if row in ("traefik", "caddy"):
                try:
                    check(row)
                except SettingsError as missing:
                    table.add_row(row, f"left out: {missing}")
                    continue
                starts.append((proxy, (row, str(place), port, tls_port, *files)))
            encrypted = row != "straight, HTTP"
            context = trusting if encrypted else None
            target = tls_port if encrypted else port
            table.add_row(row, *measure(starts, target, context, options.seconds, options.connections))
    Console(width=110).print(table)


def check(program: str) -> None:
    from snowgauge.pipeline.proxy.programs import find_program
    from snowgauge.settings.tls import TlsSettings

    find_program(TlsSettings.model_validate({"proxy": program}), os.environ)


if __name__ == "__main__":
    main()
