"""Ten and more enrichments over what trackers really send, through the whole of enrich; and the guide's folder."""

import base64
import re
from pathlib import Path

import orjson
import pytest

from snowgauge.enrich import configs, means
from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.enrichments.registry import find
from snowgauge.enrich.enrichments.settings import EnrichmentsSettings
from snowgauge.events import payload_record
from snowgauge.events.enriched_tsv import as_json
from snowgauge.events.outcome import Enriched
from snowgauge.events.payload import CollectorPayload
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.testing.mmdb import write_mmdb

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "bring-your-snowplow-enrichments.md"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"
BINGBOT = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
CITY = {
    "country": {"iso_code": "FR"},
    "city": {"names": {"en": "Paris"}},
    "location": {"latitude": 48.5, "longitude": 2.25, "time_zone": "Europe/Paris"},
}


@pytest.fixture(scope="module")
def validator():
    return build(IgluSettings(iglu_central=False), None)[1]


@pytest.fixture
def data(tmp_path):
    (tmp_path / "assets").mkdir()
    write_mmdb(tmp_path / "assets" / "city.mmdb", {"198.51.100.0/24": CITY}, "GeoLite2-City")
    asn = {"198.51.100.0/24": {"autonomous_system_number": 64496, "autonomous_system_organization": "Acme"}}
    write_mmdb(tmp_path / "assets" / "asn.mmdb", asn, "GeoLite2-ASN")
    (tmp_path / "assets" / "bad-asn-list.csv").write_text("ASN,Entity\n64496,Acme\n")
    return tmp_path


@pytest.fixture
def enricher(data, validator):
    """The default set with its files, and beside it cookies, headers and a script."""
    folder = data / "enrichments"
    folder.mkdir()
    for name, parameters in (
        ("cookie_extractor_config", {"cookies": ["plan"]}),
        ("http_header_extractor_config", {"headersPattern": "Accept-Language"}),
    ):
        sample = find().of(name).sample
        content = {**sample, "data": {**sample["data"], "parameters": parameters}}
        (folder / f"{name}.json").write_bytes(orjson.dumps(content))
    (folder / "upper.js").write_text(
        "function process(event) { event.setApp_id(event.getApp_id().toUpperCase()); return []; }"
    )
    made, _, http = means.build(EnrichmentsSettings(), data)
    loaded = configs.load(folder, validator, made, {}, add_defaults=True)
    assert len(loaded.enrichments) == 13
    yield Enricher(validator, enrichments=loaded.enrichments)
    loaded.close()
    http.close()


def page_view(agent, **more):
    event = {
        "e": "pv", "p": "web", "tv": "js-4.1.0", "aid": "shop", "eid": "2dfeb9b7-5a87-4214-8a97-a8b23176856b",
        "url": "https://shop.example/a?utm_source=news&utm_medium=email&gclid=g1&_sp=dd.1700000000000",
        "refr": "https://www.google.com/search?q=red+shoes", "dtm": "1700000000000", "stm": "1700000000100",
        "duid": "d1", "ua": agent, **more,
    }  # fmt: skip
    body = {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": [event]}
    return payload_record.encode(
        CollectorPayload(
            ip_address="198.51.100.7",
            timestamp=1_700_000_000_200,
            collector="test",
            path="/com.snowplowanalytics.snowplow/tp2",
            content_type="application/json",
            body=orjson.dumps(body).decode(),
            headers=["Cookie: plan=gold; other=1", "Accept-Language: fr", "Sec-CH-UA-Mobile: ?0"],
        )
    )


def processed(enricher, record):
    (outcome,) = enricher.process(record, "seed")
    assert isinstance(outcome, Enriched), outcome
    event = as_json(outcome.event)
    entities = {entity.schema.name: entity.data for entity in outcome.event.derived_contexts}
    return event, entities


def test_a_page_view_of_a_person(enricher):
    event, entities = processed(enricher, page_view(FIREFOX))
    expected = {
        "app_id": "SHOP", "user_ipaddress": "198.51.100.x", "geo_city": "Paris", "geo_country": "FR",
        "geo_latitude": 48.5, "geo_timezone": "Europe/Paris", "refr_medium": "search", "refr_source": "Google",
        "refr_term": "red shoes", "mkt_source": "news", "mkt_medium": "email", "mkt_clickid": "g1",
        "mkt_network": "Google", "refr_domain_userid": "dd",
    }  # fmt: skip
    assert {name: event[name] for name in expected} == expected
    assert len(event["event_fingerprint"]) == 32
    assert set(entities) == {
        "ua_parser_context", "yauaa_context", "asn", "bot_detection", "cross_navigation", "http_cookie", "http_header",
    }  # fmt: skip
    assert entities["ua_parser_context"]["useragentVersion"] == "Firefox 121.0"
    assert entities["yauaa_context"]["deviceClass"] == "Desktop"
    assert entities["asn"] == {"number": 64496, "organization": "Acme", "likelyBot": True}
    assert entities["bot_detection"] == {"bot": True, "indicators": ["asnLookups"]}
    assert entities["http_cookie"] == {"name": "plan", "value": "gold"}


def test_a_page_view_of_a_robot(enricher):
    client_side = {
        "schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1",
        "data": [
            {
                "schema": "iglu:com.snowplowanalytics.snowplow/client_side_bot_detection/jsonschema/1-0-0",
                "data": {"bot": True},
            }
        ],
    }
    encoded = base64.urlsafe_b64encode(orjson.dumps(client_side)).decode()
    _, entities = processed(enricher, page_view(BINGBOT, cx=encoded))
    assert entities["yauaa_context"]["agentClass"] == "Robot"
    # order within the derived entities is asn (135 on), then yauaa: the later ones lie in front
    assert entities["bot_detection"]["indicators"] == ["clientSideDetection", "yauaa", "asnLookups"]


def test_the_same_record_gives_the_same_event(enricher):
    record = page_view(FIREFOX)
    (first,), (second,) = enricher.process(record, "seed", at=1), enricher.process(record, "seed", at=1)
    assert first == second


def test_explain_tells_what_each_one_did(enricher):
    (explanation,) = enricher.explain(page_view(FIREFOX))
    steps = {step.name: step for step in explanation.steps}
    assert steps["referer-parser"].set == {"refr_medium": "search", "refr_source": "Google", "refr_term": "red shoes"}
    assert steps["anon-ip"].set == {"user_ipaddress": "198.51.100.x"}
    assert [entity["schema"] for entity in steps["bot-detection"].entities] == [
        "iglu:com.snowplowanalytics.snowplow/bot_detection/jsonschema/1-0-1"
    ]


def test_the_guide_s_folder_loads_as_it_is_printed(tmp_path, validator):
    files = dict(re.findall(r'```\w+ title="enrichments/(\S+)"\n(.*?)```', GUIDE.read_text("utf-8"), re.DOTALL))
    folder = tmp_path / "enrichments"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    made, _, http = means.build(EnrichmentsSettings(), tmp_path)
    loaded = configs.load(folder, validator, made, {"CRM_PASSWORD": "secret"})
    assert [(entry.name, entry.source) for entry in loaded.entries] == [
        ("api_request_enrichment_config", "api_request.hocon"),
        ("anon_ip", "anon_ip.json"),
    ]
    loaded.close()
    http.close()
