"""One role as a process of its own, which reads nothing of the environment but what a test gives it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def role(name: str, settings: Mapping[str, str], log: Path, options: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start ``snowgauge <name> <options>`` with ``section.key: value``; what it says is added to the file ``log``."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SNOWPLOW_")}
    environment |= {"SNOWPLOW_" + key.upper().replace(".", "__"): value for key, value in settings.items()}
    with log.open("ab") as file:
        return subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "snowgauge", *name.split(), *options], env=environment, stdout=file, stderr=file
        )
