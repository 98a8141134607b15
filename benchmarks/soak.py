"""A deployment under half of its load for half an hour, its parts killed and stopped in between: what was sent is
stored once, and memory, open files and connections do not grow.

    python -m benchmarks soak [--minutes 30] [--rate 500] [--clients 8] [--set key=value]
    python -m benchmarks soak --everything [--store clickhouse] [--seed 1] ...      # see _everything.py

Clients do as trackers do: a request without an answer, or with another than 200, is sent again with the same event ids
until it is taken, so every event sent is acknowledged in the end. One event in twenty breaks its schema. They come
over HTTPS through the proxy where Traefik is here, and give their connections up now and then. A person has the console
open.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import signal
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.end_to_end import event
from snowgauge.errors import SettingsError
from snowgauge.pipeline.proxy.programs import find_program
from snowgauge.settings.tls import TlsSettings
from snowgauge.testing.certificates import self_signed
from snowgauge.testing.deployment import Deployment, free_port, wait_until

NAME = "collector.snowgauge.example"
BAD_OF = 20
"""Every so manieth event lacks a property that its schema requires."""
ROLES = ("proxy", "collector", "pipeline", "console", "clickhouse")
WINDOWS = {"before": (0.05, 0.14), "after kill -9": (0.40, 0.49), "after stops": (0.68, 0.78), "end": (0.90, 1.0)}
"""Shares of the time whose medians are shown. Nothing is restarted within one, nor between the last two."""
SAMPLE_EVERY = 5.0
PATIENCE = 120.0
_MARKER = b'"eid":"'


class Sample(msgspec.Struct):
    at: float
    role: str
    memory: float
    files: int
    connections: int


class Sent(msgspec.Struct):
    """What one client did; ``again`` are the numbers of the events that it sent more than once."""

    client: int
    events: int
    again: list[int]


def bad_event(index: int) -> dict[str, str]:
    """A link click without its target."""
    click = {"schema": "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1", "data": {"elementId": "x"}}
    wrapper = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
    return {**event(index), "e": "ue", "ue_pr": json.dumps({"schema": wrapper, "data": click})}


def bodies(batch: int) -> list[bytes]:
    """Requests in which the bad events stand at the same places as their numbers tell."""
    schema = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
    made = []
    for first in range(0, BAD_OF * batch, batch):
        data = [bad_event(n) if n % BAD_OF == 0 else event(n) for n in range(first, first + batch)]
        made.append(json.dumps({"schema": schema, "data": data}, separators=(",", ":")).encode())
    return made


def numbered(body: bytes, client: int, first: int) -> bytes:
    """The body with ids that say which client sent which event."""
    raw = bytearray(body)
    at = raw.find(_MARKER)
    while at >= 0:
        raw[at + 7 : at + 43] = f"{client:08x}-0000-4000-8000-{first:012x}".encode()
        first += 1
        at = raw.find(_MARKER, at + 43)
    return bytes(raw)


def client(number: int, connect: tuple[int, str | None], rate: float, batch: int, seconds: float, done: Any) -> None:
    """Sends until the time is over; gives a ``Sent``."""
    port, authority = connect
    context = ssl.create_default_context(cafile=authority) if authority else None
    prepared = bodies(batch)
    sent, again = 0, set()
    connection: http.client.HTTPConnection | None = None
    started = time.monotonic()
    while (passed := time.monotonic() - started) < seconds:
        if sent / rate > passed:
            time.sleep(0.005)
            continue
        body = numbered(prepared[sent // batch % len(prepared)], number, sent)
        while True:
            try:
                if connection is None:
                    connection = open_connection(port, context)
                connection.request("POST", "/com.snowplowanalytics.snowplow/tp2", body, HEADERS)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    break
            except (OSError, http.client.HTTPException):
                if connection is not None:
                    connection.close()
                connection = None
            if time.monotonic() - started > seconds + PATIENCE:
                raise SystemExit(f"client {number}: no 200 for {PATIENCE:.0f} s after the end")
            again.update(range(sent, sent + batch))
            time.sleep(0.2)
        sent += batch
        if sent // batch % 100 == 0 and connection is not None:
            connection.close()
            connection = None
    done.put(Sent(number, sent, sorted(again)))


HEADERS = {"Host": NAME, "Content-Type": "application/json; charset=UTF-8", "Origin": "https://shop.example.org"}


def open_connection(port: int, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    if context is not None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=40)
        connection.sock = context.wrap_socket(plain, server_hostname=NAME)  # the proxy serves names, not addresses
    return connection


class Watch:
    """Takes samples of every role's processes, and asks the private port what a console asks."""

    PAGES = ("/metrics", "/api/v1/health", "/api/v1/timeline", "/api/v1/failed/causes", "/api/v1/events?limit=50")

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._stop = threading.Event()
        self.samples: list[Sample] = []
        self.backlog = self.spool_bytes = 0
        self.spool_end = 0
        self.pages = self.unanswered = 0
        self.refused: set[str] = set()
        self.started = time.monotonic()
        self._threads = [threading.Thread(target=work) for work in (self._sample, self._look)]

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _sample(self) -> None:
        spool = self._deployment.data_dir / "spool"
        while not self._stop.wait(SAMPLE_EVERY):
            for role in ROLES:
                try:
                    self.samples.append(self._of(role))
                except (psutil.Error, OSError, ValueError):
                    continue  # just being restarted
            self.spool_end = folder_bytes(spool)
            self.spool_bytes = max(self.spool_bytes, self.spool_end)
            self.backlog = max(self.backlog, self._deployment.backlog())

    def _of(self, role: str) -> Sample:
        first = psutil.Process(self._deployment.pid(role))
        processes = [first, *first.children(recursive=True)]
        return Sample(
            time.monotonic() - self.started,
            role,
            sum(process.memory_full_info().pss for process in processes) / 1e6,
            sum(process.num_fds() for process in processes),
            sum(len(process.net_connections("inet")) for process in processes),
        )

    def _look(self) -> None:
        while not self._stop.wait(1):
            for page in self.PAGES:
                connection = http.client.HTTPConnection("127.0.0.1", self._deployment.console_port, timeout=30)
                try:
                    connection.request("GET", page)
                    answer = connection.getresponse()
                    answer.read()
                    self.pages += 1
                    if answer.status not in (200, 503):
                        self.refused.add(f"{page}: {answer.status}")
                except (OSError, http.client.HTTPException):
                    self.unanswered += 1
                finally:
                    connection.close()

    def median(self, role: str, what: str, window: tuple[float, float], seconds: float) -> float:
        low, high = (share * seconds for share in window)
        found = [getattr(s, what) for s in self.samples if s.role == role and low <= s.at <= high]
        return statistics.median(found) if found else 0.0


