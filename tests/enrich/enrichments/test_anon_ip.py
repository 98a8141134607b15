"""IP anonymisation masks whatever it is given. The rules themselves: ``cases/anon_ip.json``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.enrich.enrichments.anon_ip import AnonIp
from snowgauge.testing.enriching import means_with


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, "parameters.anonOctets: expected a whole number from 1 to 4, found nothing"),
        ({"anonOctets": 5}, "from 1 to 4, found 5"),
        ({"anonOctets": 1, "anonSegments": 9}, "parameters.anonSegments: expected a whole number from 1 to 8, found 9"),
    ],
)
def test_wrong_parameters_are_named(parameters, text):
    with pytest.raises(ValueError, match=text):
        AnonIp.create(parameters, means_with())


@given(st.ip_addresses(v=4), st.integers(1, 4))
def test_an_ipv4_address_keeps_only_its_first_octets(address, octets):
    masked = AnonIp(octets, octets).mask(str(address)).split(".")
    assert masked == str(address).split(".")[: 4 - octets] + ["x"] * octets


@given(st.ip_addresses(v=6), st.integers(1, 8))
def test_an_ipv6_address_keeps_only_its_first_groups(address, segments):
    masked = AnonIp(1, segments).mask(str(address))
    if address.ipv4_mapped is None:
        kept = [f"{int(group, 16):x}" for group in address.exploded.split(":")][: 8 - segments]
        assert masked.split(":") == kept + ["x"] * segments
    else:
        assert masked.endswith(".x")


@given(st.text(alphabet="0123456789abcdefg.:%xF/ "))
def test_any_text_is_masked_without_an_error(text):
    AnonIp(2, 4).mask(text)
