"""The fingerprint equals an independent computation. The rules themselves: ``cases/event_fingerprint.json``."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowgauge.enrich.enrichments.event_fingerprint import EventFingerprint
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.testing.enriching import means_with, source_with


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, "parameters.hashAlgorithm: expected one of MD5, SHA1, SHA256, SHA384, SHA512, found nothing"),
        ({"hashAlgorithm": "MD2", "excludeParameters": []}, "found 'MD2'"),
        ({"hashAlgorithm": "MD5"}, "parameters.excludeParameters: expected an array of strings"),
    ],
)
def test_wrong_parameters_are_named(parameters, text):
    with pytest.raises(ValueError, match=text):
        EventFingerprint.create(parameters, means_with())


@given(st.dictionaries(st.text(), st.none() | st.text()), st.sets(st.sampled_from(["a", "b", "eid"])))
def test_equal_to_a_hash_computed_step_by_step(sent, excluded):
    event = EnrichedEvent()
    EventFingerprint("SHA1", sorted(excluded)).enrich(event, source_with(parameters=sent))
    digest = hashlib.sha1()
    for name in sorted(sent, key=lambda text: text.encode("utf-16-be")):
        if name not in excluded and sent[name] is not None:
            digest.update(name.encode() + b"\x1f" + sent[name].encode() + b"\x1f")
    assert event.event_fingerprint == digest.hexdigest()
