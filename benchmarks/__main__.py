"""`make bench`: every measurement, one after the other, each a table; `python -m benchmarks NAME... [OPTIONS]` for
some, each of which is given the options. What takes half an hour is measured only when it is named. At the end stands
what was measured beside what is aimed at."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import _aims

LONG = {"soak"}


def main() -> int:
    folder = Path(__file__).parent
    names = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    given = sys.argv[1:]
    first = next((place for place, word in enumerate(given) if word.startswith("-")), len(given))
    chosen, options = given[:first] or [name for name in names if name not in LONG], given[first:]
    unknown = set(chosen) - set(names)
    if unknown:
        sys.stderr.write(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(names)}\n")
        return 2
    worst = 0
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as figures:
        environment = {**os.environ, _aims.FILE: figures.name}
        for name in chosen:
            sys.stdout.write(f"\n== {name}\n")
            sys.stdout.flush()
            command = [sys.executable, "-m", f"benchmarks.{name}", *options]
            worst = max(worst, subprocess.call(command, env=environment))
        _aims.show(_aims.noted(Path(figures.name)), everything=not given[:first])
    return worst


if __name__ == "__main__":
    sys.exit(main())
