"""Disk and memory of this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import psutil  # type: ignore[import-untyped,unused-ignore]

from snowgauge.actions.deployment import Deployment, Surroundings
from snowgauge.actions.doctor.check import Check, Status


def disk(deployment: Deployment, _: Surroundings) -> Iterator[Check]:
    usage = shutil.disk_usage(deployment.data_dir)
    share = usage.free / usage.total
    status: Status = "fail" if usage.free < 1_000_000_000 else "warn" if share < 0.1 else "ok"
    yield Check(
        "disk",
        "There is room on the disk",
        status,
        f"{usage.free / 1e9:.1f} GB free ({share:.0%})",
        "Delete old events (retention), or give common.data_dir a larger disk." if status != "ok" else "",
    )


def memory(_: Deployment, around: Surroundings) -> Iterator[Check]:
    memory = psutil.virtual_memory()
    if around.engine_memory is None:
        yield Check("memory", "The engine's memory fits this machine", "skip", "the store is not the embedded engine")
        return
    enough = around.engine_memory + 800_000_000 <= memory.total
    yield Check(
        "memory",
        "The engine's memory fits this machine",
        "ok" if enough else "warn",
        f"the engine may take {around.engine_memory / 1e9:.1f} GB of {memory.total / 1e9:.1f} GB",
        "" if enough else "Lower clickhouse.engine.memory_limit, or add memory: else the system may kill the engine.",
    )
