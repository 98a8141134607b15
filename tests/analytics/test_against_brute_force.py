"""Every measure, dimension and filter equals what plain Python makes of the same rows, on both stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.analytics.definitions import divides
from snowgauge.analytics.dimensions import DIMENSIONS
from snowgauge.analytics.dimensions import dimension as make_dimension
from snowgauge.analytics.engine import Engine
from snowgauge.analytics.measures import MEASURES
from snowgauge.analytics.question import Along, Question
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.analytics.refusals import QuestionRefused
from snowgauge.store.base import Store
from snowgauge.testing.figures import oracle as slow
from snowgauge.testing.figures.filling import fill
from snowgauge.testing.figures.oracle import Asked, Nonsense, Oracle
from snowgauge.testing.figures.world import COUNTRIES, GOALS, PATHS, PRODUCTS, SOURCES, World, world

ZONES = {
    "Europe/Berlin": datetime(2026, 3, 27, tzinfo=UTC),  # the clock goes forward on 29 March
    "America/St_Johns": datetime(2025, 10, 30, tzinfo=UTC),  # half an hour off, back on 2 November
    "Asia/Kathmandu": datetime(2024, 2, 27, tzinfo=UTC),  # +05:45, over 29 February
    "Australia/Lord_Howe": datetime(2025, 4, 3, tzinfo=UTC),  # half an hour back on 6 April
    "UTC": datetime(2025, 12, 30, tzinfo=UTC),
}
NOW = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)
_TEXTS = [*PATHS, *SOURCES, *GOALS, *PRODUCTS, *COUNTRIES, "shoes", "a", "Ä", "Direct", "%", "_", "'", None]
_NUMBERS = [0, 1, 2, 30, 55.5, 300]
_TIMES = ["time:day", "time:week", "time:hour", "time:month", "time:hour_of_day", "time:day_of_week"]


class Answering:
    """An engine, and the worlds by their zones that its store holds."""

    def __init__(self, engine: Engine, worlds: dict[str, World]) -> None:
        self.engine = engine
        self.worlds = worlds


@pytest.fixture(scope="module", params=["clickhouse", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Answering]:
    store: Store = request.getfixturevalue(request.param)
    worlds = {
        zone: world(number, start=int(day.timestamp() * 1000), days=6)
        for number, (zone, day) in enumerate(ZONES.items())
    }
    # all of them at once: they lie in different months, and their ids differ
    everything = World()
    for zone, one in worlds.items():
        prefix = zone[:2].lower()
        for name, rows in one.rows.items():
            for row in rows:
                for column in ("session_id", "unit"):
                    if row.get(column):
                        row[column] = f"{prefix}-{row[column]}"
            everything.rows[name] += rows
        for event, stored in zip(one.events, one.stored, strict=True):
            event["session_id"] = f"{prefix}-{event['session_id']}"
            stored.domain_sessionid = event["session_id"]
        everything.stored += one.stored
    fill(store, everything.rows, everything.stored)
    return Answering(Engine(store.figures, clock=lambda: NOW), worlds)


def conditions() -> st.SearchStrategy[list[Any]]:
    def condition(dimension: str) -> st.SearchStrategy[list[Any]]:
        if dimension in slow.VISIT_NUMBERS or dimension in slow.VIEW_NUMBERS:
            value = st.sampled_from(_NUMBERS)
            some = st.tuples(
                st.sampled_from(["is", "is_not"]), st.just(dimension), st.lists(value, min_size=1, max_size=2)
            )
            one = st.tuples(
                st.sampled_from(["greater", "at_least", "less", "at_most"]), st.just(dimension),
                st.lists(value, min_size=1, max_size=1),
            )  # fmt: skip
            return st.one_of(some, one, st.tuples(st.sampled_from(["is_set", "is_not_set"]), st.just(dimension))).map(
                list
            )
        text = st.sampled_from([one for one in _TEXTS if one])
        exact = st.tuples(
            st.sampled_from(["is", "is_not"]),
            st.just(dimension),
            st.lists(st.sampled_from(_TEXTS), min_size=1, max_size=3),
        )
        partly = st.tuples(
            st.sampled_from(["contains", "contains_not", "starts_with", "starts_with_not", "matches_wildcard",
                             "matches_wildcard_not"]),
            st.just(dimension), st.lists(text | st.sampled_from(["/*", "/**", "**o*"]), min_size=1, max_size=2),
        )  # fmt: skip
        pattern = st.tuples(
            st.sampled_from(["matches", "matches_not"]), st.just(dimension),
            st.lists(st.sampled_from(["^/a", "[A-Z]", "o{2}|e$", r"\w+\.example", "^$", "(a|b)?c*", r"\d", "."]),
                     min_size=1,
                     max_size=1),
        )  # fmt: skip
        folded = partly.filter(lambda one: "wildcard" not in one[0]).map(lambda one: [*one, {"case_sensitive": False}])
        unset = st.tuples(st.sampled_from(["is_set", "is_not_set"]), st.just(dimension))
        return st.one_of(exact, partly, pattern, folded, unset).map(list)

    return st.sampled_from(slow.DIMENSIONS).flatmap(condition)


def filters() -> st.SearchStrategy[list[Any]]:
    def groups(inner: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any]]:
        return st.one_of(
            st.tuples(
                st.sampled_from(["and", "or", "same_event", "same_visit"]), st.lists(inner, min_size=1, max_size=2)
            ),
            st.tuples(st.sampled_from(["not", "has_done", "has_not_done"]), inner),
        ).map(list)

    return st.lists(st.recursive(conditions(), groups, max_leaves=3), max_size=2)


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    zone = draw(st.sampled_from(list(ZONES)))
    times = draw(st.lists(st.sampled_from(_TIMES), max_size=1))
    first = ZONES[zone]
    length = draw(st.integers(1, 7))
    return {
        "metrics": draw(st.lists(st.sampled_from(list(MEASURES)), min_size=1, max_size=4, unique=True)),
        "dimensions": times + draw(st.lists(st.sampled_from(slow.DIMENSIONS), max_size=2, unique=True)),
        "filters": draw(filters()),
        "date_range": [f"{first:%Y-%m-%d}", f"{first.replace(day=1):%Y-%m}-{min(first.day + length, 28):02d}"]
        if first.day + length <= 28
        else [f"{first:%Y-%m-%d}", f"{datetime.fromtimestamp(first.timestamp() + length * 86_400, UTC):%Y-%m-%d}"],
        "timezone": zone,
        "week_start": draw(st.sampled_from(["monday", "sunday", "saturday"])),
        "traffic": draw(st.sampled_from(["people", "people", "all", "bots", "internal"])),
        **({"app": draw(st.sampled_from(["web", "shop", ["web", "shop"]]))} if draw(st.booleans()) else {}),
        "include": {"coverage": False, "total_rows": True},
    }


def check(engine: Engine, worlds: dict[str, World], asked: dict[str, Any]) -> bool:
    """The answer equals the oracle's, or both say that it makes no sense. Was it answered?"""
    try:
        question = read(asked, Surroundings(NOW))
    except QuestionRefused:
        return False
    oracle = Oracle(worlds[asked["timezone"]], plain(question, asked))
    try:
        expected = oracle.answer()
    except Nonsense:
        with pytest.raises(QuestionRefused, match=r"^(metrics|filters)"):
            engine.ask(question, asked)
        return False
    answer = engine.ask(question, asked)
    found = {tuple(row.dimensions): row.metrics for row in answer.results}
    if (
        len(question.dimensions) == 1
        and asked["dimensions"][0].startswith("time")
        and "_of_" not in asked["dimensions"][0]
    ):
        # a chart has a row for each of its intervals
        assert len(found) == len(question.dimensions[0].buckets)  # type: ignore[union-attr]
        found = {key: values for key, values in found.items() if key in expected or any(values)}
    else:
        assert len(found) == len(answer.results)
        assert answer.meta.total_rows == len(expected)
    assert set(found) == set(expected), asked
    for key, values in expected.items():
        for measure, value, mine in zip(question.measures, values, found[key], strict=True):
            where = json.dumps([measure.name, key, asked], ensure_ascii=False)
            if value is None:
                assert mine is None, where
            else:
                # what lies in the middle of two figures may be rounded to either
                assert mine == pytest.approx(value, abs=0.5000001 * 10**-measure.decimals), where
    return True


