"""Attribution as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from snowgauge.analytics.question import Question
from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.asked import Happening, choice, happening, scope, shown, whole

Model = Literal["last", "first", "linear", "position", "decay"]
MODELS: dict[Model, str] = {
    "last": "all of it to the last touch",
    "first": "all of it to the first touch",
    "linear": "as much to each touch",
    "position": "40 per cent each to the first and the last touch, the rest to those between",
    "decay": "the more the later, half as much for every half-life before the conversion",
}
By = Literal["channel", "source", "medium", "campaign", "landing_page", "content_group"]
DIVIDED_BY: dict[By, tuple[str, str]] = {
    "channel": ("channel", "Channel"),
    "source": ("source", "Source"),
    "medium": ("mkt_medium", "Medium"),
    "campaign": ("mkt_campaign", "Campaign"),
    "landing_page": ("page_path", "Landing page"),
    "content_group": ("content_group", "Content group"),
}
"""Of each: the column of page views, and what it is called."""
SPENT_BY: tuple[By, ...] = ("channel", "source", "medium", "campaign")
"""What spend is known of."""
Direct = Literal["ignore", "count"]
DIRECT: dict[Direct, str] = {
    "ignore": "direct visits count only where there is no other touch",
    "count": "direct visits are touches as all others",
}
FIELDS = ("goal", "by", "model", "lookback_days", "half_life_days", "direct", "currency", "limit")
MOST_ROWS = 100
LONGEST_LOOKBACK = 365
DAY = 86_400_000


@dataclass(frozen=True)
class Attribution:
    """``lookback`` and ``half_life`` in ms. ``model`` orders the rows. ``currency``: empty: the most frequent one."""

    question: Question
    goal: Happening
    by: By
    model: Model
    lookback: int
    half_life: int
    direct: Direct
    currency: str
    limit: int

    @property
    def column(self) -> str:
        return DIVIDED_BY[self.by][0]


def read_attribution(given: Mapping[str, Any], around: Surroundings) -> Attribution:
    """Raises ``QuestionRefused``."""
    question = scope(given, around, FIELDS, breakdown=False, compared=False)
    asked = given.get("goal", "")
    goal = happening({"kind": "goal", "name": asked} if isinstance(asked, str) else asked, "goal", around)
    if goal.kind != "goal":
        raise QuestionRefused("goal.kind", f"conversions are goals reached, and this is a {goal.kind}")
    currency = given.get("currency", "")
    if not isinstance(currency, str) or len(currency) > 10:
        raise QuestionRefused("currency", f"expected a code such as EUR, found {shown(currency)}")
    return Attribution(
        question, goal, choice(given.get("by"), tuple(DIVIDED_BY), "channel", "by"),
        choice(given.get("model"), tuple(MODELS), "last", "model"),
        whole(given.get("lookback_days"), 1, LONGEST_LOOKBACK, 30, "lookback_days") * DAY,
        whole(given.get("half_life_days"), 1, LONGEST_LOOKBACK, 7, "half_life_days") * DAY,
        choice(given.get("direct"), tuple(DIRECT), "ignore", "direct"), currency,
        whole(given.get("limit"), 1, MOST_ROWS, 20, "limit"),
    )  # fmt: skip
