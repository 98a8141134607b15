import json

import pytest

PATH = "com.google.analytics/v1"


def test_cases(case, check):
    check(case)


def test_every_hit_type_has_its_schema(receive, types):
    vendor = "com.google.analytics.measurement-protocol"
    assert types(receive(PATH, body="t=x")) == {
        "pageview": f"{vendor}/page_view/1-0-0",
        "screenview": f"{vendor}/screen_view/1-0-0",
        **{
            name: f"{vendor}/{name}/1-0-0" for name in ("event", "transaction", "item", "social", "exception", "timing")
        },
    }


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("9.995", 10.0),
        ("9.985", 9.98),
        ("1e3", 1000.0),
        ("-0.005", 0.0),
        (".5", 0.5),
        ("1e308", 1e308),
        ("1e-300", 0.0),
    ],
)
def test_prices_are_rounded_to_the_even_cent(receive, text, number):
    (event,) = receive(PATH, body=f"t=transaction&ti=1&tr={text}").events
    assert json.loads(event.parameters["ue_pr"])["data"]["data"] == {"id": "1", "revenue": number}


@pytest.mark.parametrize("text", ["1e309", "1,5", "0x1", "", "Infinity", "1_0"])
def test_texts_that_are_no_price(receive, text):
    ((message,),) = receive(PATH, body=f"t=transaction&ti=1&tr={text}").failures
    assert message == {"field": "revenue", "value": text, "expectation": "Cannot be converted to Double"}
