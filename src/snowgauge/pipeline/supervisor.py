"""Runs a deployment's processes on one machine: starts them in order, restarts what dies, stops without loss.

The order of a stop is the order of the flow: the front proxy where one runs, collectors, then the workers once the
event log is empty (or the drain has taken too long: what is left waits safely), the console, the embedded engine.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from snowgauge.backoff import Backoff
from snowgauge.errors import LogUnavailable, SettingsError, SnowgaugeError
from snowgauge.telemetry.logs import logger

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
_CALM_AFTER = 30.0
_TELL_EVERY = 10.0
_BAD_SETTINGS = 2
"""How a process ends that cannot use its settings: another start would not change that."""
_PR_SET_PDEATHSIG = 1
_INTAKE = ("proxy", "collector")
"""Roles through which requests come in; they stop first, and in this order."""


class Part(msgspec.Struct, frozen=True):
    """One process: ``arguments`` follow ``python -m snowgauge``. ``ready`` is asked until it says yes."""

    role: str
    index: int
    arguments: tuple[str, ...]
    ready: Callable[[], bool] | None = None

    @property
    def name(self) -> str:
        return f"{self.role}-{self.index}"


class _Child:
    def __init__(self, part: Part) -> None:
        self.part = part
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self.next_start = 0.0
        self.restarts = 0
        self.ended: int | None = None


def _die_with_parent() -> None:
    """Runs in the child: a supervisor that is killed takes its processes along, on Linux."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Owns the processes of one data folder; a second one on the same folder is refused."""

    def __init__(
        self,
        run_dir: Path,
        *,
        environment: Mapping[str, str],
        backlog: Callable[[], int],
        drain_timeout: float,
        stop_timeout: float = 30.0,
        tell_every: float = _TELL_EVERY,
    ) -> None:
        """Times are in seconds. ``tell_every``: how often it is said what is being waited for."""
        self._run_dir = run_dir
        self._environment = dict(environment)
        self._backlog = backlog
        self._drain_timeout = drain_timeout
        self._stop_timeout = stop_timeout
        self._tell_every = tell_every
        self._children: list[_Child] = []
        self._unwritten: dict[str, str] = {}
        self._log = logger("supervisor")
        self._lock: IO[str] | None = None
        self.stop = threading.Event()
        self.hurry = False
        """A person at a terminal waits: collectors stop at once instead of serving on for a load balancer's sake."""

    def claim(self) -> None:
        """Take the data folder; raises ``SettingsError`` when another supervisor has it."""
        self._run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (self._run_dir / "supervisor.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise SettingsError(
                f"{self._run_dir.parent}: another snowgauge runs on this data folder; "
                "stop it, or choose another folder with common.data_dir"
            ) from None
        self._lock = lock
        for pattern in ("*.pid", "*.ready", "*.waiting", "status.json"):
            for stale in self._run_dir.glob(pattern):
                stale.unlink()

    def start(self, parts: Sequence[Part]) -> None:
        """Start parts and wait until each that can be asked is ready, however long that takes, or ``stop`` is set.

        Parts get ready in their own time: a database may be slow to come, and what runs must not end for that. Every
        ten seconds it is said what is being waited for, and why. Parts that end meanwhile are started again. Raises
        ``SnowgaugeError`` for one that cannot use its settings.
        """
        waiting = [_Child(part) for part in parts]
        self._children.extend(waiting)
        for child in waiting:
            self._spawn(child)
        told = time.monotonic()
        while not self.stop.is_set():
            for child in self._children:
                self._tend(child)
            self._write_status()
            waiting = [child for child in waiting if child.part.ready is not None and not child.part.ready()]
            if not waiting:
                return
            for child in waiting:
                if child.ended == _BAD_SETTINGS:
                    raise SnowgaugeError(f"{child.part.name} cannot use its settings; its message above says why")
            if time.monotonic() - told >= self._tell_every:
                told = time.monotonic()
                for child in waiting:
                    self._log.warning("waiting_for", process=child.part.name, why=self._why(child))
            self.stop.wait(0.02)

    def _why(self, child: _Child) -> str:
        """What a part that is not ready says of itself."""
        if child.process is None:
            return f"it ended with code {child.ended} and is started again; its messages above say why"
        try:
            return (self._run_dir / f"{child.part.name}.waiting").read_text("utf-8").strip()
        except OSError:
            return "it is starting" if not child.restarts else f"it is starting, after {child.restarts} that ended"

    def _spawn(self, child: _Child) -> None:
        for mark in ("ready", "waiting"):  # of the process before
            (self._run_dir / f"{child.part.name}.{mark}").unlink(missing_ok=True)
        child.process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "snowgauge", *child.part.arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no threads exist when parts are started
            start_new_session=True,  # a Ctrl-C in the terminal reaches the supervisor only, which stops in order
        )
        child.started = time.monotonic()
        self._write(f"{child.part.name}.pid", f"{child.process.pid}\n")

    def _tend(self, child: _Child) -> None:
        process = child.process
        now = time.monotonic()
        if process is not None:
            code = process.poll()
            if code is None:
                if now - child.started > _CALM_AFTER:
                    child.backoff.reset()
                return
            child.process, child.ended = None, code
            pause = child.backoff.pause()
            child.next_start = now + pause
            self._log.error("process_ended", process=child.part.name, code=code, restart_in=round(pause, 1))
        if now >= child.next_start:
            child.restarts += 1
            self._spawn(child)

    def watch(self) -> None:
        """Restart what dies, until ``stop`` is set."""
        while not self.stop.wait(0.1):
            for child in self._children:
                self._tend(child)
            self._write_status()

    def _write_status(self) -> None:
        for name, text in [*self._unwritten.items()]:
            self._write(name, text)
        status = {
            child.part.name: {"pid": child.process.pid if child.process else None, "restarts": child.restarts}
            for child in self._children
        }
        text = json.dumps(status)
        file = self._run_dir / "status.json"
        if not file.exists() or file.read_text() != text:
            self._write(file.name, text)

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all: others read it at any moment."""
        try:
            part = self._run_dir / f"{name}.part"
            part.write_text(text)
            part.rename(self._run_dir / name)
        except OSError as error:  # the disk may be full; the parts run all the same, and it is tried again
            if name not in self._unwritten:
                self._log.error("run_file_not_written", file=name, reason=str(error), cure="free disk space")
            self._unwritten[name] = text
        else:
            self._unwritten.pop(name, None)

    def shut_down(self) -> None:
        """Stop everything in the order of the flow; kills what does not stop in time."""
        for role in _INTAKE:
            self._stop_role(role)
        deadline = time.monotonic() + self._drain_timeout
        while self._running("pipeline") and time.monotonic() < deadline and self._waiting() != 0:
            for child in self._children:
                if child.part.role not in _INTAKE:
                    self._tend(child)
            time.sleep(0.05)
        left = self._waiting()
        if left != 0:
            self._log.warning("stopped_before_empty", waiting=left, note="kept in the event log for the next start")
        others = {child.part.role for child in self._children} - {"pipeline", "clickhouse"}
        for role in ("pipeline", *sorted(others), "clickhouse"):
            self._stop_role(role)
        if self._lock is not None:
            self._lock.close()

    def _waiting(self) -> int | None:
        """Entries in the event log; ``None`` while that cannot be told."""
        try:
            return self._backlog()
        except LogUnavailable:
            return None

    def _running(self, role: str) -> list[_Child]:
        return [child for child in self._children if child.part.role == role and child.process is not None]

    def _stop_role(self, role: str) -> None:
        children = self._running(role)
        for child in children:
            assert child.process is not None
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGINT if self.hurry else signal.SIGTERM)
        deadline = time.monotonic() + self._stop_timeout
        for child in children:
            assert child.process is not None
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._log.error("process_killed", process=child.part.name, waited=self._stop_timeout)
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
            child.process = None
            (self._run_dir / f"{child.part.name}.pid").unlink(missing_ok=True)
