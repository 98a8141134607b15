"""What a recovery run was asked to do, written down before it begins, so that it can go on after it broke off.

One run at a time, the automatic retry too (``Kept.alone``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.kept import Kept
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
    """The plans of a deployment."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self.alone = kept.alone
        self.save_every = kept.save_every

    def save(self, plan: Plan) -> None:
        """Raises ``StateUnavailable``."""
        body = msgspec.json.format(msgspec.json.encode(plan))
        self._kept.change(f"{plan.run}.json", lambda _: body)

    def load(self, run: str) -> Plan:
        body = self._kept.documents.read(f"{run}.json") if _NAME.fullmatch(run) else None
        if body is None:
            raise ActionRefused(f"there is no recovery run {run!r}; `snowgauge failed runs` lists them")
        return msgspec.json.decode(body, type=Plan)

    def all(self) -> list[Plan]:
        """The newest first."""
        contents = self._kept.documents.contents("")
        names = [name for name in contents if name.endswith(".json") and _NAME.fullmatch(name.removesuffix(".json"))]
        return [msgspec.json.decode(contents[name], type=Plan) for name in sorted(names, reverse=True)]

    def remove(self, run: str) -> None:
        self.load(run)
        self._kept.documents.remove(f"{run}.json")

    def under_way(self, run: str) -> bool:
        """Does it run on another machine?"""
        return self._kept.under_way() == run
