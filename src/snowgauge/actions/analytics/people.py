"""Single visits, and what one person did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.asking import question_of
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics import visits as seen
from snowgauge.analytics.visits import PersonSeen, Visit

_SECONDS = 30
_MOST = 200


def visits(deployment: Deployment, asked: Mapping[str, Any], who: Principal) -> list[Visit]:
    """Those that meet the filters of a question, at most 200 a page."""
    paged = {"pagination": {"limit": 50}, **asked, "metrics": ["visits"], "dimensions": []}
    paged.pop("order_by", None)
    question = question_of(deployment, paged, who, most=_MOST)
    return seen.visits(question, deployment.store.figures(), seconds=_SECONDS)


def person(deployment: Deployment, person_id: str, asked: Mapping[str, Any], who: Principal) -> PersonSeen:
    """In the period and applications of a question; without one: of the last 91 days, today included."""
    usual = {"date_range": "91d", "include": {"today": True}}
    question = question_of(deployment, {**usual, **asked, "metrics": ["visits"], "filters": []}, who)
    return seen.person(person_id, question.span, deployment.store.figures(), seconds=_SECONDS)
