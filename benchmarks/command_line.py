"""What commands and processes cost before they do anything: processor time beside that of a bare Python.

python -m benchmarks.command_line [--rounds 5]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from statistics import median

from benchmarks._aims import note

CASES = {"--help": ["--help"], "sql --help": ["sql", "--help"]}
ROLES = ("collector", "engine", "worker", "modeller", "console")


def seconds(*arguments: str) -> float:
    """Processor time of one run, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    bare = median([seconds("-c", "pass") for _ in range(rounds)])
    print(f"{'python -c pass':28}{bare * 1000:8.0f} ms")
    worst = 0.0
    for name, arguments in CASES.items():
        spent = median([seconds("-m", "snowgauge", *arguments) for _ in range(rounds)])
        worst = max(worst, spent / bare)
        print(f"{f'snowgauge {name}':28}{spent * 1000:8.0f} ms{spent / bare:8.1f} times")
    for role in ROLES:
        spent = median([seconds("-c", f"import snowgauge.pipeline.roles.{role}") for _ in range(rounds)])
        print(f"{f'what the {role} loads':28}{spent * 1000:8.0f} ms{spent / bare:8.1f} times")
    note(help_times=worst)


if __name__ == "__main__":
    main()
