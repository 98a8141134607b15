"""What an event costs with four collectors and four workers, beside one of each.

    python -m benchmarks.more_processes [--seconds 10] [--rate 2000]

Both deployments get the same events at the same rate, so that batches differ only by how the processes divide them:
processor time per event of all parts, of which the ratio is what counts.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks._aims import note
from benchmarks.end_to_end import drive
from snowgauge.testing.deployment import Deployment

PARTS = ("collector", "pipeline", "clickhouse", "rest")


def per_event(processes: int, options: argparse.Namespace) -> dict[str, float]:
    """Microseconds of processor time of each part."""
    with tempfile.TemporaryDirectory(prefix="snowgauge-bench-") as folder:
        settings = {"pipeline.collectors": str(processes), "pipeline.workers": str(processes)}
        with Deployment(Path(folder) / "data", settings) as deployment:
            drive(deployment, argparse.Namespace(seconds=3, batch=options.batch), 8, options.rate)  # warm up
            found = drive(deployment, options, 8, options.rate)
    return {part: found.get(f"{part}_us", 0.0) for part in PARTS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--batch", type=int, default=10)
    options = parser.parse_args()
    few, many = per_event(1, options), per_event(4, options)
    print(f"{'us per event':16}{'1 + 1':>10}{'4 + 4':>10}")
    for part in PARTS:
        print(f"{part:16}{few[part]:10.0f}{many[part]:10.0f}")
    ratio = sum(many.values()) / sum(few.values())
    print(f"{'all':16}{sum(few.values()):10.0f}{sum(many.values()):10.0f}   {ratio:.2f} times")
    note(more_processes=ratio)


if __name__ == "__main__":
    main()
