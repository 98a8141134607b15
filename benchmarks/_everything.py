"""`soak --everything`: all that can go wrong at the same time, on either store, and the sums at the end.

Trackers send over HTTPS where Traefik is here. Meanwhile, in an order made of the seed, parts are killed, the store and
the registry hang, the disk is full, segments of the event log are damaged, moved and deleted, and attackers send what
harms; a person looks at the health page every second. At the end every request that was acknowledged is in the store,
or is one of those that the deployment says it could not read, or was in a segment that was deleted.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import multiprocessing
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks._clients import Attacked, Door, Sent, attacker, publish, tracker
from benchmarks._disturbances import KINDS, Done, Hands, plan
from benchmarks._stores import STORES
from benchmarks._sums import Sums, sums
from benchmarks.soak import PATIENCE, say, settings_and_port, wait_for_empty
from snowgauge.testing.deployment import Deployment
from snowgauge.testing.registry import RegistryServer

DISK = "1500m"
LEAST_FREE = "128 MB"
NAMES_IT: dict[str, Callable[[dict[str, dict[str, Any]]], bool]] = {
    "store hung": lambda parts: not parts["store"]["ok"],
    "disk full": lambda parts: not parts["eventlog"]["ok"] or not parts["store"]["ok"],
    "registry hung": lambda parts: not parts.get("registries", {"ok": True})["ok"],
    "registry unreachable": lambda parts: not parts.get("registries", {"ok": True})["ok"],
}
"""How the health page says what is going on, for what goes on long enough to be seen."""
NOTICED_WITHIN = {"store hung": 6.0, "disk full": 6.0, "registry hung": 15.0, "registry unreachable": 15.0}
"""Looks in the first seconds of a disturbance do not count: the page asks a registry every ten seconds."""


class Look(msgspec.Struct):
    """One look at the health page: when it was asked, how long it took, and its parts; none without an answer."""

    at: float
    took: float
    parts: dict[str, dict[str, Any]]


class Person:
    """Looks at the health page every second."""

    def __init__(self, deployment: Deployment) -> None:
        self._port = deployment.console_port
        self._stop = threading.Event()
        self.looks: list[Look] = []
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Person:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(1):
            at = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
            parts = {}
            try:
                connection.request("GET", "/api/v1/health")
                answer = connection.getresponse()
                found = json.loads(answer.read())
                if answer.status == 200:
                    parts = {part["name"]: {"ok": part["ok"], "note": part["note"]} for part in found["parts"]}
            except (OSError, http.client.HTTPException, ValueError):
                pass
            finally:
                connection.close()
            self.looks.append(Look(at, time.monotonic() - at, parts))


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk that can be filled; ``None`` where none can be mounted."""
    place = folder / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        say(f"without a full disk: no small disk can be mounted here: {mounted.stderr.strip()}")
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def main(options: argparse.Namespace) -> int:
    seconds = options.minutes * 60
    with tempfile.TemporaryDirectory(prefix="snowgauge-everything-") as temporary:
        folder = Path(temporary)
        with small_disk(folder) as disk:
            return round_of(options, seconds, folder, disk)


