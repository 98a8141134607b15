"""Asks the OSV database whether any version in use has a known vulnerability; `make audit`, and the build server.

Ends with 1 where one has. Asks in one request for everything installed here and everything in the console's lock file;
where the database cannot be reached it says so and ends well, since that says nothing of the packages.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path

OSV = "https://api.osv.dev/v1/querybatch"
LOCK = Path(__file__).parent.parent / "web" / "package-lock.json"
AT_ONCE = 1000
ACCEPTED: dict[str, str] = {}
"""Id of a vulnerability -> why it does not concern us."""

Package = tuple[str, str, str]


def installed() -> set[Package]:
    """What is installed beside this Python."""
    return {("PyPI", found.metadata["Name"], found.version) for found in metadata.distributions()}


def locked(file: Path) -> set[Package]:
    """What the console's lock file names."""
    packages = json.loads(file.read_text("utf-8"))["packages"]
    return {
        ("npm", path.rpartition("node_modules/")[2], entry["version"])
        for path, entry in packages.items()
        if path and "version" in entry and not entry.get("link")
    }


def vulnerable(packages: list[Package], address: str) -> list[tuple[Package, str]]:
    """Packages with the ids of what is known. Raises ``OSError`` where nobody answers."""
    finds = []
    for first in range(0, len(packages), AT_ONCE):
        part = packages[first : first + AT_ONCE]
        queries = [{"package": {"ecosystem": e, "name": name}, "version": version} for e, name, version in part]
        request = urllib.request.Request(  # noqa: S310 - a constant, or the test's
            address, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            results = json.load(answer)["results"]
        for package, result in zip(part, results, strict=True):
            finds += [(package, one["id"]) for one in result.get("vulns", []) if one["id"] not in ACCEPTED]
    return finds


def main(arguments: list[str]) -> int:
    packages = sorted(installed() | (locked(LOCK) if LOCK.is_file() else set()))
    try:
        finds = vulnerable(packages, arguments[0] if arguments else OSV)
    except (OSError, ValueError) as error:
        sys.stdout.write(f"audit SKIPPED: the database of vulnerabilities cannot be asked: {error}\n")
        return 0
    for (ecosystem, name, version), what in finds:
        sys.stdout.write(f"{ecosystem} {name} {version}: https://osv.dev/vulnerability/{what}\n")
    sys.stdout.write(f"audit: {len(packages)} packages, {len(finds)} known vulnerabilities\n")
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
