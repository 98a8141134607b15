"""The columns stay within their limits whatever the user agent; what common agents give is in cases/."""

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
