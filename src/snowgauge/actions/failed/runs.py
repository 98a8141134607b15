"""What a recovery run was asked to do, written down before it begins, so that it can go on after it broke off.

One run at a time: every run locks the folder, the automatic retry too.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.recover import Totals
from snowgauge.actions.failed.where import Choice
from snowgauge.errors import ActionRefused

_NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")


@dataclass
class Undone:
    """What an undo took back: ``events`` out of the store, ``reopened`` failed events. ``kept`` failed events stay
    recovered, since their events were stored by something else; ``new_failures`` of the run stay, too."""

    at: int
    by: str = ""
    events: int = 0
    reopened: int = 0
    kept: int = 0
    new_failures: int = 0
    done: bool = False


class Plan(msgspec.Struct):
    """``at`` is when it began, in ms. ``totals`` are there once it has ended, ``progress`` before.

    ``dry_run``: a count that stores nothing. ``expected`` rows were selected when it began; ``reasons`` are why rows
    did not become good, and how many; ``trouble`` is why it broke off.
    """

    run: str
    at: int
    choice: Choice
    edits: EditOptions = msgspec.field(default_factory=EditOptions)
    config: str | None = None
    totals: Totals | None = None
    by: str = ""
    dry_run: bool = False
    expected: int = 0
    progress: Totals | None = None
    reasons: dict[str, int] = {}
    trouble: str = ""
    undone: Undone | None = None


class Runs:
    """The plans of a deployment, in a folder of its data."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "recoveries"

    def save(self, plan: Plan) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{plan.run}.json"
        part = path.with_suffix(".part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(plan)))
        part.replace(path)

    def load(self, run: str) -> Plan:
        path = self._folder / f"{run}.json"
        if not _NAME.fullmatch(run) or not path.is_file():
            raise ActionRefused(f"there is no recovery run {run!r}; `snowgauge failed runs` lists them")
        return msgspec.json.decode(path.read_bytes(), type=Plan)

    def all(self) -> list[Plan]:
        """The newest first."""
        return [self.load(path.stem) for path in sorted(self._folder.glob("*.json"), reverse=True)]

    def remove(self, run: str) -> None:
        self.load(run)
        (self._folder / f"{run}.json").unlink(missing_ok=True)

    @contextmanager
    def alone(self, *, wait: bool = False) -> Iterator[None]:
        """Only one may recover at a time. Raises ``ActionRefused`` while another recovery runs."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise ActionRefused("another recovery is under way; try again when it has ended", status=409) from None
            yield
