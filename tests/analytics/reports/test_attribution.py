"""Attribution equals what plain Python makes of the same people, on both stores."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.analytics.reading import Surroundings
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.answers import Reporter
from snowgauge.analytics.reports.attribution.answer import AttributionAnswer
from snowgauge.analytics.reports.attribution.engine import answer, currency_of
from snowgauge.analytics.reports.attribution.question import DAY, read_attribution
from snowgauge.store.base import Store
from snowgauge.testing.figures.asking import NOW, START
from snowgauge.testing.figures.filling import fill

PERIOD = ["2026-03-10", "2026-03-24"]
BEGIN, END = START + 8 * DAY, START + 23 * DAY
CHANNELS = ("Direct", "Email", "Paid Search", "Organic Social")
HALF = DAY // 2


class Marketing:
    """People with visits from channels, some with a campaign in the middle, and goals; many at the same times."""

    def __init__(self, store: Store) -> None:
        chance = random.Random(7)
        self.touches: list[dict[str, Any]] = []
        self.conversions: list[dict[str, Any]] = []
        rows: dict[str, list[dict[str, Any]]] = {"sessions": [], "page_views": [], "conversions": []}
        for number in range(60):
            person = f"p{number}" if number % 12 else ""
            for visit in range(chance.randrange(4)):
                session = f"s{number}-{visit}"
                at = START + chance.randrange(46) * HALF
                whose = {"session_id": session, "unit": session, "app_id": "web", "person_id": person}
                rows["sessions"].append({**whose, "visitor_id": session, "start_tstamp": at, "end_tstamp": at + HALF})
                for step in range(chance.choice((1, 2, 3))):
                    view = str(UUID(int=chance.getrandbits(128), version=4))
                    tagged = step > 0 and chance.random() < 0.5
                    touch = {
                        **whose, "view_id": view, "event_id": view, "view_type": "page", "is_entry": step == 0,
                        "start_tstamp": at + (step * HALF if chance.random() < 0.5 else 0), "end_tstamp": at + HALF,
                        "channel": chance.choice(CHANNELS), "mkt_medium": "cpc" if tagged else "",
                        "mkt_campaign": chance.choice(("", "spring")) if tagged else "",
                        "refr_medium": chance.choice(("", "internal")) if tagged else "",
                    }  # fmt: skip
                    rows["page_views"].append(touch)
                    if person and (step == 0 or (tagged and touch["refr_medium"] != "internal")):
                        self.touches.append(touch)
            for _ in range(chance.randrange(3)):
                amount = chance.choice((None, 5.0, 7.25))
                goal = {
                    "event_id": str(UUID(int=chance.getrandbits(128), version=4)),
                    "goal": chance.choice(("buy", "signup")),
                    "app_id": "web", "t": START + chance.randrange(46) * HALF, "person_id": person, "value": amount,
                    "currency": "" if amount is None else chance.choice(("EUR", "EUR", "USD")), "unit": f"c{number}",
                }  # fmt: skip
                rows["conversions"].append(goal)
                self.conversions.append(goal)
        fill(store, rows)
        self.store = store

    def ask(self, asked: dict[str, Any], spend: dict[str, float]) -> AttributionAnswer:
        reporter = Reporter(self.store.figures(), seconds=300)
        question = read_attribution(asked, Surroundings(NOW))
        return answer(question, reporter, asked, currency_of(question, reporter), spend)


@pytest.fixture(scope="module")
def marketing(any_store: Store) -> Marketing:
    return Marketing(any_store)


def weights(path: list[int], at: int, half_life: int) -> dict[str, list[float]]:
    n = len(path)
    decay = [2 ** (-(at - one) / half_life) for one in path]
    return {
        "first": [1.0] + [0.0] * (n - 1),
        "last": [0.0] * (n - 1) + [1.0],
        "linear": [1 / n] * n,
        "position": [1.0] if n == 1 else [0.5, 0.5] if n == 2 else [0.4] + [0.2 / (n - 2)] * (n - 2) + [0.4],
        "decay": [one / sum(decay) for one in decay],
    }


def brute(made: Marketing, asked: dict[str, Any], column: str) -> dict[tuple[str, str], list[float]]:
    """Value and model -> conversions and revenue in EUR; value "(none)" without a touch."""
    firsts: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in sorted(made.touches, key=lambda touch: (touch["start_tstamp"], touch["view_id"])):
        firsts.setdefault((one["person_id"], one["session_id"], one[column]), one)
    found: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for goal in made.conversions:
        if not BEGIN <= goal["t"] < END or asked["goal"] not in ("", goal["goal"]):
            continue
        revenue = goal["value"] if goal["currency"] == "EUR" else 0.0
        path = [
            one for one in firsts.values()
            if one["person_id"] == goal["person_id"]
            and goal["t"] - asked["lookback_days"] * DAY <= one["start_tstamp"] <= goal["t"]
        ]  # fmt: skip
        path.sort(key=lambda touch: (touch["start_tstamp"], touch["view_id"]))
        if asked["direct"] == "ignore" and any(one["channel"] != "Direct" for one in path):
            path = [one for one in path if one["channel"] != "Direct"]
        if not path:
            for model in ("first", "last", "linear", "position", "decay"):
                found["(none)", model][0] += 1
                found["(none)", model][1] += revenue
            continue
        times = [one["start_tstamp"] for one in path]
        for model, shares in weights(times, goal["t"], asked["half_life_days"] * DAY).items():
            for one, share in zip(path, shares, strict=True):
                found[one[column], model][0] += share
                found[one[column], model][1] += share * revenue
    return found


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    goal=st.sampled_from(["", "buy"]), by=st.sampled_from(["channel", "campaign"]), days=st.sampled_from([1, 5, 30]),
    half_life=st.sampled_from([1, 7]), direct=st.sampled_from(["ignore", "count"]),
)  # fmt: skip
def test_any_attribution(marketing: Marketing, goal: str, by: str, days: int, half_life: int, direct: str) -> None:
    asked = {
        "date_range": PERIOD, "goal": goal, "by": by, "lookback_days": days, "half_life_days": half_life,
        "direct": direct,
    }  # fmt: skip
    found = marketing.ask(asked, {})
    expected = brute(marketing, asked, {"channel": "channel", "campaign": "mkt_campaign"}[by])
    assert found.currency == "EUR"
    told = {
        ("(none)" if row.none else str(row.value or ""), model): [credit.conversions, credit.revenue]
        for row in found.results for model, credit in row.models.items()
    }  # fmt: skip
    assert told == {key: pytest.approx(values, abs=1e-4) for key, values in expected.items()}
    for model in ("first", "last", "linear", "position", "decay"):
        assert sum(row.models[model].conversions for row in found.results) == pytest.approx(found.conversions, abs=1e-3)


def test_spend_gives_return_and_cost(marketing: Marketing) -> None:
    asked = {"date_range": PERIOD, "model": "linear", "limit": 2}
    found = marketing.ask(asked, {"Email": 50.0, "Radio": 10.0})
    by_value = {row.value: row for row in found.results}
    email = by_value["Email"].models["linear"]
    assert by_value["Email"].spend == 50
    assert email.roas == pytest.approx(email.revenue / 50, abs=1e-3)
    assert email.cpa == pytest.approx(50 / email.conversions, abs=1e-3)
    [other] = [row for row in found.results if row.other]
    assert other.spend == 10


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"goal": {"kind": "page"}}, "goal.kind"), ({"by": "weather"}, "by"), ({"model": "magic"}, "model"),
        ({"lookback_days": 0}, "lookback_days"), ({"direct": "maybe"}, "direct"), ({"currency": 5}, "currency"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(asked: dict[str, Any], where: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        read_attribution(asked, Surroundings(NOW))
    assert refused.value.where == where
