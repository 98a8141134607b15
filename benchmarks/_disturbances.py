"""What is done to a deployment in `soak --everything`: a plan made of a seed, and the hands that carry it out."""

from __future__ import annotations

import os
import random
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec
import psutil

from benchmarks.soak import say
from snowgauge.delivery.spool import folder as files
from snowgauge.testing.deployment import Deployment
from snowgauge.testing.registry import RegistryServer

KINDS = {
    "kill -9 of a part": (14.0, 0.0),
    "kill -9 of everything": (600.0, 0.0),
    "store hung": (50.0, 16.0),
    "disk full": (70.0, 14.0),
    "registry hung": (240.0, 80.0),
    "registry slow": (240.0, 40.0),
    "registry unreachable": (240.0, 60.0),
    "registry answers 404": (240.0, 40.0),
    "segment damaged": (25.0, 0.0),
    "segment moved": (45.0, 8.0),
    "segment deleted": (80.0, 0.0),
    "hostile requests": (40.0, 25.0),
}
"""Seconds from one to the next on average, and how long each lasts at most."""
AFTERWARDS = 8.0
"""What is done in a moment counts as going on for so many seconds."""


class Deed(msgspec.Struct, order=True):
    """``at`` seconds from the beginning, for ``lasts`` seconds; ``lot`` decides what the plan leaves open."""

    at: float
    kind: str
    lasts: float
    lot: int


class Done(msgspec.Struct):
    """A deed with the clock at its begin and end, and what exactly was done."""

    kind: str
    began: float
    ended: float
    what: str


def plan(seed: int, seconds: float, only: list[str]) -> list[Deed]:
    """All deeds, in order, or those of some kinds; nothing in the last eighth."""
    chance = random.Random(seed)
    deeds = []
    for kind, (every, longest) in KINDS.items():
        if only and kind not in only:
            continue
        at = chance.uniform(0.08, 0.8) * min(seconds, every)
        while True:
            lasts = longest * chance.uniform(0.4, 1)
            if at + lasts > seconds * 0.87:
                break
            deeds.append(Deed(at, kind, lasts, chance.getrandbits(32)))
            if kind == "store hung" and not only:  # damage hurts most where much is waiting
                deeds.append(Deed(at + lasts * 0.7, "segment damaged", 0.0, chance.getrandbits(32)))
            at += every * chance.uniform(0.6, 1.4)
    return sorted(deeds)


class Store(Protocol):
    """The database behind the deployment, as one who may stop it sees it."""

    role: str

    def processes(self) -> list[psutil.Process]:
        """All that have to be stopped for it to hang."""
        ...

    def kill(self) -> None:
        """kill -9; it comes back."""
        ...


