"""The kinds of report that can be kept. Each is checked, when it is saved, by the reader that answers it later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from snowgauge.analytics.reading import Surroundings, read
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.attribution.question import read_attribution
from snowgauge.analytics.reports.funnel.question import read_funnel
from snowgauge.analytics.reports.journeys.journeys import read_journeys
from snowgauge.analytics.reports.retention.lifecycle import read_activity
from snowgauge.analytics.reports.retention.retention import read_retention
from snowgauge.analytics.reports.trends.question import read_trends
from snowgauge.store.placeholders import placeholders

Kind = Literal["query", "trends", "funnel", "retention", "lifecycle", "stickiness", "journeys", "attribution", "sql"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST_SQL = 100_000
OF_SCOPE = ("from", "until", "app")
"""Parameters of a query that the period and the application of a dashboard give."""
LARGEST = 200_000
"""Characters of a question as JSON."""


def check(kind: Kind, question: Mapping[str, Any], around: Surroundings) -> None:
    """Raises ``QuestionRefused``, with the place in the question."""
    _READERS[kind](question, around)


def _sql(question: Mapping[str, Any], _: Surroundings) -> None:
    """``sql`` and, where it has parameters, ``parameters``: their values as texts."""
    for name in question:
        if name not in ("sql", "parameters"):
            raise QuestionRefused(str(name)[:100], "a saved query has the fields sql and parameters")
    text, values = question.get("sql"), question.get("parameters", {})
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_SQL:
        raise QuestionRefused("sql", f"expected a query of at most {LONGEST_SQL:,} characters")
    if not isinstance(values, dict) or not all(isinstance(one, str) for one in values.values()):
        raise QuestionRefused("parameters", "expected an object of texts, by the names of the parameters")
    for one in placeholders(text):
        if one.name not in values and one.name not in OF_SCOPE:
            raise QuestionRefused("parameters", f"{{{one.name}:{one.type}}} has no value")


_READERS: dict[Kind, Callable[[Mapping[str, Any], Surroundings], object]] = {
    "query": read,
    "trends": read_trends,
    "funnel": read_funnel,
    "retention": read_retention,
    "lifecycle": lambda asked, around: read_activity(asked, around, "week"),
    "stickiness": lambda asked, around: read_activity(asked, around, "day"),
    "journeys": read_journeys,
    "attribution": read_attribution,
    "sql": _sql,
}
