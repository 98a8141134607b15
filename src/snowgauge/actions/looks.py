"""Questions to parts that may not answer: each is asked in a thread of its own, and waited for only so long.

A database that hangs accepts a question and never answers it. Anyone who asks the same question meanwhile waits for the
same answer, so that a part that hangs costs one thread, not one for each who asks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from snowgauge.errors import SnowgaugeError


class Answer(msgspec.Struct, frozen=True):
    """``late``: there was none in time; ``value`` is the one before then, if there was one within the last minute.

    ``error`` is what the question raised.
    """

    value: Any = None
    late: bool = False
    error: SnowgaugeError | None = None
    at: float = 0.0


class _Look:
    """One question, under way or done. ``begun`` is on the monotonic clock."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.done = threading.Event()
        self.answer: Answer | None = None


_KEPT = 60.0


class Looks:
    """``patience`` is how many seconds all questions of one call are waited for. Safe for threads."""

    def __init__(self, patience: float = 2.0) -> None:
        self.patience = patience
        self._lock = threading.Lock()
        self._under_way: dict[str, _Look] = {}
        self._last: dict[str, Answer] = {}

    def ask(self, questions: Mapping[str, Callable[[], Any]]) -> dict[str, Answer]:
        """The answers by name, asked for all at once. The same name must always mean the same question."""
        looks = {name: self._look(name, question) for name, question in questions.items()}
        until = time.monotonic() + self.patience
        answers = {}
        for name, look in looks.items():
            # one that others have waited for already is not waited for again
            look.done.wait(max(0.0, min(until, look.begun + self.patience) - time.monotonic()))
            answers[name] = look.answer or self._late(name)
        return answers

    def recent(self, name: str, question: Callable[[], Any], within: float) -> Answer:
        """As ``ask``, with the answer of before where it is at most ``within`` seconds old."""
        last = self._last.get(name)
        if last is not None and time.monotonic() - last.at <= within:
            return last
        return self.ask({name: question})[name]

    def overdue(self, name: str, question: Callable[[], Any], within: float) -> bool:
        """Has the answer been missing for ``patience`` seconds? Waits for nothing; asks where the answer of before is
        older than ``within`` seconds."""
        last = self._last.get(name)
        if last is not None and time.monotonic() - last.at <= within:
            return False
        look = self._look(name, question)
        return not look.done.is_set() and time.monotonic() - look.begun >= self.patience

    def _late(self, name: str) -> Answer:
        last = self._last.get(name)
        kept = last is not None and last.error is None and time.monotonic() - last.at <= _KEPT
        return Answer(last.value if kept and last is not None else None, late=True)

    def _look(self, name: str, question: Callable[[], Any]) -> _Look:
        """The look that is under way, or a new one."""
        with self._lock:
            look = self._under_way.get(name)
            if look is None:
                look = self._under_way[name] = _Look()
                threading.Thread(
                    target=self._run, args=(name, look, question), name=f"look-{name}", daemon=True
                ).start()
            return look

    def _run(self, name: str, look: _Look, question: Callable[[], Any]) -> None:
        try:
            try:
                look.answer = Answer(question(), at=time.monotonic())
            except SnowgaugeError as error:
                look.answer = Answer(error=error, at=time.monotonic())
            self._last[name] = look.answer
        finally:
            with self._lock:
                del self._under_way[name]
            look.done.set()
