"""The processes of this deployment on this machine, from what they left in the data folder's ``run``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]


@dataclass(frozen=True)
class Process:
    """``memory`` is what it takes of the machine's, in bytes. ``restarts``: since the deployment was started."""

    name: str
    pid: int
    memory: int
    restarts: int = 0


@dataclass(frozen=True)
class Processes:
    """``running`` by name; ``gone`` are the names of those that ought to run and do not."""

    running: list[Process]
    gone: list[str]

    def gone_of(self, role: str) -> list[str]:
        return [name for name in self.gone if name.rpartition("-")[0] == role]


def processes(run: Path) -> Processes:
    """Those of ``serve``, and of roles started alone as far as they say when they are at work."""
    restarts = _restarts(run)
    running, gone = [], []
    marks = {file.stem: file for suffix in ("ready", "pid") for file in run.glob(f"*.{suffix}")} if run.is_dir() else {}
    for name, file in sorted(marks.items()):
        try:
            pid = int(file.read_text())
            process = psutil.Process(pid)
            # a number left behind may long be another program's
            ours = any("snowgauge" in word for word in process.cmdline())
            memory = process.memory_info().rss
        except (OSError, ValueError, psutil.Error):
            ours = False
        if ours:
            running.append(Process(name, pid, memory, restarts.get(name, 0)))
        elif file.suffix == ".pid":
            gone.append(name)
    return Processes(running, gone)


def _restarts(run: Path) -> dict[str, int]:
    try:
        status = json.loads((run / "status.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name: int(told["restarts"]) for name, told in status.items()}
