"""The columns stay within their limits whatever the user agent; what common agents give is in cases/."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowgauge.enrich.enrichments.user_agent_utils import UserAgentUtils, columns


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_every_agent_gives_ten_values(agent):
    values = columns(agent)
    assert len(values) == len(UserAgentUtils.fields)
    assert isinstance(values[-1], bool)
    assert all(value is None or (isinstance(value, str) and value) for value in values[:-1])


def test_it_is_off_by_default():
    assert UserAgentUtils.default is None


@pytest.mark.parametrize(
    ("agent", "version"),
    [
        ("Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 Chrome/33.0.1750.152 Safari/537.36", "33.0.1750.152"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:2.0b7pre) Gecko/20100921 Firefox/4.0b7pre", "4.0b7pre"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "120.0"),
    ],
)
def test_a_version_keeps_all_its_parts(agent, version):
    assert columns(agent)[2] == version
