"""The JSON Schema of a question, made from the definitions: what the OpenAPI document says of it."""

from __future__ import annotations

from typing import Any, get_args

from snowgauge.analytics.dimensions import DIMENSIONS, TIMES
from snowgauge.analytics.measures import MEASURES
from snowgauge.analytics.operators import GROUPS, OPERATORS
from snowgauge.analytics.periods import PERIODS, WeekStart
from snowgauge.analytics.reading import MOST_DIMENSIONS, MOST_MEASURES, MOST_ROWS
from snowgauge.analytics.sql.rows import TRAFFIC

_TEXT = {"type": "string"}
_TWO = {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2}


def schema() -> dict[str, Any]:
    """Of the whole question."""
    period = {"anyOf": [{"type": "string", "enum": list(PERIODS)}, _TWO]}
    return {
        "type": "object",
        "title": "AnalyticsQuestion",
        "description": "What is asked. Its shape follows Plausible's Stats API, with `app` for `site_id`.",
        "required": ["metrics"],
        "additionalProperties": False,
        "properties": {
            "app": {
                "anyOf": [_TEXT, {"type": "array", "items": _TEXT}],
                "description": "Application, or several; without it: all.",
            },
            "metrics": {
                "type": "array", "minItems": 1, "maxItems": MOST_MEASURES, "items": _names(MEASURES),
            },
            "dimensions": {
                "type": "array", "maxItems": MOST_DIMENSIONS, "items": _TEXT,
                "description": f"Any of {', '.join([*DIMENSIONS, *TIMES])}; properties as `event:props:<path>`.",
            },
            "filters": {
                "type": "array", "items": {"type": "array", "items": {}},
                "description": "Conditions `[operator, dimension, values, options]` with one of "
                f"{', '.join(OPERATORS)}; and groups: {', '.join(GROUPS)}.",
                "examples": [[["is", "visit:source", ["Google"]], ["contains", "event:page", ["/blog"]]]],
            },
            "date_range": {**period, "description": "A period's name, two dates, or two times. Without it: 28d."},
            "timezone": {**_TEXT, "description": "Zone of days and hours, such as Europe/Berlin."},
            "week_start": _names(get_args(WeekStart)),
            "traffic": {**_names(TRAFFIC), "description": "Without it: people."},
            "order_by": {"type": "array", "items": _TWO, "examples": [[["visitors", "desc"]]]},
            "pagination": _object(
                limit={"type": "integer", "minimum": 1, "maximum": MOST_ROWS}, offset={"type": "integer", "minimum": 0}
            ),
            "include": _object(
                total_rows={"type": "boolean"}, today={"type": "boolean"}, coverage={"type": "boolean"},
                imports={"type": "boolean", "description": "Tell what imported days add."},
                time_labels={"type": "boolean"}, trim_relative_date_range={"type": "boolean"},
                comparisons=_object(
                    mode=_names(("previous_period", "year_over_year", "custom")), date_range=period,
                    match_day_of_week={"type": "boolean"},
                ),
            ),
            "explain": {"type": "boolean", "description": "Tell the SQL that answers it."},
        },
    }  # fmt: skip


def _names(names: Any) -> dict[str, Any]:
    return {"type": "string", "enum": list(names)}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}
