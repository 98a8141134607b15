"""The cookie extractor refuses what it cannot read. The rules themselves: ``cases/cookie_extractor.json``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.enrich.enrichments.cookie_extractor import CookieExtractor, parse_cookies
from snowgauge.testing.enriching import means_with


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, "parameters.cookies: expected an array of strings, found nothing"),
        ({"cookies": [1]}, "parameters.cookies: expected an array of strings, found \\[1\\]"),
    ],
)
def test_wrong_parameters_are_named(parameters, text):
    with pytest.raises(ValueError, match=text):
        CookieExtractor.create(parameters, means_with())


@given(st.text(alphabet='ab=;,"\\ \t\r'))
def test_any_header_is_read_to_its_end(text):
    for name, value in parse_cookies(text):
        assert isinstance(name, str)
        assert value is None or isinstance(value, str)
