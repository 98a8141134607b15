"""Reasons that differ in values only are one cause."""

from __future__ import annotations

import pytest

from snowgauge.events.failed_cause import cause_id, normal_message


@pytest.mark.parametrize(
    ("message", "normal"),
    [
        ("$.items[3].price: string found, integer expected", "$.items[*].price: string found, integer expected"),
        ("Resolution error: schema iglu:com.acme/cart/jsonschema/1-0-2 not found",
         "Resolution error: schema iglu:com.acme/cart/jsonschema/1-0-2 not found"),
        ("Field is longer than maximum allowed size 255", "Field is longer than maximum allowed size #"),
        ('value "abc" and \'d e\' and `f`', "value '…' and '…' and '…'"),
        ("user 6d1cf1a1-2c2f-4b29-8b6e-7c6f0c5b2b11 at 2024-05-01T10:00:00.123Z", "user <uuid> at <time>"),
        ("GET https://api.example.com/x?id=5 answered 503", "GET <url> answered #"),
        ("it doesn't fit, isn't it", "it doesn't fit, isn't it"),
        ("field1: -1.5e3 is wrong", "field1: # is wrong"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_reason_without_its_values(message, normal):
    assert normal_message(message) == normal


def test_the_id_of_a_cause_never_changes():
    given = ("schema_violations", "iglu:com.acme/cart/jsonschema/1-0-0", "$.a: 5 is too much", "shop")
    assert cause_id(*given) == cause_id(*given[:2], "$.a: 77 is too much", *given[3:]) == "d5199ed824"
    assert len({cause_id(*given[:at], None if at else "x", *given[at + 1 :]) for at in range(4)}) == 4
    assert cause_id("x", None, None, None) == cause_id("x", "", "", "")
