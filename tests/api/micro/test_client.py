"""What a test that uses Micro reads when the page did something else."""

from __future__ import annotations

import re

import pytest

from snowgauge.testing.micro import compare, differences

CART = "iglu:com.acme/add_to_cart/jsonschema/1-0-0"
USER = "iglu:com.acme/user/jsonschema/1-0-0"


def event(**columns):
    contexts = columns.pop("contexts", {})
    own = columns.pop("data", None)
    columns = {"event": "page_view", "event_name": "page_view", "app_id": "shop", "page_title": None, **columns}
    if own is not None:
        columns |= {"event": "unstruct", "event_name": "add_to_cart"}
    columns["unstruct_event"] = own and {"schema": "wrapper", "data": {"schema": CART, "data": own}}
    columns["contexts"] = {"data": [{"schema": uri, "data": data} for uri, data in contexts.items()]}
    return {
        "schema": CART if own else "iglu:com.snowplowanalytics.snowplow/page_view/jsonschema/1-0-0",
        "event": columns,
        "rawEvent": {"parameters": {"e": "pv"}},
    }


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ({"event": "page_view", "app_id": "shop"}, []),
        ({"app_id": "blog"}, ['app_id: expected "blog", found "shop"']),
        ({"app_id": re.compile("^sh")}, []),
        ({"app_id": re.compile("^bl")}, ["app_id: expected to match '^bl', found \"shop\""]),
        ({"app_id": str.isalpha}, []),
        ({"app_id": str.isdigit}, ['app_id: isdigit says no to "shop"']),
        ({"app_id": ...}, []),
        ({"page_title": ...}, ["page_title: expected anything, found nothing"]),
        ({"page_title": None}, []),
        ({"no_such": 1}, ["no_such: an event has no such column"]),
        ({"parameters": {"e": "pv"}}, []),
        ({"data": {}}, ["data: expected {}, found nothing"]),
        ({"contexts": [USER]}, []),
        ({"contexts": {USER: {"id": 7}}}, []),
        ({"contexts": {USER: {"id": 8}}}, [f"contexts[{USER}].id: expected 8, found 7"]),
        ({"contexts": {USER: {"paid": 1}}}, [f"contexts[{USER}].paid: expected 1, found true"]),
        ({"contexts": [CART]}, [f"contexts: {CART} is not there, found {USER}"]),
        ({"contexts": {USER: {"tags": ["a"]}}}, [f'contexts[{USER}].tags: expected ["a"], found ["a", "b"]']),
    ],
)
def test_an_expectation_names_only_what_matters(expected, found) -> None:
    assert differences(expected, event(contexts={USER: {"id": 7, "paid": True, "tags": ["a", "b"]}})) == found


def test_nothing_is_said_when_all_is_as_expected() -> None:
    sent = [event(), event(data={"sku": "1", "n": 2})]
    assert compare([{"event": "page_view"}, {"schema": CART, "data": {"sku": "1"}}], sent, []) == ""


def test_missing_differing_and_unexpected_events_are_told_apart() -> None:
    sent = [event(page_title="Home"), event(data={"sku": "2"}), event(page_title="Extra")]
    expected = [
        {"event": "page_view", "page_title": "Home"},
        {"data": {"sku": "1"}},
    ]
    assert compare(expected, sent, []).splitlines() == [
        "expected 2 event(s), 3 came",
        "    as expected page_view Home",
        '  ! differs     add_to_cart {"sku": "2"}',
        '      data.sku: expected "1", found "2"',
        "  + unexpected  page_view Extra",
    ]
    assert compare([*expected[:1], {"page_title": "Cart"}, {"page_title": "Extra"}], [sent[0], sent[2]], []) == (
        "expected 3 event(s), 2 came\n"
        "    as expected page_view Home\n"
        '  - missing     page_title="Cart"\n'
        "    as expected page_view Extra"
    )


def test_the_order_counts() -> None:
    sent = [event(page_title="A"), event(page_title="B")]
    assert compare([{"page_title": "B"}, {"page_title": "A"}], sent, [])


def test_a_failed_event_is_shown_with_its_reason() -> None:
    row = (
        '{"schema":"iglu:com.snowplowanalytics.snowplow.badrows/schema_violations/jsonschema/2-0-1","data":{"failure":'
        '{"messages":[{"schemaKey":"' + CART + '","error":{"error":"ValidationError","dataReports":[{"message":'
        '"$.sku: is missing"}]}}]}}}'
    )
    said = compare([], [], [{"errors": ["Error while validating the event.", row]}])
    assert said.splitlines() == [
        "expected 0 event(s), 0 came, 1 failed",
        "failed:",
        f"  x schema_violations: {CART} $.sku: is missing",
    ]
