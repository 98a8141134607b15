"""What every process of a deployment does: share its figures, say that it is ready, stop when told."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from snowgauge.pipeline import build
from snowgauge.settings.model import Settings
from snowgauge.telemetry import metrics


def share_metrics(settings: Settings) -> None:
    """Let this process's figures be seen on the private port. Must come before the first metric is used."""
    metrics.configure(build.data_dir(settings) / "run" / "metrics")


def on_stop(act: Callable[[], None]) -> None:
    """Call ``act`` at SIGTERM or Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: act())


def stopping(settings: Settings) -> tuple[threading.Event, threading.Event]:
    """Events that SIGTERM and Ctrl-C set: to stop, and to leave even what is under way, which comes with the second
    signal or after ``pipeline.drain_timeout``."""
    stop, abandon = threading.Event(), threading.Event()

    def told() -> None:
        if stop.is_set():
            abandon.set()
        stop.set()
        giving_up = threading.Timer(settings.pipeline.drain_timeout.total_seconds(), abandon.set)
        giving_up.daemon = True
        giving_up.start()

    on_stop(told)
    return stop, abandon


def mark_ready(settings: Settings, name: str) -> None:
    """Tell a supervisor, and all who ask for the state, that this process is at work: a file with its process id."""
    mark = ready_mark(settings, name)
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark.write_text(f"{os.getpid()}\n")
    mark.with_suffix(".waiting").unlink(missing_ok=True)


def mark_waiting(settings: Settings, name: str, why: str) -> None:
    """Tell a supervisor what this process waits for before it can be at work."""
    mark = ready_mark(settings, name).with_suffix(".waiting")
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark.write_text(f"{why}\n", "utf-8")


def ready_mark(settings: Settings, name: str) -> Path:
    return build.data_dir(settings) / "run" / f"{name}.ready"
