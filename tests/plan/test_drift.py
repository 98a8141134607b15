"""Where what is sent and the plan part: each kind of drift, found where it is and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.actions.plan import TrackingPlan, as_csv, as_markdown, unknown_to_plan
from snowgauge.plan.catalogue import PlanNote, Sent, events, note_id
from snowgauge.plan.drift import drifts

SCHEMAS = {"com.acme/cart/1-0-0", "com.acme/cart/1-0-1", "com.snowplowanalytics.snowplow/page_view/1-0-0"}


def sent(event="cart", schema=None, day=1_000, before=14_000, duplicates=0, late=0, app="shop", **more):
    used = schema or f"com.acme/{event}/1-0-0"
    given = {"tracker": "js-4.6", "app_version": "", "first": 1, "last": 2, "events": day + before} | more
    return Sent(app=app, event=event, schema=used, day=day, before=before, duplicates=duplicates, late=late, **given)


def found(rows, notes=None):
    return [(one.kind, one.app, one.subject) for one in drifts(rows, notes or {}, SCHEMAS) if one.status == "open"]


def test_as_planned_nothing_drifts():
    assert found([sent(), sent("page_view", "com.snowplowanalytics.snowplow/page_view/1-0-0")]) == []


def test_unplanned_until_a_person_accepts_it():
    rows = [sent("secret_sale")]
    assert found(rows) == [("unplanned", "shop", "secret_sale")]
    for status in ("planned", "ignored"):
        assert found(rows, {note_id("shop", "secret_sale"): PlanNote(status)}) == []
    (entry,) = drifts(rows, {}, SCHEMAS)
    assert found(rows, {entry.id: PlanNote("ignored")}) == []


def test_missing_while_the_application_has_traffic():
    gone = sent(day=0)
    assert found([gone, sent("page_view", "com.snowplowanalytics.snowplow/page_view/1-0-0")]) == [
        ("missing", "shop", "cart")
    ]
    assert found([gone]) == [], "without any traffic that is another alert"
    assert found([sent(day=0, before=100), sent("cart", app="other")]) == [], "a rare event"


def test_versions():
    old, new = sent(), sent(schema="com.acme/cart/1-0-1", day=500, before=0)
    assert found([old, new]) == [("new_version", "shop", "cart (com.acme/cart)")]
    known = sent(schema="com.acme/cart/1-0-1", day=500, before=5_000)
    assert found([old, known]) == [("old_version", "shop", "cart (com.acme/cart) 1-0-0")]
    assert found([sent(day=1), known]) == [], "stragglers"
    ten = [sent(schema="com.acme/cart/1-0-10", day=900), sent(schema="com.acme/cart/1-0-9", day=900)]
    assert ("old_version", "shop", "cart (com.acme/cart) 1-0-9") in found(ten)


def test_duplicates_and_clocks():
    assert found([sent(duplicates=11)]) == [("duplicates", "shop", "cart")]
    assert found([sent(duplicates=10)]) == []
    assert found([sent(late=51)]) == [("clock", "shop", "cart")]


ROWS = st.lists(
    st.builds(
        sent,
        event=st.sampled_from(["cart", "page_view", "x|y\n", "=1+1"]),
        schema=st.sampled_from([None, *sorted(SCHEMAS), "", "no slashes", "a/b/latest"]),
        day=st.integers(0, 2_000),
        before=st.integers(0, 50_000),
        duplicates=st.integers(0, 100),
        app=st.sampled_from(["", "shop", "<b>"]),
    ),
    max_size=12,
)


@given(ROWS)
def test_whatever_is_sent_entries_have_one_id_each_and_exports_one_line(rows):
    entries = drifts(rows, {}, SCHEMAS)
    assert len({one.id for one in entries}) == len(entries)
    plan = TrackingPlan(events(rows, {}, SCHEMAS), entries)
    assert len(as_csv(plan).split("\n")) >= len(plan.events) + 2
    assert not any(line.startswith("=") or ",=" in line for line in as_csv(plan).split("\n"))
    table = [line for line in as_markdown(plan).split("\n") if line.startswith("| ") and not line.startswith("| event")]
    assert len(table) == len(plan.events)


@pytest.mark.parametrize(
    ("event", "missing"),
    [
        ({"app_id": "shop", "event_name": "cart", "event_vendor": "com.acme", "event_version": "1-0-0"}, []),
        ({"app_id": "shop", "event_name": "cart", "event_vendor": "com.acme", "event_version": "2-0-0"},
         ["cart (com.acme/cart/2-0-0) of shop"]),
        ({"event_name": "cart"}, ["cart (/cart/) of no application"]),
    ],
)  # fmt: skip
def test_a_build_that_sends_what_the_plan_does_not_know(event, missing):
    plan = [{"app": "shop", "event": "cart", "schemas": ["com.acme/cart/1-0-0"], "planned": True, "note": {}}]
    assert unknown_to_plan(plan, [event, event]) == missing
