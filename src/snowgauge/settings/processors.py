"""How many processors this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup/cpu.max")


def processors(quota: Path = _CGROUP) -> int:
    """Processors that the scheduler lets this process use: those it may run on, and no more than the quota of its
    container (cgroup v2, ``cpu.max``) pays for. At least 1."""
    able = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        limit, period = quota.read_text().split()
    except (OSError, ValueError):
        return able
    return able if limit == "max" else max(1, min(able, int(limit) // int(period)))
