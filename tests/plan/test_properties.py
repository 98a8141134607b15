"""What events carry, and what changed in it."""

from __future__ import annotations

import pytest

from snowgauge.plan.properties import LEAST, EntityUse, PropertyDrift, Sample, TypeShare, ValueShare, compare

CART = "iglu:com.acme/cart/jsonschema/1-0-0"
PAGE = "iglu:com.acme/page/jsonschema/2-0-1"


def event(data, *entities, person="p"):
    contexts = {"data": [{"schema": PAGE, "data": one} for one in entities]} if entities else None
    return {"event": "unstruct", "user_id": person, "unstruct_event": {"data": {"schema": CART, "data": data}},
            "contexts": contexts}  # fmt: skip


def by_path(sample, *, values=True):
    return {f"{one.carrier} {one.path}": one for one in sample.properties(values=values)}


def test_presence_types_and_ranges():
    found = by_path(Sample([event({"sku": "A", "n": 1}), event({"sku": "BBB", "n": None}), event({"n": 2.5})]))
    sku, number = found["event sku"], found["event n"]
    assert (sku.presence, sku.types, sku.distinct, sku.least, sku.most) == (66.7, [TypeShare("string", 100.0)], 2, 1, 3)
    assert number.presence == 100.0
    assert {one.type: one.share for one in number.types} == {"integer": 33.3, "null": 33.3, "number": 33.3}


def test_entities_and_lists():
    sample = Sample([event({}, {"id": 1, "tags": ["a", "b"]}, {"id": 2}), event({})])
    assert sample.entities() == [EntityUse("com.acme/page/2-0-1", 50.0, 2, 2)]
    found = by_path(sample)
    assert found["com.acme/page id"].presence == 100.0
    assert (found["com.acme/page tags[]"].presence, found["com.acme/page tags[]"].distinct) == (50.0, 2)


def test_values_of_several_people_that_name_nobody():
    some = [
        event({"plan": "pro", "email": "x", "code": f"c{n}@d.example", "rare": n}, person=f"p{n}") for n in range(6)
    ]
    found = by_path(Sample(some))
    assert found["event plan"].values == [ValueShare("pro", 100.0)]
    assert [found[f"event {name}"].values for name in ("email", "code", "rare")] == [[], [], []]
    assert by_path(Sample(some), values=False)["event plan"].values == []
    assert by_path(Sample([event({"plan": "pro"})] * 6))["event plan"].values == []


def test_a_release_stopped_sending_a_property():
    before = Sample([event({"sku": "A", "n": 1})] * 100)
    assert compare(before, Sample([event({"n": 1})] * 100)) == [
        PropertyDrift("property_gone", "sku", "in 100 % of them", "in 0 %")
    ]
    assert compare(before, Sample([event({"sku": "A", "n": 1})] * 100)) == []
    assert compare(before, Sample([event({"n": 1})] * (LEAST - 1))) == []


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        ([event({"sku": 7, "n": 1})] * 100, "type_changed"),
        ([event({"sku": "A", "n": 1, "new": 1})] * 100, "new_property"),
        ([event({"sku": "A", "n": 1})] * 70 + [event({"n": 1})] * 30, "presence_shift"),
    ],
)
def test_what_else_changes(after, kind):
    assert [one.kind for one in compare(Sample([event({"sku": "A", "n": 1})] * 100), Sample(after))] == [kind]


def test_hostile_events_are_taken_as_they_are():
    deep: dict[str, object] = {}
    inner = deep
    for _ in range(50):
        inner["x"] = inner = {}
    many = {f"p{n}": n for n in range(2_000)}
    strange = [
        {},
        {"contexts": "no"},
        {"unstruct_event": {"data": 1}},
        event("text"),
        event(deep),
        event(many),
        event([]),
    ]
    sample = Sample(strange)
    assert sample.events == len(strange)
    assert len(sample.properties(values=True)) <= 500
