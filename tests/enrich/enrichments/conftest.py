"""What tests of enrichments share: a validator over the bundled schemas, and assets that samples need."""

import pytest

from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings


@pytest.fixture(scope="session")
def validator():
    return build(IgluSettings(iglu_central=False), None)[1]