class Hands:
    """Does what a plan says. ``done`` grows; deeds of one kind never overlap."""

    def __init__(
        self, deployment: Deployment, store: Store, registry: RegistryServer, hostile: Any, roles: list[tuple[str, int]]
    ) -> None:
        self._deployment = deployment
        self._store = store
        self._registry = registry
        self._hostile = hostile
        self._roles = roles
        self._spool = deployment.data_dir / "spool"
        self.aside = deployment.data_dir.parent / "aside"
        self.aside.mkdir()
        self._touched: set[str] = set()
        self.deleted: list[Path] = []
        self.done: list[Done] = []
        self.started = 0.0
        self._ends: list[tuple[float, Done, Callable[[], object]]] = []

    def carry_out(self, deeds: list[Deed], started: float) -> None:
        """Returns when all is done and undone."""
        self.started = started
        for deed in deeds:
            self._wait(started + deed.at)
            if any(done.kind.split()[0] == deed.kind.split()[0] for _, done, _ in self._ends):
                continue  # the same thing is being done already
            began = time.monotonic()
            found = self._begin(deed)
            if found is None:
                continue
            what, undo = found
            say(f"{began - started:6.1f} s {deed.kind}: {what}")
            lasts = deed.lasts or AFTERWARDS
            done = Done(deed.kind, began, began + lasts, what)
            self.done.append(done)
            if undo is not None:
                self._ends.append((began + lasts, done, undo))
        self._wait(None)

    def _wait(self, until: float | None) -> None:
        """Until the clock shows it, or ``None``: until nothing goes on. Ends what is due meanwhile."""
        while self._ends or (until is not None and time.monotonic() < until):
            now = time.monotonic()
            for end in [end for end in self._ends if end[0] <= now]:
                self._undo(end)
            if until is not None and now >= until:
                return
            time.sleep(0.05)

    def _undo(self, end: tuple[float, Done, Callable[[], object]]) -> None:
        self._ends.remove(end)
        _, done, undo = end
        undo()
        done.ended = time.monotonic()

    def _begin(self, deed: Deed) -> tuple[str, Callable[[], object] | None] | None:
        """What was done, and how it is undone; ``None``: there was nothing to do it to."""
        chance = random.Random(deed.lot)
        match deed.kind.split():
            case ["kill", "-9", "of", "everything"]:
                return self._power_cut(), None
            case ["kill", *_]:
                role, index = chance.choice([*self._roles, (self._store.role, 0)])
                if role == self._store.role:
                    self._store.kill()
                elif not self._deployment.kill(role, index):
                    return None
                return f"{role}-{index}", None
            case ["store", "hung"]:
                return self._hang()
            case ["disk", "full"]:
                return self._fill(chance.choice((0, 300_000, 20_000_000)))
            case ["registry", *how]:
                return self._registry_out(" ".join(how))
            case ["segment", "damaged"]:
                return self._damage(chance)
            case ["segment", how]:
                return self._move(chance, back=how == "moved")
            case ["hostile", "requests"]:
                self._hostile.set()
                return "begin", self._hostile.clear
        raise ValueError(deed.kind)

    def _power_cut(self) -> str:
        for end in [end for end in self._ends if end[1].kind in ("disk full", "store hung")]:
            self._undo(end)  # a start into either would only wait
        self._deployment.kill_all()
        time.sleep(12)  # an orphaned Traefik ends automatically, after it has let its connections finish
        self._deployment.start(within=600)
        return "and started again"

    def _hang(self) -> tuple[str, Callable[[], object]]:
        stopped = self._store.processes()
        for process in stopped:
            with suppress(psutil.Error):
                process.suspend()

        def resume() -> None:
            for process in stopped:
                with suppress(psutil.Error):
                    process.resume()

        return f"{len(stopped)} processes stopped", resume

    def _fill(self, leave: int) -> tuple[str, Callable[[], object]]:
        """Leaves so many bytes free on the disk of the data folder; less than ``eventlog.spool.min_free_bytes``."""
        ballast = self._deployment.data_dir.parent / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while (room := files.free_bytes(ballast.parent) - leave) > 0 or not leave:
                file.write(bytes(max(4096, min(room, 1_000_000))))
        return f"{files.free_bytes(ballast.parent):,} bytes left", ballast.unlink

    def _registry_out(self, how: str) -> tuple[str, Callable[[], object]]:
        registry = self._registry
        if how == "hung":
            registry.held.clear()
            return how, registry.held.set
        if how == "slow":
            registry.delay = 3.0
            return how, lambda: setattr(registry, "delay", 0.0)
        if how == "unreachable":
            return how, self._no_registry()
        registry.answers["*"] = 404, b"{}"
        return how, registry.answers.clear

    def _no_registry(self) -> Callable[[], object]:
        """Nobody listens at its port, which is kept from other connections until it listens again."""
        self._registry.down()
        place = socket.socket()
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", int(self._registry.uri.rpartition(":")[2])))

        def again() -> None:
            place.close()
            self._registry.up()

        return again

    def _segments(self) -> Iterator[files.SegmentName]:
        """Segments that nothing was done to yet, those with something waiting in them first."""
        names = [name for name in files.scan(self._spool) if name.uuid not in self._touched]
        for name in names:
            if name.revision == 0:
                yield name

    def _damage(self, chance: random.Random) -> tuple[str, None] | None:
        names = list(self._segments())
        if not names:
            return None
        name = chance.choice(names)
        self._touched.add(name.uuid)
        path = self._spool / name.file
        written = []
        for _ in range(chance.randint(1, 4)):
            file = chance.choice((path, files.log_file(path), files.log_file(path)))
            with suppress(OSError), file.open("r+b") as opened:
                size = os.fstat(opened.fileno()).st_size
                if size:
                    at, length = chance.randrange(size), chance.choice((1, 64, 8192, 50_000))
                    opened.seek(at)
                    opened.write(chance.randbytes(min(length, size - at)))
                    written.append(f"{min(length, size - at)} bytes at {at:,} of {file.suffix}")
        return (f"{name.file[:15]}…: {', '.join(written)}", None) if written else None

    def _move(self, chance: random.Random, *, back: bool) -> tuple[str, Callable[[], object] | None] | None:
        names = list(self._segments())
        if not names:
            return None
        name = chance.choice(names)
        self._touched.add(name.uuid)
        moved = []
        for file in files.with_side_files(self._spool / name.file):
            with suppress(FileNotFoundError):
                shutil.move(file, self.aside / file.name)
                moved.append(file)
        if not back:
            self.deleted.append(self.aside / name.file)
            return f"{name.file[:15]}… with {len(moved)} files", None

        def put_back() -> None:
            for file in reversed(moved):  # the segment itself last: from then on it is read
                shutil.move(self.aside / file.name, file)

        return f"{name.file[:15]}… with {len(moved)} files", put_back