def round_of(options: argparse.Namespace, seconds: float, folder: Path, disk: Path | None) -> int:
    settings, port, authority = settings_and_port(folder, options)
    registry = RegistryServer()
    publish(registry, seconds)
    store = STORES[options.store](folder)
    settings = {
        "iglu.registries": json.dumps([registry.uri]), "eventlog.spool.segment_bytes": "512 KiB",
        "eventlog.spool.min_free_bytes": LEAST_FREE, "pipeline.collectors": "2", **settings, **store.settings,
    }  # fmt: skip
    deployment = Deployment((disk or folder) / "data", settings)
    store.attach(deployment)
    deeds = [deed for deed in plan(options.seed, seconds, options.only) if disk or deed.kind != "disk full"]
    roles = [("proxy", 0)] if authority else []
    roles += [("collector", 0), ("collector", 1), ("pipeline", 0), ("console", 0)]
    # children that were forked would keep the listening sockets of this process
    apart = multiprocessing.get_context("spawn")
    hostile, over = apart.Event(), apart.Event()
    results: multiprocessing.Queue[Sent] = apart.Queue()
    attacks: multiprocessing.Queue[Attacked] = apart.Queue()
    processes: list[multiprocessing.process.BaseProcess] = []
    try:
        deployment.start(within=300)
        door = Door(port or deployment.port, authority, deployment.port)
        for n in range(options.clients):
            work = (n, door, options.rate / options.clients, options.batch, seconds, results)
            processes.append(apart.Process(target=tracker, args=work))
        processes.append(apart.Process(target=attacker, args=(door, options.seed, hostile, over, attacks)))
        for process in processes:
            process.start()
        hands = Hands(deployment, store, registry, hostile, roles)
        with Person(deployment) as person:
            hands.carry_out(deeds, time.monotonic())
            sent = [results.get(timeout=seconds + 2 * PATIENCE) for _ in range(options.clients)]
            over.set()
            attacked = attacks.get(timeout=PATIENCE)
            say("sent; what is left is being stored")
            ended = time.monotonic()
            drained = wait_for_empty(deployment) - ended
        if options.keep:
            shutil.copytree(deployment.data_dir / "spool", options.keep / "spool", dirs_exist_ok=True)
            shutil.copytree(hands.aside, options.keep / "aside", dirs_exist_ok=True)
        found = sums(store, hands, deployment.data_dir / "spool", sent, attacked)
        deployment.stop()
    finally:
        over.set()
        for process in processes:
            process.kill()
        with suppress(AssertionError, OSError):
            if deployment.running:
                deployment.kill_all()
        store.stop()
        registry.down()
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(deployment.log_file, options.keep / "log")
    return show(options, found, hands.done, sent, person.looks, drained)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def show(
    options: argparse.Namespace, found: Sums, done: list[Done], sent: list[Sent], looks: list[Look], drained: float
) -> int:
    out = Console(width=118)
    title = f"{options.store}: {options.minutes:g} minutes, {options.rate:g} events/s, seed {options.seed}"
    table = Table(title=f"everything at once, {title}, {os.cpu_count()} cores")
    table.add_column("what")
    table.add_column("", justify="right")
    for name, value in (
        ("events acknowledged to trackers", found.acknowledged),
        ("  in requests", found.requests),
        ("  of these sent more than once, for want of a 200", found.again),
        ("stored as good", found.good),
        ("stored as failed", found.failed),
        ("failed and recovered since", found.recovered),
        ("hostile requests acknowledged", found.hostile),
        ("hostile requests refused", found.hostile_refused),
        ("acknowledged requests that were in deleted segments", found.deleted),
        ("requests reported as unreadable", found.unread),
        ("  must be at least (acknowledged, not stored)", found.between[0]),
        ("  and at most (and attempts without an answer)", found.between[1]),
        ("second failed rows of events that were sent again", found.copies),
        *found.wrong.items(),
    ):
        table.add_row(name, f"{value:,}")
    table.add_row("seconds until the event log was empty", f"{drained:.0f}")
    out.print(table)
    tries = [(tried.at, *answer) for one in sent for tried in one.tried for answer in tried.answers]
    waits = [(tried.at, tried.took) for one in sent for tried in one.tried]
    table = Table(title="during each")
    for column in ("", "times", "200s", "p50 ms", "p99 ms", "to its 200, p99 s", "503", "no answer", "health named it"):
        table.add_column(column, justify="left" if not column else "right")
    silent = 0
    for kind in ("nothing", *KINDS):
        spans = [(one.began, one.ended) for one in done if one.kind == kind]
        if kind == "nothing":
            spans = between_all([(one.began, one.ended + 5) for one in done], sent)
        if not spans:
            continue
        answers = [(took, status) for at, took, status in tries if within(at, spans)]
        good = [took for took, status in answers if status == 200]
        named = ""
        if kind in NAMES_IT:
            late = [(a + NOTICED_WITHIN[kind], b) for a, b in spans]
            seen = [look for look in looks if look.parts and within(look.at, late)]
            said = sum(NAMES_IT[kind](look.parts) for look in seen)
            silent += bool(seen) and not said
            named = f"{said} of {len(seen)} answers"
        table.add_row(
            kind, str(len(spans)) if kind != "nothing" else "", f"{len(good):,}",
            f"{1000 * percentile(good, 0.5):,.0f}",
            f"{1000 * percentile(good, 0.99):,.0f}",
            f"{percentile([took for at, took in waits if within(at, spans)], 0.99):.1f}",
            f"{sum(status == 503 for _, status in answers):,}", f"{sum(status == 0 for _, status in answers):,}", named,
        )  # fmt: skip
    out.print(table)
    answered = [look.took for look in looks if look.parts]
    out.print(
        f"health: {len(looks):,} looks, {len(answered):,} answered, the slowest after {max(answered, default=0):.1f} s",
        highlight=False,
    )
    return 1 if found.wrong or silent else 0


def within(at: float, spans: list[tuple[float, float]]) -> bool:
    return any(begin <= at < end for begin, end in spans)


def between_all(spans: list[tuple[float, float]], sent: list[Sent]) -> list[tuple[float, float]]:
    """The times in which nothing went on."""
    first = min(one.tried[0].at for one in sent)
    last = max(one.tried[-1].at for one in sent)
    free = []
    for begin, end in sorted(spans):
        if begin > first:
            free.append((first, begin))
        first = max(first, end)
    return [*free, (first, last)] if last > first else free
