"""Campaign attribution refuses what it cannot read. The rules themselves: ``cases/campaign_attribution.json``."""

import pytest

from snowgauge.enrich.enrichments.campaign_attribution import CampaignAttribution
from snowgauge.testing.enriching import means_with


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, "parameters.fields: expected an object, found nothing"),
        ({"fields": {"mktMedium": "utm"}}, "parameters.fields.mktMedium: expected an array of strings, found 'utm'"),
    ],
)
def test_wrong_parameters_are_named(parameters, text):
    with pytest.raises(ValueError, match=text):
        CampaignAttribution.create(parameters, means_with())
