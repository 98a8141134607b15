"""Records that a Snowplow collector compressed: several payloads each, and what is wrong with some."""

from __future__ import annotations

import base64
import gzip

import pytest

from snowgauge.enrich import compressed
from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.events import payload_record
from snowgauge.events.outcome import Enriched, Failed
from snowgauge.events.payload import CollectorPayload
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings

PACK = {"Gzip": gzip.compress, "Zstd": lambda data: compressed._zstd().compress(data)}


@pytest.fixture(scope="module")
def validator():
    return build(IgluSettings(iglu_central=False), None)[1]


def record(app_id, **fields):
    given = {"path": "/i", "querystring": f"e=pv&aid={app_id}", "collector": "ssc-3.6.0", "timestamp": 1, **fields}
    return payload_record.encode(CollectorPayload(**given))


def stream(*records, versions=b"\x01\x01"):
    return versions + b"".join(len(one).to_bytes(4, "big") + one for one in records)


def outcomes(validator, data, **settings):
    return Enricher(validator, EnrichSettings(**settings)).process(data, "seed")


def failure(found):
    (failed,) = found
    assert isinstance(failed, Failed)
    return failed.failure


@pytest.mark.parametrize("kind", PACK)
def test_every_payload_is_enriched_under_an_id_of_its_own(validator, kind):
    data = PACK[kind](stream(record("a"), record("b"), record("b")))
    found = outcomes(validator, data)
    assert all(isinstance(one, Enriched) for one in found)
    assert [one.event.app_id for one in found] == ["a", "b", "b"]
    assert len({one.event.event_id for one in found}) == 3
    again = outcomes(validator, data)
    assert [one.event.event_id for one in again] == [one.event.event_id for one in found]


@pytest.mark.parametrize("kind", PACK)
def test_a_damaged_record_keeps_what_could_be_read(validator, kind):
    *good, last = outcomes(validator, PACK[kind](stream(record("a"), record("b"))[:-3]))
    assert [one.event.app_id for one in good] == ["a"]
    data = last.failure.data
    assert (data["failure"]["loader"], data["failure"]["message"]) == ("", {"error": "corrupt compressed payload"})
    torn = PACK[kind](stream(record("a")))[:-9]
    row = failure(outcomes(validator, torn)[-1:])
    assert row.failure_type == "collector_payload_format_violation"
    assert base64.b64decode(row.data["payload"]) == torn


@pytest.mark.parametrize("kind", PACK)
def test_versions_that_are_not_known(validator, kind):
    row = failure(outcomes(validator, PACK[kind](stream(record("a"), versions=b"\x01\x02"))))
    assert (row.failure_type, row.data["failure"]["loader"]) == ("collector_payload_format_violation", kind)
    assert row.data["failure"]["message"] == {"error": "Unsupported versions in compressed record header: 1, 2"}


@pytest.mark.parametrize("kind", PACK)
def test_a_payload_that_inflates_to_too_much(validator, kind):
    large = record("b", body="x" * 5000)
    data = PACK[kind](stream(record("a"), large))
    first, last = outcomes(validator, data, max_decompressed_size=5000)
    assert first.event.app_id == "a"
    row = last.failure
    assert row.failure_type == "size_violation"
    told = {key: value for key, value in row.data["failure"].items() if key != "timestamp"}
    assert told == {
        "maximumAllowedSizeBytes": 5000,
        "actualSizeBytes": len(large),
        "expectation": f"Collector payload will exceed maximum allowed size of 5000 after {kind} decompression",
    }
    assert base64.b64decode(row.data["payload"]) == data


def test_a_payload_in_it_that_is_none(validator):
    row = failure(outcomes(validator, gzip.compress(stream(b"TTTT"))))
    assert row.data["failure"]["message"] == {"error": "error deserializing raw event: Unrecognized type 84"}
