"""Cohorts equal what plain Python makes of the same events, on both stores, as people and as a filter of questions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.analytics.engine import Engine
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.analytics.reports.cohorts.members import ByList, ByRule, Member, members, size
from snowgauge.analytics.reports.cohorts.rule import read_rule
from snowgauge.analytics.reports.funnel.engine import answer as funnel_answer
from snowgauge.analytics.reports.funnel.question import read_funnel
from snowgauge.analytics.reports.retention.retention import answer as retention_answer
from snowgauge.analytics.reports.retention.retention import read_retention
from snowgauge.analytics.reports.trends.engine import answer as trends_answer
from snowgauge.analytics.reports.trends.question import read_trends
from snowgauge.analytics.sql.imported import LeftOut, fitting
from snowgauge.modelling.store import Change
from snowgauge.modelling.tables.cohorts import MEMBERS
from snowgauge.testing.figures.asking import NOW, START, Populated, happenings, is_of
from snowgauge.testing.figures.people import Did

DAY = 86_400_000
PERIODS = {("2026-03-02", "2026-03-05"): (0, 4), ("2026-03-04", "2026-03-20"): (2, 19), "all": (0, 1000)}
WHOLE = {"date_range": ["2026-03-01", "2026-03-31"]}


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    times = st.tuples(st.sampled_from(["at_least", "at_most", "exactly"]), st.integers(1, 4)) | st.just(("at_most", 0))
    one = st.fixed_dictionaries(
        {
            "event": happenings(),
            "times": times.map(lambda given: {given[0]: given[1]}),
            "date_range": st.sampled_from(list(PERIODS)).map(lambda period: list(period) if period != "all" else "all"),
        }
    )
    return {"match": draw(st.sampled_from(["all", "any"])), "rules": draw(st.lists(one, min_size=1, max_size=3))}


def belonging(asked: dict[str, Any], did: list[Did]) -> set[str]:
    """Who is in it, in plain Python."""
    everyone = {one.person for one in did}
    join = all if asked["match"] == "all" else any
    return {person for person in everyone if join(fits(rule, person, did) for rule in asked["rules"])}


def fits(rule: dict[str, Any], person: str, did: list[Did]) -> bool:
    period = rule["date_range"] if rule["date_range"] == "all" else tuple(rule["date_range"])
    first, last = PERIODS[period]
    start, end = START + first * DAY, START + last * DAY
    count = len(
        {one.moment for one in did if one.person == person and start <= one.ms < end and is_of(rule["event"], one)}
    )
    ((name, number),) = rule["times"].items()
    return {"at_least": count >= number, "at_most": count <= number, "exactly": count == number}[name]


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(asked=rules())
def test_any_rule(populated: Populated, asked: dict[str, Any]) -> None:
    around = replace(populated.around, earliest=lambda _: START)
    expected = belonging(asked, populated.did)
    cohort = ByRule(read_rule(asked, around))
    found = members(cohort, populated.reporter(), NOW, limit=1000, offset=0)
    assert {one.person_id for one in found} == expected
    assert size(cohort, populated.reporter()) == len(expected)


RULE = {
    "rules": [{"event": {"kind": "goal", "name": "buy", "filters": []}, "times": {"at_least": 2}, "date_range": "all"}]
}


@pytest.fixture
def buyers(populated: Populated) -> tuple[Surroundings, set[str]]:
    """A question's surroundings with one cohort, and who is in it."""
    around = replace(populated.around, earliest=lambda _: START)
    cohort = ByRule(read_rule(RULE, around))
    expected = belonging({"match": "all", **RULE}, populated.did)
    assert 3 < len(expected) < 60
    return replace(around, cohort=lambda name: cohort if name == "buyers" else None), expected


@pytest.mark.parametrize("operator", ["is", "is_not"])
def test_it_filters_every_measure(populated: Populated, buyers: tuple[Surroundings, set[str]], operator: str) -> None:
    around, expected = buyers
    asked = {**WHOLE, "metrics": ["visitors", "visits", "pageviews", "conversions", "events"],
             "filters": [[operator, "cohort", ["buyers"]]], "traffic": "all"}  # fmt: skip
    answer = Engine(populated.store.figures, clock=lambda: NOW).ask(read(asked, around), {})
    mine = [one for one in populated.did if (one.person in expected) == (operator == "is")]
    kinds = Counter(one.kind for one in mine)
    assert answer.results[0].metrics == [
        len({one.person for one in mine}), len({one.visit for one in mine}), kinds["page"], kinds["goal"],
        kinds["event"],
    ]  # fmt: skip


