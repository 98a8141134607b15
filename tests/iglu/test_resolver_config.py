"""Snowplow's resolver.json, read unchanged, and what is said about a wrong one."""

import json
from datetime import timedelta

import pytest

from snowgauge.errors import SettingsError
from snowgauge.iglu.resolver_config import RegistryConfig, ResolverConfig, parse_resolver_config, read_resolver_config

CENTRAL = {
    "name": "Iglu Central",
    "priority": 1,
    "vendorPrefixes": [],
    "connection": {"http": {"uri": "http://iglucentral.com"}},
}
OURS = {
    "name": "Ours",
    "priority": 0,
    "vendorPrefixes": ["com.acme", "org.acme"],
    "connection": {"http": {"uri": "https://iglu.acme.com/api", "apikey": "k"}},
}
EMBEDDED = {
    "name": "Built in",
    "priority": 5,
    "vendorPrefixes": [],
    "connection": {"embedded": {"path": "/schemas/here"}},
}


def document(version="1-0-3", **data):
    data = {"cacheSize": 500, "cacheTtl": 600, "repositories": [CENTRAL, OURS, EMBEDDED]} | data
    return {"schema": f"iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/{version}", "data": data}


READ = ResolverConfig(
    500,
    timedelta(seconds=600),
    (
        RegistryConfig("Iglu Central", 1, (), uri="http://iglucentral.com"),
        RegistryConfig("Ours", 0, ("com.acme", "org.acme"), uri="https://iglu.acme.com/api", apikey="k"),
        RegistryConfig("Built in", 5, (), path="/schemas/here"),
    ),
)


@pytest.mark.parametrize("version", ["1-0-0", "1-0-1", "1-0-2", "1-0-3", "1-0-9"])
def test_every_version_of_the_file(version):
    assert parse_resolver_config(json.dumps(document(version))) == READ


@pytest.mark.parametrize(("ttl", "expected"), [(None, None), (0, timedelta(0)), (60, timedelta(seconds=60))])
def test_time_to_live(ttl, expected):
    assert parse_resolver_config(json.dumps(document(cacheTtl=ttl))).cache_ttl == expected


def test_time_to_live_may_be_absent():
    text = document()
    del text["data"]["cacheTtl"]
    assert parse_resolver_config(json.dumps(text)).cache_ttl is None


def test_an_api_key_of_null_is_none():
    entry = OURS | {"connection": {"http": {"uri": "http://a", "apikey": None}}}
    (registry,) = parse_resolver_config(json.dumps(document(repositories=[entry]))).registries
    assert registry.apikey is None


def test_hocon_with_comments_and_environment(tmp_path, monkeypatch):
    """Snowplow's own deployments write it so."""
    monkeypatch.setenv("TEST_CACHE_SIZE", "77")
    file = tmp_path / "resolver.hocon"
    file.write_text(
        """{
          # the resolver
          "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
          "data": {
            "cacheSize": ${TEST_CACHE_SIZE} // from outside
            "repositories": [{
              name = Ours
              priority = 0
              vendorPrefixes = ["com.acme"]
              connection { http { uri = "https://iglu.acme.com/api" } }
            }]
          }
        }"""
    )
    assert read_resolver_config(file) == ResolverConfig(
        77, None, (RegistryConfig("Ours", 0, ("com.acme",), uri="https://iglu.acme.com/api"),)
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cacheSize": None}, "data.cacheSize must be a whole number; found nothing"),
        ({"cacheSize": "many"}, "data.cacheSize must be a whole number; found 'many'"),
        ({"cacheSize": True}, "data.cacheSize must be a whole number; found True"),
        ({"cacheSize": -1}, "data.cacheSize"),
        ({"cacheTtl": -1}, "data.cacheTtl"),
        ({"cacheTtl": 1.5}, "data.cacheTtl"),
        ({"repositories": None}, "data.repositories must be an array"),
        ({"repositories": [5]}, "data.repositories[0] must be an object"),
        ({"repositories": [CENTRAL, CENTRAL]}, "'Iglu Central' stands there 2 times"),
        ({"repositories": [CENTRAL | {"name": None}]}, "data.repositories[0].name must be a text"),
        ({"repositories": [CENTRAL | {"priority": "first"}]}, "data.repositories[0].priority"),
        ({"repositories": [CENTRAL | {"vendorPrefixes": "a"}]}, "data.repositories[0].vendorPrefixes must be an array"),
        ({"repositories": [CENTRAL | {"vendorPrefixes": [1]}]}, "data.repositories[0].vendorPrefixes[0]"),
        ({"repositories": [CENTRAL | {"connection": {}}]}, "exactly one of http and embedded; found nothing"),
        ({"repositories": [CENTRAL | {"connection": {"ftp": {}}}]}, "exactly one of http and embedded; found ftp"),
        ({"repositories": [CENTRAL | {"connection": {"http": {}}}]}, "connection.http.uri must be a text"),
        ({"repositories": [CENTRAL | {"connection": {"embedded": {}}}]}, "connection.embedded.path must be a text"),
        ({"repositories": [CENTRAL | {"connection": {"http": {"uri": "http://a", "apikey": 5}}}]}, "http.apikey"),
    ],
)
def test_a_wrong_file_is_told_where(change, said):
    with pytest.raises(SettingsError) as refused:
        parse_resolver_config(json.dumps(document(**change)), "my.json")
    assert said in str(refused.value)
    assert str(refused.value).startswith("my.json")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", "a = ${NOT_SET_ANYWHERE}", "{}", '{"schema": "x", "data": {}}', '"a"', "5",
     json.dumps(document() | {"schema": "iglu:com.acme/resolver-config/jsonschema/1-0-0"}),
     json.dumps(document("2-0-0")), json.dumps(document("1-1-0")), json.dumps(document() | {"data": []})],
)  # fmt: skip
def test_a_file_that_is_something_else(text):
    with pytest.raises(SettingsError, match=r"^my\.json"):
        parse_resolver_config(text, "my.json")


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(SettingsError, match="cannot read"):
        read_resolver_config(tmp_path / "none.json")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(SettingsError, match="cannot read"):
        read_resolver_config(tmp_path / "binary")
