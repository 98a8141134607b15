"""The worked example: what people see of two days with four visits, one of them a bot's, and a view without one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from snowgauge.analytics.answer import AnalyticsAnswer
from snowgauge.analytics.engine import Engine
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.store.base import Store
from snowgauge.testing.figures.filling import fill

NOW = int(datetime(2026, 3, 12, 8, tzinfo=UTC).timestamp() * 1000)


def at(clock: str, day: int = 10) -> int:
    return int(datetime.fromisoformat(f"2026-03-{day}T{clock}+00:00").timestamp() * 1000)


def view(view_id: str, session: str, path: str, start: str, **more: Any) -> dict[str, Any]:
    day = more.pop("day", 10)
    return {
        "view_id": view_id, "event_id": f"00000000-0000-4000-8000-0000000000{len(path):02d}", "app_id": "web",
        "session_id": session, "unit": session or f"view {view_id}", "page_path": path, "start_tstamp": at(start, day),
        "end_tstamp": at(start, day), "engaged_s": 0, "view_type": "page", **more,
    }  # fmt: skip


def visit(session: str, person: str, start: str, **more: Any) -> dict[str, Any]:
    day = more.pop("day", 10)
    return {
        "session_id": session, "unit": session, "app_id": "web", "person_id": person, "visitor_id": person,
        "start_tstamp": at(start, day), "end_tstamp": at(start, day) + 1000 * more.get("duration_s", 0), "views": 1,
        "is_bounce": True, "entry_path": "", "exit_path": "", **more,
    }  # fmt: skip


ROWS = {
    "sessions": [
        visit("s1", "u7", "10:00:00", views=3, engaged_s=20, duration_s=81, interactions=2, conversions=1, revenue=49.9,
              channel="Paid Search", source="Google", entry_path="/", exit_path="/thanks", is_bounce=False),
        visit("s2", "u7", "09:00:00", day=11, channel="Referral", source="news.example", entry_path="/blog/a",
              exit_path="/blog/a"),
        visit("s3", "d2", "11:00:00", channel="AI Assistants", source="ChatGPT", entry_path="/landing",
              exit_path="/landing"),
        visit("s9", "d9", "10:03:00", is_bot=True, channel="Direct", entry_path="/", exit_path="/",
              br_family="Googlebot"),
    ],
    "page_views": [
        view("v1", "s1", "/", "10:00:00", person_id="u7", engaged_s=15, scroll_pct=85.0, is_entry=True,
             views_in_session=3),
        view("v2", "s1", "/product/7", "10:00:40", person_id="u7", engaged_s=5, scroll_pct=27.0, views_in_session=3),
        view("v3", "s1", "/thanks", "10:01:20", person_id="u7", scroll_pct=80.0, is_exit=True, views_in_session=3),
        view("v4", "s2", "/blog/a", "09:00:00", day=11, person_id="u7", scroll_pct=53.0, is_entry=True, is_exit=True,
             views_in_session=1),
        view("v5", "", "/pricing", "10:02:00", scroll_pct=67.0),
        view("v9", "s9", "/", "10:03:00", person_id="d9", scroll_pct=40.0, is_bot=True, is_entry=True, is_exit=True,
             views_in_session=1),
        view("e12", "s3", "/landing", "11:00:00", person_id="d2", is_entry=True, is_exit=True, views_in_session=1),
    ],
    "conversions": [
        {"event_id": "00000000-0000-4000-8000-0000000000e8", "goal": "transaction", "app_id": "web",
         "t": at("10:01:21"),
         "view_id": "v3", "session_id": "s1", "person_id": "u7", "value": 49.9, "currency": "EUR", "order_id": "1",
         "channel": "Paid Search", "source": "Google", "unit": "s1"},
    ],
    "model_state": [{"table": "*", "modelled_until": at("12:00:00", 11), "updated_at": at("12:00:00", 11)}],
}  # fmt: skip
TWO_DAYS = {"date_range": ["2026-03-10", "2026-03-11"], "app": "web"}


@pytest.fixture
def engine(store: Store) -> Engine:
    fill(store, ROWS)
    return Engine(store.figures, clock=lambda: NOW)


def ask(engine: Engine, **asked: Any) -> AnalyticsAnswer:
    question = {**TWO_DAYS, **asked}
    return engine.ask(read(question, Surroundings(NOW, earliest=engine.earliest)), question)


def test_the_top_figures(engine: Engine) -> None:
    metrics = {
        "pageviews": 6, "visits": 3, "visitors": 2, "views_per_visit": 1.67, "bounce_rate": 66.7, "visit_duration": 27,
        "visit_duration_median": 0, "conversion_rate": 50.0, "visit_conversion_rate": 33.33, "total_revenue": 49.9,
        "orders": 1, "average_revenue": 49.9, "revenue_per_visitor": 24.95, "converters": 1, "conversions": 1,
    }  # fmt: skip
    answer = ask(engine, metrics=list(metrics))
    assert dict(zip(metrics, answer.results[0].metrics, strict=True)) == metrics
    assert answer.meta.coverage is not None
    assert (answer.meta.coverage.pageviews, answer.meta.coverage.without_visit) == (6, 1)
    assert answer.meta.modelled_until == "2026-03-11T12:00:00Z"
    assert answer.meta.currencies == ["EUR"]
    assert set(answer.meta.definitions) == set(metrics)
    assert not answer.meta.approximate
    assert not answer.meta.warnings


def test_the_chart_has_a_row_for_every_day(engine: Engine) -> None:
    answer = ask(
        engine, metrics=["visitors", "pageviews"], dimensions=["time:day"], date_range=["2026-03-09", "2026-03-13"]
    )
    assert [(row.dimensions[0], row.metrics) for row in answer.results] == [
        ("2026-03-09", [0, 0]), ("2026-03-10", [2, 5]), ("2026-03-11", [1, 1]), ("2026-03-12", [0, 0]),
        ("2026-03-13", [None, None]),
    ]  # fmt: skip
    assert answer.meta.time_labels is not None
    assert [one.state for one in answer.meta.time_labels] == ["whole", "whole", "whole", "running", "future"]


def test_sources_and_their_visitors(engine: Engine) -> None:
    answer = ask(engine, metrics=["visitors", "percentage", "group_conversion_rate"], dimensions=["visit:source"])
    assert {row.dimensions[0]: row.metrics for row in answer.results} == {
        "ChatGPT": [1, 50.0, 0.0], "Google": [1, 50.0, 100.0], "news.example": [1, 50.0, 0.0],
    }  # fmt: skip


def test_pages_with_what_is_theirs(engine: Engine) -> None:
    answer = ask(
        engine, dimensions=["event:page"], order_by=[["event:page", "asc"]],
        metrics=["visitors", "pageviews", "bounce_rate", "time_on_page", "scroll_depth", "exit_rate"],
    )  # fmt: skip
    assert [(row.dimensions[0], row.metrics) for row in answer.results] == [
        ("/", [1, 1, 0.0, 15, 85.0, 0.0]),
        ("/blog/a", [1, 1, 100.0, None, 53.0, 100.0]),
        ("/landing", [1, 1, 100.0, None, None, 100.0]),
        # a page that a visit never entered on has no bounce rate, and one without a visit no exit rate
        ("/pricing", [0, 1, None, None, 67.0, None]),
        ("/product/7", [1, 1, None, 5, 27.0, 0.0]),
        ("/thanks", [1, 1, None, 0, 80.0, 100.0]),
    ]


def test_bots_by_name_and_not_among_people(engine: Engine) -> None:
    bots = ask(engine, metrics=["visits", "pageviews"], dimensions=["visit:browser"], traffic="bots")
    assert [(row.dimensions, row.metrics) for row in bots.results] == [(["Googlebot"], [1, 1])]
    everything = ask(engine, metrics=["visits", "pageviews"], traffic="all")
    assert everything.results[0].metrics == [4, 7]


def test_the_week_by_weekday_and_hour(engine: Engine) -> None:
    answer = ask(
        engine, metrics=["pageviews"], dimensions=["time:day_of_week", "time:hour_of_day"], timezone="Asia/Kathmandu"
    )
    assert {tuple(row.dimensions): row.metrics[0] for row in answer.results} == {(2, 15): 4, (2, 16): 1, (3, 14): 1}


def test_visits_with_a_page_and_without_a_goal(engine: Engine) -> None:
    filters = [["has_done", ["is", "event:page", ["/", "/landing"]]], ["has_not_done", ["is_set", "event:goal"]]]
    assert ask(engine, metrics=["visits"], filters=filters).results[0].metrics == [1]


def test_a_comparison_stands_beside_each_row(engine: Engine) -> None:
    day = {"date_range": ["2026-03-11", "2026-03-11"], "include": {"comparisons": {"mode": "previous_period"}}}
    answer = ask(engine, metrics=["visitors", "bounce_rate", "total_revenue"], **day)
    compared = answer.results[0].comparison
    assert compared is not None
    assert compared.metrics == [2, 50.0, 49.9]
    assert compared.change == [-50.0, 50.0, -100.0]
    assert answer.meta.comparison is not None
    assert answer.meta.comparison.start == "2026-03-10T00:00:00Z"


def test_everything_there_is(engine: Engine) -> None:
    answer = ask(engine, metrics=["pageviews"], date_range="all")
    assert answer.results[0].metrics == [6]
    assert answer.meta.period.start == "2026-03-10T00:00:00Z"


def test_the_sql_that_answers_it_gives_the_same(engine: Engine, store: Store) -> None:
    answer = ask(engine, metrics=["visits", "bounce_rate"], dimensions=["visit:channel"], explain=True)
    assert answer.meta.sql is not None
    rows = store.query(answer.meta.sql).rows
    assert [row[0] for row in rows] == [row.dimensions[0] for row in answer.results]
    assert [row[1] for row in rows] == [row.metrics[0] for row in answer.results]
