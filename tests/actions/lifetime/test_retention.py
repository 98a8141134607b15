"""What goes, from which midnight on, for which applications."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from snowgauge.actions.lifetime.retention import Daily, Rule, cutoff, plan, rules, run
from snowgauge.actions.lifetime.settings import RetentionSettings
from snowgauge.state.documents import FolderDocuments
from snowgauge.store.base import Selection, Store, StoreBatch
from snowgauge.store.lifetime import Apps, row_time
from snowgauge.testing.events import NOON, schema_violation, web_page_view

ALL = Selection()
DAY = 86_400_000


def settings(**given: Any) -> RetentionSettings:
    return RetentionSettings.model_validate(given)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "age", "zone", "midnight"),
    [
        ("2024-05-01T12:00:00+00:00", "30 days", "UTC", "2024-04-01T00:00:00+00:00"),
        ("2024-05-01T00:00:00+00:00", "30 days", "UTC", "2024-04-01T00:00:00+00:00"),
        ("2024-04-30T23:59:59+00:00", "30 days", "UTC", "2024-03-31T00:00:00+00:00"),
        # the same instant is the next day in Berlin
        ("2024-04-30T23:59:59+00:00", "30 days", "Europe/Berlin", "2024-04-01T00:00:00+02:00"),
        # a change of the clock between: still whole days of the calendar
        ("2024-04-01T00:30:00+02:00", "1 day", "Europe/Berlin", "2024-03-31T00:00:00+01:00"),
        ("2024-03-31T23:30:00+02:00", "1 day", "Europe/Berlin", "2024-03-30T00:00:00+01:00"),
        ("2024-05-01T12:00:00+00:00", "30 days", "America/St_Johns", "2024-04-01T00:00:00-02:30"),
        ("2024-05-01T12:00:00+00:00", "12 hours", "UTC", "2024-05-01T00:00:00+00:00"),
        ("2024-03-01T05:00:00+00:00", "365 days", "UTC", "2023-03-02T00:00:00+00:00"),
    ],
)
def test_the_cut_is_a_midnight_of_the_zone(now: str, age: str, zone: str, midnight: str) -> None:
    found = settings(events=age, timezone=zone)
    assert found.events is not None
    assert cutoff(found.events, datetime.fromisoformat(now), zone) == ms(midnight)


def test_an_application_with_a_time_of_its_own_is_left_out_of_the_general_rule() -> None:
    chosen = settings(
        events="30 days",
        raw="7 days",
        apps={"a": {"events": "60 days"}, "b": {"events": "60 days"}, "c": {"failed": "5 days"}},
    )
    now = datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert rules(chosen, now) == [
        Rule("events", Apps(("a", "b"), "but"), ms("2024-04-01T00:00:00+00:00"), 30),
        Rule("events", Apps(("a", "b"), "only"), ms("2024-03-02T00:00:00+00:00"), 60),
        Rule("failed", Apps(("c",), "only"), ms("2024-04-26T00:00:00+00:00"), 5),
        Rule("raw", Apps((), "but"), ms("2024-04-24T00:00:00+00:00"), 7),
        # modelled rows go with the events, unless they have a time of their own
        Rule("modelled", Apps(("a", "b"), "but"), ms("2024-04-01T00:00:00+00:00"), 30),
        Rule("modelled", Apps(("a", "b"), "only"), ms("2024-03-02T00:00:00+00:00"), 60),
    ]
    assert rules(settings(), now) == []


@pytest.mark.parametrize("wrong", [{"events": "0 days"}, {"raw": "-1 day"}, {"timezone": "Mars/Olympus"}, {"hour": 24}])
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_the_plan_is_what_happens_and_then_nothing_is_left_to_do(store: Any, tmp_path: Path) -> None:
    held: Store = store
    lifetime = store.lifetime()
    times = [NOON - n * 10 * DAY for n in range(10)]
    apps = ["shop", "checkout"]
    good = [web_page_view(n, collector_tstamp=times[n % 10], app_id=apps[n // 10]) for n in range(20)]
    failed = [schema_violation(n, collector_tstamp=times[n], app_id="shop") for n in range(10)]
    held.write(StoreBatch("b", good, failed, [web_page_view(100, collector_tstamp=times[9])]))
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for name, at in (("old", times[9]), ("new", NOON)):
        (damaged / name).write_bytes(b"x")
        os.utime(damaged / name, (at / 1000, at / 1000))
    chosen = settings(
        events="25 days", failed="45 days", incomplete="1 day", raw="15 days", apps={"checkout": {"events": "75 days"}}
    )
    now = datetime.fromtimestamp(NOON / 1000, UTC)
    planned = plan(lifetime, chosen, now, tmp_path)
    assert [(step.rule.table, step.rows, step.files) for step in planned] == [
        ("events", 7, 0), ("events", 2, 0), ("failed", 5, 0), ("incomplete", 1, 0), ("raw", 8, 1),
        ("modelled", 0, 0), ("modelled", 0, 0),
    ]  # fmt: skip
    assert held.count("good", ALL) == 20
    done = run(lifetime, chosen, now, tmp_path)
    assert [step.rows for step in done][:4] == [7, 2, 5, 1]
    left = [(row.app_id, row_time(row)) for row in lifetime.scan("good")]
    midnight = ms("2024-05-01T00:00:00+00:00")
    assert sorted(left) == sorted(
        (row.app_id, row.collector_tstamp)
        for row in good
        if row.collector_tstamp >= midnight - (75 if row.app_id == "checkout" else 25) * DAY
    )
    assert [row.record is not None for row in lifetime.scan("failed")] == [False] * 3 + [True] * 2
    assert [path.name for path in damaged.iterdir()] == ["new"]
    assert all(step.rows == step.files == 0 for step in run(lifetime, chosen, now, tmp_path))


def test_a_whole_month_goes_as_a_partition(new_store: Any) -> None:
    for kind in ("clickhouse", "postgres-monthly"):
        store = new_store(kind)
        march = [web_page_view(n, collector_tstamp=ms("2024-03-05T00:00:00+00:00") + n) for n in range(3)]
        april = [web_page_view(10 + n, collector_tstamp=ms("2024-04-30T23:59:59+00:00") + n * 500) for n in range(4)]
        store.write(StoreBatch("b", [*march, *april]))
        lifetime = store.lifetime()
        chosen = settings(events="1 day")
        step, modelled = plan(lifetime, chosen, datetime(2024, 5, 1, 12, tzinfo=UTC))
        # events of the last second of April are of yesterday, those of May of today
        assert (len(step.partitions), step.rows) == (1, 3)
        assert (modelled.rule.table, modelled.rows) == ("modelled", 0)
        run(lifetime, chosen, datetime(2024, 5, 1, 12, tzinfo=UTC))
        assert len(list(lifetime.scan("good"))) == 4
        run(lifetime, chosen, datetime(2024, 5, 2, 12, tzinfo=UTC))
        assert len(list(lifetime.scan("good"))) == 2


def test_the_daily_run_is_due_once_a_day_after_its_hour(tmp_path: Path) -> None:
    chosen = settings(events="1 day", hour=3, timezone="Europe/Berlin")
    daily = Daily(chosen, FolderDocuments(tmp_path))
    before, after = ms("2024-05-01T02:59:00+02:00") / 1000, ms("2024-05-01T03:00:00+02:00") / 1000
    assert not daily.due(before)
    assert daily.due(after)
    daily.done(after)
    assert not Daily(chosen, FolderDocuments(tmp_path)).due(after + 3600)
    assert Daily(chosen, FolderDocuments(tmp_path)).due(after + timedelta(days=1).total_seconds())
    assert not Daily(settings(), FolderDocuments(tmp_path)).wanted
    assert not Daily(settings(events="1 day", daily=False), FolderDocuments(tmp_path)).due(after)
