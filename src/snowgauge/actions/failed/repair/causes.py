"""What people say about causes: muted, resolved, a note. A resolved cause comes back when it recurs.

One document a cause, beside the recoveries, so that an erasure which looks there finds what a note says.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import msgspec

from snowgauge.actions.failed.kept import Kept
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
    """Those of one deployment. Raises ``StateUnavailable``."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def all(self) -> dict[str, CauseWord]:
        words = {}
        for name, body in self._kept.documents.contents("causes").items():
            if name.endswith(".json"):
                with suppress(msgspec.DecodeError):  # broken by hand: nothing is said about it
                    word = msgspec.json.decode(body, type=CauseWord)
                    words[word.cause] = word
        return words

    def of(self, cause: str) -> CauseWord:
        body = self._kept.documents.read(_name(cause))
        return CauseWord(cause) if body is None else msgspec.json.decode(body, type=CauseWord)

    def put(self, word: CauseWord) -> CauseWord:
        """Raises ``ActionRefused`` for a note that is too long, or too many of them."""
        if len(word.note) > _LONGEST:
            raise ActionRefused(f"a note has at most {_LONGEST:,} characters, found {len(word.note):,}", status=422)
        name = _name(word.cause)
        if word.state == "active" and not word.note:
            self._kept.documents.remove(name)
            return word
        names = self._kept.documents.names("causes")
        if name not in names and len(names) >= _MOST:
            raise ActionRefused(f"{_MOST:,} causes have a state or a note: make some active again first", status=409)
        self._kept.change(name, lambda _: msgspec.json.encode(word))
        return word


def _name(cause: str) -> str:
    if not _ID.fullmatch(cause):
        raise ActionRefused(f"{cause[:40]!r} is no cause: its id has ten hexadecimal digits", status=404)
    return f"causes/{cause}.json"
