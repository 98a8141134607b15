"""The header extractor refuses what it cannot read. The rules themselves: ``cases/http_header_extractor.json``."""

import pytest

from snowgauge.enrich.enrichments.http_header_extractor import HttpHeaderExtractor
from snowgauge.testing.enriching import means_with


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, "parameters.headersPattern: expected a string, found nothing"),
        ({"headersPattern": "("}, "parameters.headersPattern: expected a regular expression, found '\\('"),
    ],
)
def test_wrong_parameters_are_named(parameters, text):
    with pytest.raises(ValueError, match=text):
        HttpHeaderExtractor.create(parameters, means_with())
