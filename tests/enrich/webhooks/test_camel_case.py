import pytest

from snowgauge.enrich.webhooks.camel_case import camel_case, camel_case_keys


@pytest.mark.parametrize(
    ("name", "camel"),
    [
        ("X-Mailgun-Sid", "xMailgunSid"),
        ("page_id", "pageId"),
        ("data.json", "data.json"),
        ("", ""),
        ("-", "-"),
        ("_id", "Id"),
        ("a__b", "a_b"),
        ("a_-b", "a_B"),
        ("a_é", "a_é"),
        ("trailing_", "trailing_"),
        ("Already", "already"),
        ("a_1", "a1"),
    ],
)
def test_names(name, camel):
    assert camel_case(name) == camel


def test_keys_change_everywhere_and_values_nowhere():
    json = {"a_b": [{"c-d": "e_f"}, "g_h"], "i": {"J": {"k_l": None}}}
    assert camel_case_keys(json) == {"aB": [{"cD": "e_f"}, "g_h"], "i": {"j": {"kL": None}}}


def test_of_keys_that_become_one_the_last_wins():
    assert camel_case_keys({"a_b": 1, "aB": 2}) == {"aB": 2}
