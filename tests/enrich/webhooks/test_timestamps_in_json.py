import pytest

from snowgauge.enrich.webhooks.timestamps_in_json import clean, iso_of_date_text, iso_of_epoch, iso_of_milliseconds


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        (1700000000, "2023-11-14T22:13:20.000Z"),
        ("1700000000", "2023-11-14T22:13:20.000Z"),
        (1.7e9, "2023-11-14T22:13:20.000Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        (253402300799, "9999-12-31T23:59:59.000Z"),
        (-62135596800, "0001-01-01T00:00:00.000Z"),
        # what is no time stays as it is
        (253402300800, 253402300800),
        (10**30, 10**30),
        (1e300, 1e300),
        (1700000000.5, 1700000000.5),
        ("1700000000.5", "1700000000.5"),
        ("-1", "-1"),
        ("１", "１"),
        ("", ""),
        ("9" * 5000, "9" * 5000),
        (True, True),
        (None, None),
        ([1700000000], [1700000000]),
    ],
)
def test_seconds(value, iso):
    assert iso_of_epoch(value, 1000) == iso
    assert type(iso_of_epoch(value, 1000)) is type(iso)


def test_milliseconds():
    assert iso_of_epoch(1714557600123, 1) == "2024-05-01T10:00:00.123Z"
    assert iso_of_milliseconds(-1) == "1969-12-31T23:59:59.999Z"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-05-01 10:00:00", "2024-05-01T10:00:00.000Z"),
        ("2024-05-01T10:00:00", "2024-05-01T10:00:00"),
        ("2024-05-01 10:00:00 ", "2024-05-01 10:00:00 "),
        ("2024-05-01 10:00", "2024-05-01 10:00"),
        ("2023-02-29 10:00:00", "2023-02-29 10:00:00"),
        ("2024-05-01 25:00:00", "2024-05-01 25:00:00"),
        ("", ""),
    ],
)
def test_date_text(text, iso):
    assert iso_of_date_text(text) == iso


def test_clean_works_at_any_depth_and_leaves_other_pairs():
    json = {"ts": 0, "event": "a", "list": [{"ts": "1", "event": "a"}, {"event": "b", "at": 2}], "in": {"event": ["a"]}}
    assert clean(json, ("ts",), "event", "a") == {
        "ts": "1970-01-01T00:00:00.000Z",
        "list": [{"ts": "1970-01-01T00:00:01.000Z"}, {"event": "b", "at": 2}],
        "in": {"event": ["a"]},
    }


def test_clean_goes_into_what_a_time_key_holds():
    assert clean({"ts": {"ts": 0}}, ("ts",)) == {"ts": {"ts": "1970-01-01T00:00:00.000Z"}}