def plain(question: Question, asked: dict[str, Any]) -> Asked:
    along = next((one for one in question.dimensions if isinstance(one, Along)), None)
    buckets = [] if along is None else [(one.start, one.label) for one in along.buckets]
    return Asked(
        asked["metrics"], asked["dimensions"], asked["filters"], question.period.start, question.period.end,
        question.apps,
        asked["traffic"], asked["timezone"], buckets,
    )  # fmt: skip


@settings(max_examples=250, suppress_health_check=list(HealthCheck))
@given(asked=questions())
def test_any_question(engine: Answering, asked: dict[str, Any]) -> None:
    check(engine.engine, engine.worlds, asked)


def by(dimension: str | None, metrics: list[str]) -> dict[str, Any]:
    return {
        "metrics": metrics, "dimensions": [dimension] if dimension else [], "filters": [], "traffic": "people",
        "timezone": "Europe/Berlin", "date_range": ["2026-03-27", "2026-04-02"],
        "include": {"coverage": False, "total_rows": True},
    }  # fmt: skip


@pytest.mark.parametrize("dimension", [None, *slow.DIMENSIONS, *_TIMES])
def test_each_measure_by_each_dimension(engine: Answering, dimension: str | None) -> None:
    sensible = [name for name in MEASURES if name != "exit_rate" or dimension in slow._PAGE]
    plain_dimension = DIMENSIONS.get(dimension or "") or (
        make_dimension(dimension, "") if dimension in slow.PROPERTIES else None
    )
    divided = [name for name in sensible if plain_dimension is None or divides(MEASURES[name], plain_dimension)]
    assert divided
    for at in range(0, len(divided), 12):
        assert check(engine.engine, engine.worlds, by(dimension, divided[at : at + 12]))
    for name in set(sensible) - set(divided):
        assert not check(engine.engine, engine.worlds, by(dimension, [name]))


def test_the_oracle_knows_every_measure() -> None:
    assert set(slow.MEASURES) == set(MEASURES)


@pytest.mark.parametrize(
    "condition",
    [["matches", ["^$"]], ["matches_not", ["^$"]], ["is", [None]], ["is", ["a", None]], ["is_not", ["a", None]],
     ["is_set"], ["is_not_set"], ["matches_wildcard", ["**"]], ["contains_not", ["a"]]],
)  # fmt: skip
def test_a_property_without_a_value_is_an_empty_text(engine: Answering, condition: list[Any]) -> None:
    operator, *values = condition
    filters = [[operator, name, *values] for name in slow.PROPERTIES][:1]
    assert check(engine.engine, engine.worlds, {**by(None, ["events", "visitors"]), "filters": filters})
