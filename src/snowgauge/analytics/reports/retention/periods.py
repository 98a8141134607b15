"""The whole days, weeks or months of a report on who comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from snowgauge.analytics.answer import Cell
from snowgauge.analytics.buckets import Bucket, buckets, widened
from snowgauge.analytics.question import Question
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.asked import choice

Whole = Literal["day", "week", "month"]
WHOLE: tuple[Whole, ...] = ("day", "week", "month")
MOST = 100
DEFINITION = "The period begins and ends with a whole interval."

__all__ = ["DEFINITION", "MOST", "WHOLE", "Cell", "Whole", "intervals"]


def intervals(
    given: Mapping[str, Any], question: Question, usual: Whole = "week"
) -> tuple[Question, Whole, Sequence[Bucket]]:
    """The question over whole intervals, and these."""
    interval = choice(given.get("interval"), WHOLE, usual, "interval")
    period = widened(question.period, interval)
    found = buckets(period, interval, question.now, where="interval")
    if len(found) > MOST:
        raise QuestionRefused(
            "interval", f"the period has {len(found):,} of a {interval}, at most {MOST} are told: use a longer interval"
        )
    return replace(question, period=period), interval, found
