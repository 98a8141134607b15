"""Single visits, and what one person did."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.asking import question_of
from snowgauge.actions.deployment import Deployment
from snowgauge.analytics import profiles
from snowgauge.analytics import visits as seen
from snowgauge.analytics.profiles import Profile
from snowgauge.analytics.visits import PersonSeen, Visit
from snowgauge.errors import ActionRefused

_SECONDS = 30
_MOST = 200


@dataclass(frozen=True)
class PersonProfile:
    """``others``: person IDs of other people with the ID that was asked for, such as those at the same browser."""

    profile: Profile
    others: list[str]


def profile(deployment: Deployment, any_id: str) -> PersonProfile:
    """The person with this ID; of several the one seen last. Raises ``ActionRefused`` where there is none."""
    figures, now = deployment.store.figures(), time.time_ns() // 1_000_000
    people = profiles.people_with(any_id, figures, now, seconds=_SECONDS)
    chosen = any_id if any_id in people else next(iter(people), any_id)
    found = profiles.profile(chosen, figures, now, seconds=_SECONDS)
    if found is None:
        raise ActionRefused(f"nothing is stored of a person with the ID {any_id[:100]!r}", status=404)
    return PersonProfile(found, [one for one in people if one != chosen])


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