def test_it_filters_reports(populated: Populated, buyers: tuple[Surroundings, set[str]]) -> None:
    around, expected = buyers
    only = {**WHOLE, "filters": [["is", "cohort", ["buyers"]]]}
    mine = [one for one in populated.did if one.person in expected]
    steps = {"steps": [{"kind": "page"}, {"kind": "page"}], **only}
    funnel = funnel_answer(read_funnel(steps, around), populated.reporter(), {})
    assert funnel.results[0].steps[0].count == len({one.person for one in mine if one.kind == "page"})
    trends = trends_answer(
        read_trends({"series": [{"kind": "event", "name": "play"}], **only}, around), populated.reporter(), {}
    )
    assert trends.results[0].total == len([one for one in mine if one.name == "play"])
    retention = retention_answer(
        read_retention({"start": {"kind": "page"}, "interval": "week", **only}, around), populated.reporter(), {}
    )
    sizes = sum(one.size for one in retention.results[0].cohorts)
    assert sizes == len({one.person for one in mine if one.kind == "page"})


def test_a_condition_on_one_event_of_a_report(populated: Populated, buyers: tuple[Surroundings, set[str]]) -> None:
    around, expected = buyers
    series = {"kind": "page", "filters": [["or", [["is", "cohort", ["buyers"]], ["is", "visit:country", ["DE"]]]]]}
    found = trends_answer(read_trends({"series": [series], **WHOLE}, around), populated.reporter(), {})
    pages = [one for one in populated.did if one.kind == "page"]
    assert found.results[0].total == len([one for one in pages if one.person in expected or one.country == "DE"])


def test_a_list_names_people_and_visitors(populated: Populated) -> None:
    ids = ["p1-0", "p2-3", "nobody", "p1-1"]
    model = populated.store.modelling()  # type: ignore[attr-defined]
    model.replace([Change(MEMBERS, [], [{"cohort_id": "c1", "id": one, "at": NOW} for one in ids])], NOW * 1000)
    cohort = ByList("c1", NOW)
    found = members(cohort, populated.reporter(), NOW, limit=10, offset=0)
    assert {one.person_id for one in found} == {"p1-0", "p2-3", "p1-1"}
    first = next(one for one in found if one.person_id == "p1-0")
    times = [one.ms for one in populated.did if one.person == "p1-0"]
    assert first == Member("p1-0", len({one.visit for one in populated.did if one.person == "p1-0"}), min(times),
                           max(times))  # fmt: skip
    assert size(cohort, populated.reporter()) == 3
    assert size(ByList("c2", NOW), populated.reporter()) == 0


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"rules": []}, "rules"),
        ({"rule": []}, ""),
        ({"rules": [{"event": {"kind": "page"}, "times": {"about": 1}}]}, "rules[0].times"),
        ({"rules": [{"event": {"kind": "page"}, "times": {"at_least": 0}}]}, "rules[0].times.at_least"),
        ({"rules": [{"event": {"kind": "page"}, "date_range": "ever"}]}, "rules[0].date_range"),
        ({"rules": [{"event": {"kind": "pge"}}]}, "rules[0].event.kind"),
        ({"rules": [{"event": {"kind": "page", "filters": [["is", "cohort", ["x"]]]}}]}, "rules[0].event.rules"),
        ({"match": "some", "rules": [{"event": {"kind": "page"}}]}, "match"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(given: dict[str, Any], where: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        read_rule(given, Surroundings(NOW))
    assert refused.value.where == where


@pytest.mark.parametrize(
    "wrong", [["is", "cohort", []], ["contains", "cohort", ["a"]], ["is", "cohort", ["unknown"]], ["is", "cohort", [1]],
              ["is", "cohort", ["a"] * 6]],
)  # fmt: skip
def test_a_cohort_that_cannot_be_asked_for(wrong: list[Any]) -> None:
    with pytest.raises(QuestionRefused) as refused:
        read({"metrics": ["visits"], "filters": [wrong]}, Surroundings(NOW))
    assert refused.value.where == "filters[0]"


def test_imported_days_are_of_no_person() -> None:
    question = read(
        {"metrics": ["visits"], "filters": [["is", "cohort", ["c"]]]},
        Surroundings(NOW, cohort=lambda _: ByList("c", NOW)),
    )
    with pytest.raises(LeftOut, match="nothing that the filters ask for"):
        fitting(question, ["visitors"])