def folder_bytes(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total


def deeds(deployment: Deployment, proxied: bool) -> list[tuple[float, str, Callable[[], object]]]:
    """What is done to the deployment, by share of the time."""
    roles = [role for role in ROLES if proxied or role != "proxy"]
    done: list[tuple[float, str, Callable[[], object]]] = []
    for place, role in enumerate(roles):
        done.append((0.15 + 0.04 * place, f"kill -9 {role}", lambda role=role: deployment.kill(role)))
        done.append((0.50 + 0.03 * place, f"stop {role}", lambda role=role: stop(deployment, role)))
    done.append((0.35, "kill -9 everything", lambda: restart(deployment)))
    return sorted(done, key=lambda deed: deed[0])


def wait_for_empty(deployment: Deployment) -> float:
    """When the event log was empty, and stayed so for a while: says so where it did not stay so."""
    at = 0.0

    def empty() -> bool:
        nonlocal at
        if deployment.backlog():
            if at:
                say("the event log seemed empty and was not")
            at = 0.0
            return False
        at = at or time.monotonic()
        return time.monotonic() - at > SAMPLE_EVERY

    wait_until(empty, "the event log is empty", within=3600)
    return at


def stop(deployment: Deployment, role: str) -> None:
    """Have a role end in order; the supervisor starts it again."""
    wait_until((deployment.data_dir / "run" / f"{role}-0.pid").exists, f"{role} runs")
    os.kill(deployment.pid(role), signal.SIGTERM)


def restart(deployment: Deployment) -> None:
    """A power cut, and the next start once the proxy's port is free again."""
    deployment.kill_all()
    time.sleep(12)  # an orphaned Traefik ends automatically, after it has let its connections finish
    deployment.start()


def say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def settings_and_port(folder: Path, options: argparse.Namespace) -> tuple[dict[str, str], int, str | None]:
    """Settings, the port that clients talk to, and the root they believe (``None``: plain HTTP)."""
    settings = {"collector.pre_termination_period": "1 s", "iglu.iglu_central": "false"}
    settings.update(pair.split("=", 1) for pair in options.set)
    try:
        find_program(TlsSettings(), os.environ)
    except SettingsError as error:
        say(f"without a proxy: {error}")
        return settings, 0, None
    certificate, key, port = folder / "own.pem", folder / "own.key", free_port()
    self_signed([NAME], certificate, key, addresses=["127.0.0.1"])
    settings |= {
        "tls.domains": NAME, "tls.interface": "127.0.0.1", "tls.https_port": str(port),
        "tls.http_port": str(free_port()), "tls.certificate": str(certificate), "tls.private_key": str(key),
    }  # fmt: skip
    return settings, port, str(certificate)


class Stored(msgspec.Struct):
    """What the store holds at the end, compared with what was sent."""

    good: int
    failed: int
    missing: int
    strange: int
    twice: int
    twice_unasked: int


def compare(deployment: Deployment, sent: list[Sent]) -> Stored:
    """Asks for every event id, and finds what is missing, what nobody sent, and what is there twice for no reason."""
    expected = {(one.client, n) for one in sent for n in range(one.events)}
    again = {(one.client, n) for one in sent for n in one.again}
    rows: dict[tuple[int, int], int] = {}
    counts = []
    strange = 0
    for table, bad in (("atomic.events", False), ("atomic.failed_events FINAL", True)):
        found = deployment.sql(
            f"SELECT toString(event_id) AS id, toUInt32(count()) AS n FROM {table} WHERE id LIKE '%-0000-4000-8000-%' "
            "GROUP BY id"
        )
        counts.append(sum(row["n"] for row in found))
        for row in found:
            key = int(row["id"][:8], 16), int(row["id"][24:], 16)
            strange += key not in expected or bad != (key[1] % BAD_OF == 0)
            rows[key] = rows.get(key, 0) + row["n"]
    twice = {key: n - 1 for key, n in rows.items() if n > 1}
    return Stored(
        *counts,
        missing=len(expected - rows.keys()),
        strange=strange,
        twice=sum(twice.values()),
        twice_unasked=sum(n for key, n in twice.items() if key not in again),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=500, help="events per second")
    parser.add_argument("--batch", type=int, default=10, help="events in a request")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--samples", type=Path, help="write every sample into this file, as JSON")
    parser.add_argument("--set", action="append", default=[], help="one more setting, key=value")
    parser.add_argument("--everything", action="store_true", help="all that can go wrong, at the same time")
    parser.add_argument("--store", choices=("clickhouse", "postgres"), default="clickhouse", help="with --everything")
    parser.add_argument("--seed", type=int, default=1, help="with --everything: makes the order of what goes wrong")
    parser.add_argument("--only", action="append", default=[], help="with --everything: one kind of what goes wrong")
    parser.add_argument(
        "--keep", type=Path, help="with --everything: copy log, event log and what was taken out of it here"
    )
    options = parser.parse_args()
    if options.everything:
        from benchmarks import _everything

        return _everything.main(options)
    seconds = options.minutes * 60
    with tempfile.TemporaryDirectory(prefix="snowgauge-soak-") as folder:
        settings, port, authority = settings_and_port(Path(folder), options)
        deployment = Deployment(Path(folder) / "data", settings)
        deployment.start()
        port = port or deployment.port
        results: multiprocessing.Queue[Sent] = multiprocessing.Queue()
        clients = [
            multiprocessing.Process(
                target=client,
                args=(n, (port, authority), options.rate / options.clients, options.batch, seconds, results),
            )
            for n in range(options.clients)
        ]
        try:
            for process in clients:
                process.start()
            with Watch(deployment) as watch:
                for share, what, do in deeds(deployment, authority is not None):
                    time.sleep(max(0.0, share * seconds - (time.monotonic() - watch.started)))
                    say(what)
                    do()
                sent = [results.get(timeout=seconds + 2 * PATIENCE) for _ in clients]
                for process in clients:
                    process.join()
            say("sent; what is left is being stored")
            ended = time.monotonic()
            drained = wait_for_empty(deployment) - ended
            stored = compare(deployment, sent)
            if stored.missing:  # is it lost, or late? the answer is no excuse: an empty log means stored
                say(f"{stored.missing:,} events are missing; {deployment.backlog():,} requests wait; looking again")
                time.sleep(30)
                late = compare(deployment, sent)
                say(f"half a minute later {late.missing:,} are missing; {deployment.backlog():,} requests wait")
            data = folder_bytes(deployment.data_dir / "clickhouse")
            restarts = len(deeds(deployment, authority is not None))
        finally:
            for process in clients:
                process.kill()
            deployment.stop()
        if options.samples:
            options.samples.write_bytes(msgspec.json.encode(watch.samples))
    show(options, sent, stored, watch)
    out = Console(width=110)
    out.print(
        f"{restarts} restarts; console: {watch.pages:,} answers, {watch.unanswered} without (restarts); event log: at "
        f"most {watch.backlog:,} requests and {watch.spool_bytes / 1e6:.1f} MB, {watch.spool_end / 1e6:.1f} MB at the "
        f"end, empty {drained:.1f} s after the last request; database {data / 1e6:,.0f} MB",
        highlight=False,
    )
    for page in sorted(watch.refused):
        out.print(f"refused: {page}")
    return 1 if stored.missing or stored.strange or stored.twice_unasked or watch.refused else 0


def show(options: argparse.Namespace, sent: list[Sent], stored: Stored, watch: Watch) -> None:
    out = Console(width=110)
    table = Table(title=f"soak: {options.minutes:g} minutes, aim {options.rate:g} events/s, {os.cpu_count()} cores")
    table.add_column("events")
    table.add_column("", justify="right")
    total = sum(one.events for one in sent)
    for name, value in (
        ("sent, and acknowledged in the end", total),
        ("  a second, on average", total // (options.minutes * 60)),
        ("  of these sent more than once, for want of an answer", sum(len(one.again) for one in sent)),
        ("stored as good", stored.good),
        ("stored as failed (they break their schema)", stored.failed),
        ("missing", stored.missing),
        ("in the wrong place, or never sent", stored.strange),
        ("second rows of events that were sent again", stored.twice - stored.twice_unasked),
        ("second rows of events that were sent once", stored.twice_unasked),
    ):
        table.add_row(name, f"{value:,.0f}")
    out.print(table)
    seconds = options.minutes * 60
    table = Table(title="medians; nothing is restarted between the last two")
    table.add_column("role")
    for name in WINDOWS:
        table.add_column(name, justify="right")
    for role in (role for role in ROLES if any(sample.role == role for sample in watch.samples)):
        for what, unit in (("memory", " MB"), ("files", " files"), ("connections", " connections")):
            cells = [f"{watch.median(role, what, window, seconds):,.0f}{unit}" for window in WINDOWS.values()]
            table.add_row(role if what == "memory" else "", *cells)
    out.print(table)


if __name__ == "__main__":
    sys.exit(main())
