"""What every report tells besides its figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.answer import PeriodAnswered, Warned, WarningCode
from snowgauge.analytics.instants import answered, instant, modelled_until
from snowgauge.analytics.question import Question
from snowgauge.errors import QueryRefused
from snowgauge.store.figures import Figures


@dataclass(frozen=True)
class ReportMeta:
    """``modelled_until``: what was stored before is counted; ``None``: nothing is modelled yet. ``definitions``: what
    each figure is. ``sql``: what answers it, where asked for."""

    modelled_until: str | None
    period: PeriodAnswered
    definitions: dict[str, str]
    comparison: PeriodAnswered | None = None
    warnings: list[Warned] = field(default_factory=list)
    sql: str | None = None


class Reporter:
    """Runs the statements of one report within a time, and keeps what its answer has to tell."""

    def __init__(self, figures: Figures, *, seconds: float, explain: bool = False) -> None:
        self.figures = figures
        self._until = time.monotonic() + seconds
        self._explain = explain
        self._sql: list[str] = []
        self._warnings: dict[str, Warned] = {}

    def run(self, statement: sa.Select[Any], *, show: bool = False) -> Sequence[Sequence[Any]]:
        """Its rows. ``show``: it is told where SQL is asked for. All statements of a report share its time."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise QueryRefused(_TOO_LONG)
        if show and self._explain:
            self._sql.append(self.figures.text(statement))
        return self.figures.answer(statement, seconds=left).rows

    def note(self, apart: Sequence[str]) -> None:
        """Conditions that are asked of a visit's events one by one."""
        for names in apart:
            self.warn(
                "same_visit", f"No single event has {names}: the conditions are asked of events of the same visit."
            )

    def warn(self, code: WarningCode, text: str) -> None:
        self._warnings[text] = Warned(code, text)

    def meta(self, question: Question, definitions: dict[str, str]) -> ReportMeta:
        """What is told of a report on a question's period."""
        until = modelled_until(self.figures, seconds=max(1.0, self._until - time.monotonic()))
        if until is None:
            self.warn("not_modelled", "Nothing has been modelled yet: figures are complete once it has.")
        other = question.comparison
        return ReportMeta(
            None if until is None else instant(until, "UTC"),
            answered(question.period, question.now),
            definitions,
            None if other is None else answered(other.period, question.now),
            list(self._warnings.values()),
            ";\n\n".join(self._sql) if self._explain else None,
        )


_TOO_LONG = (
    "the report takes too long: ask for a shorter period, one application or fewer steps and series, or leave out the "
    "breakdown"
)
