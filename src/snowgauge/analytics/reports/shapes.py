"""The JSON Schemas of reports' questions, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snowgauge.analytics import shape
from snowgauge.analytics.buckets import INTERVALS
from snowgauge.analytics.reports.asked import SHARED, UNITS
from snowgauge.analytics.reports.attribution import question as owed
from snowgauge.analytics.reports.funnel.question import MOST_GROUPS, MOST_STEPS, ORDERS
from snowgauge.analytics.reports.journeys import journeys as ways
from snowgauge.analytics.reports.retention import retention as returning
from snowgauge.analytics.reports.retention.periods import WHOLE
from snowgauge.analytics.reports.trends import question as lines
from snowgauge.analytics.reports.trends.formula import LONGEST

_TEXT = {"type": "string"}
_FILTERS = {"type": "array", "items": {"type": "array", "items": {}}}
HAPPENING: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["kind"],
    "description": "A kind of event: a page or screen by its path (`*` and `**` stand for any characters), a stored "
    "event or a goal by its name; without `name` any. `filters` are asked of the event itself and of its visit.",
    "properties": {
        "kind": {"type": "string", "enum": ["page", "event", "goal"]},
        "name": _TEXT,
        "filters": _FILTERS,
        "label": {**_TEXT, "description": "What the answer calls it."},
    },
}


def _report(title: str, description: str, required: list[str], **own: Any) -> dict[str, Any]:
    shared = shape.schema()["properties"]
    properties = {name: shared[name] for name in SHARED}
    return {
        "type": "object", "title": title, "description": description, "required": required,
        "additionalProperties": False, "properties": properties | own,
    }  # fmt: skip


def _breakdown(of: str) -> dict[str, Any]:
    return {**_TEXT, "description": f"Dimension to divide by, of {of}."}


def _words(names: Mapping[Any, str], usual: str) -> dict[str, Any]:
    words = "; ".join(f"`{name}`: {text}" for name, text in names.items())
    return {**_TEXT, "enum": list(names), "default": usual, "description": words}


def _number(least: int, most: int, usual: int, words: str = "") -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most, "default": usual, "description": words}


def funnel() -> dict[str, Any]:
    """Of a funnel."""
    return _report(
        "FunnelQuestion", "How many people reach one step after another.", ["steps"],
        steps={"type": "array", "items": HAPPENING, "minItems": 2, "maxItems": MOST_STEPS},
        order=_words(ORDERS, "ordered"),
        unit={"type": "string", "enum": list(UNITS), "default": "person"},
        window_seconds=_number(60, 90 * 86_400, 7 * 86_400, "Time from the first step in which the others follow."),
        breakdown=_breakdown("the first step"),
        limit=_number(1, MOST_GROUPS, 10, "How many values of the breakdown are told."),
    )  # fmt: skip


def retention() -> dict[str, Any]:
    """Of retention."""
    return _report(
        "RetentionQuestion", "Of the people who did something, how many came back.", ["start"],
        start=HAPPENING,
        back={**HAPPENING, "description": "What counts as coming back. Without it: the start event."},
        interval=_interval("week"),
        mode=_words(returning.MODES, "first"),
        returning=_words(returning.RETURNING, "on"),
        breakdown=_breakdown("the start event"),
        limit=_number(1, returning.MOST_GROUPS, 10, "How many values of the breakdown are told."),
    )  # fmt: skip


def lifecycle() -> dict[str, Any]:
    """Of lifecycle."""
    return _report("LifecycleQuestion", "Who is new, comes again, comes back after a while or stays out.", ["event"],
                   event=HAPPENING, interval=_interval("week"))  # fmt: skip


def stickiness() -> dict[str, Any]:
    """Of stickiness."""
    return _report("StickinessQuestion", "On how many days, or in how many weeks or months, people do something.",
                   ["event"], event=HAPPENING, interval=_interval("day"))  # fmt: skip


def _interval(usual: str) -> dict[str, Any]:
    return {**_TEXT, "enum": list(WHOLE), "default": usual, "description": "The period is widened to whole ones."}


def journeys() -> dict[str, Any]:
    """Of journeys."""
    return _report(
        "JourneysQuestion", "Which pages or events follow one another, as nodes and links.", [],
        anchor={**HAPPENING, "description": "Where ways begin, or (backwards) end. Without it: with the visit."},
        direction=_words(ways.DIRECTIONS, "forwards"),
        kinds={"type": "array", "items": {"type": "string", "enum": list(ways.KINDS)}, "minItems": 1,
               "description": "What a step is. Without it: the anchor's kind, or pages."},
        unit={"type": "string", "enum": list(UNITS), "default": "visit"},
        group=_words(ways.GROUPINGS, "none"),
        steps=_number(2, ways.MOST_STEPS, 4, "How many steps are told, the first included."),
        limit=_number(1, ways.MOST_NODES, 10, "How many nodes a step has; the rest is told together."),
    )  # fmt: skip


def attribution() -> dict[str, Any]:
    """Of attribution."""
    return _report(
        "AttributionQuestion", "Which touches conversions are owed to.", [],
        goal={"anyOf": [_TEXT, HAPPENING],
              "description": "A goal's name, or a goal with filters; without it any goal."},
        by=_words({name: label for name, (_, label) in owed.DIVIDED_BY.items()}, "channel"),
        model=_words(owed.MODELS, "last"),
        lookback_days=_number(1, owed.LONGEST_LOOKBACK, 30, "How long before the conversion touches count."),
        half_life_days=_number(1, owed.LONGEST_LOOKBACK, 7, "Of the model decay."),
        direct=_words(owed.DIRECT, "ignore"),
        currency={**_TEXT, "description": "Code of the revenue's currency; without it the most frequent."},
        limit=_number(1, owed.MOST_ROWS, 20, "How many values are told; the rest is told together."),
    )  # fmt: skip


def trends() -> dict[str, Any]:
    """Of trends."""
    own = {"measure": _words(lines.MEASURES, "count"), "property": {**_TEXT, "description": "The number to measure."}}
    one = {**HAPPENING, "properties": {**HAPPENING["properties"], **own}}
    formula = {"type": "object", "required": ["formula"], "additionalProperties": False, "properties": {
        "formula": {**_TEXT, "maxLength": LONGEST, "description": "Such as `A / B * 100`: letters are series."},
        "label": {**_TEXT, "description": "What the answer calls it."},
    }}  # fmt: skip
    return _report(
        "TrendsQuestion", "Any events over time, one series each.", ["series"],
        series={"type": "array", "items": one, "minItems": 1, "maxItems": lines.MOST_SERIES},
        formulas={"type": "array", "items": formula, "maxItems": lines.MOST_FORMULAS},
        breakdown=_breakdown("the series' events"),
        limit=_number(1, lines.MOST_GROUPS, 5, "How many values of the breakdown are told."),
        interval={**_TEXT, "enum": list(INTERVALS), "description": "Without it what suits the period."},
    )  # fmt: skip
