"""What people say about causes: muted, resolved, a note. A resolved cause comes back when it recurs.

One file a cause, in the folder of recoveries, so that an erasure which looks there finds what a note says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from snowgauge.actions.lifetime.files import written
from snowgauge.errors import ActionRefused

CauseState = Literal["active", "muted", "resolved"]
_ID = re.compile(r"[0-9a-f]{10}")
_LONGEST = 2000
_MOST = 5000


@dataclass(frozen=True)
class CauseWord:
    """``at`` is when it was said, ``until`` when a mute ends (ms; ``None``: when a user ends it)."""

    cause: str
    state: CauseState = "active"
    note: str = ""
    by: str = ""
    at: int = 0
    until: int | None = None

    def now(self, last: int | None, now: int) -> CauseState:
        """How the cause stands, whose last failure was at ``last``."""
        if self.state == "resolved" and last is not None and last > self.at:
            return "active"
        if self.state == "muted" and self.until is not None and self.until <= now:
            return "active"
        return self.state

    def returned(self, last: int | None, now: int) -> bool:
        """Was it resolved, and has it recurred since?"""
        return self.state == "resolved" and self.now(last, now) == "active"


class CauseWords:
    """Those of one deployment."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "recoveries" / "causes"

    def all(self) -> dict[str, CauseWord]:
        found = {}
        for file in self._folder.glob("*.json"):
            try:
                word = msgspec.json.decode(file.read_bytes(), type=CauseWord)
            except (FileNotFoundError, msgspec.DecodeError):
                continue  # taken out meanwhile, or broken by hand: nothing is said about it
            found[word.cause] = word
        return found

    def of(self, cause: str) -> CauseWord:
        file = self._file(cause)
        return msgspec.json.decode(file.read_bytes(), type=CauseWord) if file.is_file() else CauseWord(cause)

    def put(self, word: CauseWord) -> CauseWord:
        """Raises ``ActionRefused`` for a note that is too long, or too many of them."""
        if len(word.note) > _LONGEST:
            raise ActionRefused(f"a note has at most {_LONGEST:,} characters, found {len(word.note):,}", status=422)
        file = self._file(word.cause)
        if word.state == "active" and not word.note:
            file.unlink(missing_ok=True)
            return word
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.is_file() and sum(1 for _ in self._folder.glob("*.json")) >= _MOST:
            raise ActionRefused(f"{_MOST:,} causes have a state or a note: make some active again first", status=409)
        with written(file) as out:
            out.write(msgspec.json.encode(word))
        return word

    def _file(self, cause: str) -> Path:
        if not _ID.fullmatch(cause):
            raise ActionRefused(f"{cause[:40]!r} is no cause: its id has ten hexadecimal digits", status=404)
        return self._folder / f"{cause}.json"
