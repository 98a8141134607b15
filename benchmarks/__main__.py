"""`make bench`: every measurement, one after the other, each a table; `python -m benchmarks NAME... [OPTIONS]` for
some, each of which is given the options. What takes half an hour is measured only when it is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
    for name in chosen:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        worst = max(worst, subprocess.call([sys.executable, "-m", f"benchmarks.{name}", *options]))
    return worst


if __name__ == "__main__":
    sys.exit(main())
