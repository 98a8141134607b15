"""From settings to registries: what is asked, in which order, and wrong settings."""

import json

import pytest
from pydantic import ValidationError

from snowgauge.errors import SettingsError
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.iglu.build import build
from snowgauge.iglu.contract import ValidSchema
from snowgauge.iglu.settings import IgluSettings

KEY = SchemaKey.parse("iglu:com.acme/cart/jsonschema/1-0-0")


def names(settings, data_dir=None):
    return [registry.name for registry in build(settings, data_dir)[0].order("com.acme")]


def test_the_default(tmp_path):
    assert names(IgluSettings(), tmp_path) == ["Iglu Client Embedded", "Local schemas", "Iglu Central"]
    assert names(IgluSettings(iglu_central=False)) == ["Iglu Client Embedded"]


def test_registries_stand_before_iglu_central(tmp_path):
    places = ["https://b.example/api", str(tmp_path), "http://a.example"]
    settings = IgluSettings(registries=places, api_keys={"http://a.example/": "k"})
    with pytest.raises(SettingsError, match="api_keys"):
        build(IgluSettings(api_keys={"http://other.example": "k"}), None)
    made = build(settings.model_copy(update={"api_keys": {}}), tmp_path)[0]
    assert [r.name for r in made.order("x")] == [
        "Iglu Client Embedded",
        "Local schemas",
        str(tmp_path),
        "Custom (https://b.example/api)",
        "Custom (http://a.example)",
        "Iglu Central",
    ]


def test_an_api_key_reaches_its_registry_and_is_not_printed(server):
    server.put(KEY.uri, {"type": "object"})
    server.apikey = "secret"
    settings = IgluSettings(registries=[server.uri], api_keys={server.uri: "secret"}, iglu_central=False)
    assert "secret" not in repr(settings)
    resolver = build(settings, None)[0]
    assert resolver.schema(KEY) == {"type": "object"}
    resolver.registries[-1].close()


def test_a_schema_put_into_the_data_folder_is_found(tmp_path):
    resolver, _ = build(IgluSettings(iglu_central=False), tmp_path)
    file = tmp_path / "schemas" / KEY.path
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    assert resolver.schema(KEY) == {}
    listed = resolver.keys()
    assert KEY in listed
    assert resolver.versions("com.acme", "cart", 1) == [KEY]


def test_a_resolver_file(tmp_path, server):
    server.put(KEY.uri, {"from": "server"})
    folder = tmp_path / "embedded"
    (folder / "schemas" / "com.acme" / "box" / "jsonschema").mkdir(parents=True)
    (folder / "schemas" / "com.acme" / "box" / "jsonschema" / "1-0-0").write_text("{}")
    file = tmp_path / "resolver.json"
    entry = {"name": "Ours", "priority": 3, "vendorPrefixes": ["com.acme"], "connection": {"http": {"uri": server.uri}}}
    embedded = {
        "name": "Built in",
        "priority": 0,
        "vendorPrefixes": [],
        "connection": {"embedded": {"path": str(folder)}},
    }
    document = {
        "schema": "iglu:com.snowplowanalytics.iglu/resolver-config/jsonschema/1-0-3",
        "data": {"cacheSize": 0, "cacheTtl": None, "repositories": [entry, embedded]},
    }
    file.write_text(json.dumps(document))
    resolver, _ = build(IgluSettings(resolver=file), tmp_path)
    assert [r.name for r in resolver.order("com.acme")] == [
        "Ours",
        "Iglu Client Embedded",
        "Local schemas",
        "Built in",
    ]
    assert [resolver.schema(KEY), resolver.schema(KEY)] == [{"from": "server"}] * 2
    assert len(server.requests) == 2  # the file says: no cache
    assert resolver.schema(SchemaKey.parse("iglu:com.acme/box/jsonschema/1-0-0")) == {}
    next(r for r in resolver.registries if r.name == "Ours").close()


@pytest.mark.parametrize("place", ["/nowhere/at/all", "iglu.acme.com", "ftp://acme.com", "http://"])
def test_a_registry_must_exist_or_be_an_address(place):
    with pytest.raises(SettingsError, match="regist"):
        build(IgluSettings(registries=[place]), None)


def test_names_are_unique(tmp_path):
    with pytest.raises(SettingsError, match="two registries are named"):
        build(IgluSettings(registries=[str(tmp_path), str(tmp_path)]), None)


@pytest.mark.parametrize("wrong", [{"cache_size": -1}, {"cache_ttl": "soon"}, {"max_retry": -1}, {"registry": "x"}])
def test_settings_are_strict(wrong):
    with pytest.raises(ValidationError):
        IgluSettings(**wrong)


def test_the_depth_limit_is_that_of_enrich(tmp_path):
    key = SchemaKey.parse("iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1")
    data = [{"schema": "iglu:a/b/c/1-0-0", "data": [[[1]]]}]
    shallow = build(IgluSettings(iglu_central=False), tmp_path, max_json_depth=5)[1]
    deep = build(IgluSettings(iglu_central=False), tmp_path, max_json_depth=50)[1]
    assert deep.check(SelfDescribing(key, data)) == ValidSchema()
    (report,) = shallow.check(SelfDescribing(key, data)).error["dataReports"]
    assert report["message"] == "Maximum allowed JSON depth exceeded"
