"""What an installation takes on disk: the package and everything that it requires, without extras and Python itself.

    python -m benchmarks.installation

Counted are the files of each distribution as this environment has them, compiled bytecode included.
"""

from __future__ import annotations

import os
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement

from benchmarks._aims import note

SHOWN = 12


def required(name: str) -> dict[str, Distribution]:
    """A distribution and all that it needs, by name."""
    found: dict[str, Distribution] = {}
    waiting = [(name, frozenset[str]())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        try:
            made = found.setdefault(each[0], distribution(each[0]))
        except PackageNotFoundError:
            continue
        for line in made.requires or ():
            requirement = Requirement(line)
            wanted = [{"extra": extra} for extra in each[1]] or [{"extra": ""}]
            if requirement.marker is None or any(requirement.marker.evaluate(extra) for extra in wanted):
                waiting.append((requirement.name.lower().replace("_", "-"), frozenset(requirement.extras)))
    return found


def size(package: Distribution) -> int:
    """Bytes on disk."""
    total = 0
    for file in package.files or ():
        try:
            total += os.stat(str(package.locate_file(file))).st_blocks * 512
        except OSError:
            continue
    return total


def main() -> None:
    sizes = sorted(((size(package) / 1e6, name) for name, package in required("snowgauge").items()), reverse=True)
    for megabytes, name in sizes[:SHOWN]:
        print(f"{name:28}{megabytes:8.0f} MB")
    rest = sum(megabytes for megabytes, _ in sizes[SHOWN:])
    total = sum(megabytes for megabytes, _ in sizes)
    print(f"{f'{max(0, len(sizes) - SHOWN)} more':28}{rest:8.0f} MB\n{'all':28}{total:8.0f} MB")
    note(installation_mb=total)


if __name__ == "__main__":
    main()
