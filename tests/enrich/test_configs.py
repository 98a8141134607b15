"""Folders of configuration files: what is read, what is refused and how it is said."""

import base64

import orjson
import pytest

from snowgauge.enrich import configs, configuration_files
from snowgauge.enrich.assets import AssetCache
from snowgauge.enrich.enrichments import registry
from snowgauge.errors import SettingsError
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.testing.enriching import means_with

ANON = "iglu:com.snowplowanalytics.snowplow/anon_ip/jsonschema/1-0-1"


@pytest.fixture(scope="module")
def validator():
    return build(IgluSettings(iglu_central=False), None)[1]


@pytest.fixture
def load(tmp_path, validator):
    """Writes files into a folder and loads it; strings as they are, anything else as JSON."""
    folder = tmp_path / "enrichments"
    folder.mkdir()

    def loaded(files, environment=None, means=None, **more):
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else orjson.dumps(content)
            (folder / name).write_bytes(data)
        return configs.load(folder, validator, means or means_with(), environment or {}, **more)

    return loaded


def anon(octets=1, *, schema=ANON, **more):
    data = {"name": "n", "vendor": "v", "enabled": True, "parameters": {"anonOctets": octets}, **more}
    return {"schema": schema, "data": data}


def names(loaded):
    return [(entry.name, entry.source, entry.on) for entry in loaded.entries]


def test_without_a_folder_the_default_set_runs(validator):
    loaded = configs.load(None, validator, means_with(), {})
    assert [entry.name for entry in loaded.entries if entry.on] == [
        "ua_parser_config",
        "referer_parser",
        "campaign_attribution",
        "cross_navigation_config",
        "event_fingerprint_config",
        "yauaa_enrichment_config",
        "bot_detection_enrichment_config",
        "anon_ip",
    ]
    assert [(entry.name, entry.why_off) for entry in loaded.entries if not entry.on] == [
        ("ip_lookups", "there is no database in the data folder's assets"),
        ("asn_lookups", "there is no list of networks in the data folder's assets"),
    ]
    assert {entry.source for entry in loaded.entries} == {"default"}


def test_none_runs_nothing(validator):
    assert configs.load("none", validator, means_with(), {}).entries == []


def test_a_folder_runs_what_is_in_it_and_nothing_else(load):
    loaded = load({"b.json": anon(2), "a.json": anon(schema=ANON, enabled=False), "readme.txt": "x", ".x.json": "{"})
    assert names(loaded) == [("anon_ip", "b.json", True)]


def test_defaults_beside_a_folder_on_request(load):
    loaded = load({"a.json": anon(4)}, add_defaults=True)
    sources = {entry.name: entry.source for entry in loaded.entries}
    assert sources["anon_ip"] == "a.json"
    assert sources["ua_parser_config"] == "default"


def test_an_empty_folder_runs_nothing(load):
    assert load({}).entries == []


def test_order_is_that_of_the_places_not_of_the_files(load):
    campaign = registry.find().of("campaign_attribution").sample
    loaded = load({"a.json": anon(), "z.json": campaign})
    assert [entry.name for entry in loaded.entries] == ["campaign_attribution", "anon_ip"]
    assert str(loaded.enrichments[1].schema_key) == ANON


def test_hocon_with_comments_and_environment(load):
    text = """
    # octets come from outside
    {
      schema = "ANON"
      data { name = n, vendor = v, enabled = true, parameters { anonOctets = 1, anonOctets = ${?OCTETS}, } }
    }
    """.replace("ANON", ANON)
    assert names(load({"a.hocon": text})) == [("anon_ip", "a.hocon", True)]
    with pytest.raises(SettingsError, match=r'a.hocon: \$.data.parameters.anonOctets = "nine"'):
        load({"a.hocon": text}, {"OCTETS": "nine"})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"\u00e9 \ud83e\udd8a \/ \" \\ \t|"', 'é 🦊 / " \\ \t|'),
        (r'"^[a-z]\\.x$" // "\u00e9', r"^[a-z]\.x$"),
        (r'"""\u00e9 "x" \n"""', r'\u00e9 "x" \n'),
        ('"http://x.io/#a" # "', "http://x.io/#a"),
    ],
)
def test_texts_in_hocon(tmp_path, written, read):
    file = tmp_path / "a.json"
    file.write_text(f"{{ a: {written}\n}}", "utf-8")
    assert configuration_files.read(file, {}).json == {"a": read}


def test_only_the_environment_handed_over_counts(load, monkeypatch):
    monkeypatch.setenv("SNOWGAUGE_TEST_NAME", "from the process")
    text = '{"schema": "ANON", "data": {"name": ${SNOWGAUGE_TEST_NAME}, "vendor": "v", "enabled": false}}'.replace(
        "ANON", ANON
    )
    with pytest.raises(SettingsError, match=r"\$\{SNOWGAUGE_TEST_NAME\} is set neither in the file nor in the env"):
        load({"a.json": text})


def test_a_bare_script_is_a_javascript_enrichment(load):
    loaded = load({"two.js": "function process(event) { return []; }", "one.js": "function process(event) {}"})
    assert names(loaded) == [("javascript_script_config", "one.js", True), ("javascript_script_config", "two.js", True)]
    loaded.close()


def test_several_scripts_run_in_the_order_of_their_files(load):
    script = base64.urlsafe_b64encode(b"function process(event) {}").decode()
    javascript = {
        "schema": "iglu:com.snowplowanalytics.snowplow/javascript_script_config/jsonschema/1-0-0",
        "data": {"name": "n", "vendor": "v", "enabled": True, "parameters": {"script": script}},
    }
    loaded = load({"b.json": javascript, "a.json": javascript, "c.js": "function process() {}"})
    assert [entry.source for entry in loaded.entries] == ["a.json", "b.json", "c.js"]
    loaded.close()


def test_of_two_files_of_a_kind_the_last_counts(load):
    loaded = load({"a.json": anon(1), "b.json": anon(2)})
    assert names(loaded) == [("anon_ip", "b.json", True)]
    assert loaded.warnings == [
        "a.json: ignored, because b.json configures anon_ip as well; the last file by name counts"
    ]


def test_an_unknown_name_is_a_warning(load):
    loaded = load({"a.json": anon(schema="iglu:com.acme/anon_pi/jsonschema/1-0-0")})
    assert loaded.entries == []
    assert loaded.warnings == [
        "a.json: ignored, because no enrichment takes iglu:com.acme/anon_pi/jsonschema/1-0-0; did you mean 'anon_ip'?"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "neither JSON (unexpected end of data, line 1 column 2) nor HOCON"),
        ("{ a: [1 }", "line 1 column 3) nor HOCON (line 1 column "),
        ("[1]", "not a self-describing configuration (INVALID_DATA_PAYLOAD); expected an object"),
        ({"schema": ANON}, "not a self-describing configuration (INVALID_DATA_PAYLOAD)"),
        ({"schema": "iglu:x", "data": {}}, "not a self-describing configuration (INVALID_IGLUURI)"),
        (
            anon(schema=ANON.replace("1-0-1", "2-0-0")),
            "Schema key iglu:com.snowplowanalytics.snowplow/anon_ip/jsonschema/2-0-0 is not supported. A 'anon_ip' "
            "enrichment must have schema iglu:com.snowplowanalytics.snowplow/anon_ip/jsonschema/1-0-*.",
        ),
        (
            anon(schema=ANON.replace("com.snowplowanalytics.snowplow", "com.acme")),
            "Schema key iglu:com.acme/anon_ip/jsonschema/1-0-1 is not supported.",
        ),
        (anon(schema=ANON.replace("1-0-1", "1-0-99")), "its schema was not found in "),
        (anon(9), "$.data.parameters.anonOctets = 9: $.parameters.anonOctets: must have a maximum value of 4"),
        (anon("1"), '$.data.parameters.anonOctets = "1": '),
        (anon(extra=1), "extra: is not defined in the schema"),
    ],
)
def test_what_is_wrong_is_said(load, content, message):
    with pytest.raises(SettingsError) as caught:
        load({"bad.json": content})
    assert f"bad.json: {message}" in str(caught.value) or message in str(caught.value)
    assert "bad.json: " in str(caught.value)


def test_all_faults_of_all_files_come_together(load):
    with pytest.raises(SettingsError) as caught:
        load({"a.json": "{", "b.json": anon(9, vendor=1), "c.json": anon(schema="iglu:x"), "d.py": "x = 1"})
    text = str(caught.value)
    assert "(5 faults)" in text
    for name, times in (("a.json", 1), ("b.json", 2), ("c.json", 1), ("d.py", 1)):
        assert text.count(f"  - {name}: ") == times


def test_a_file_that_cannot_be_fetched_is_a_fault_of_its_configuration(load, tmp_path):
    geo = {"geo": {"database": "GeoLite2-City.mmdb", "uri": (tmp_path / "none").as_uri()}}
    schema = "iglu:com.snowplowanalytics.snowplow/ip_lookups/jsonschema/2-0-1"
    content = {"schema": schema, "data": {"name": "n", "vendor": "v", "enabled": True, "parameters": geo}}
    means = means_with()
    means.assets = AssetCache(tmp_path / "assets", means.http)
    with pytest.raises(SettingsError, match=r"geo.json: ip_lookups: file .*GeoLite2-City.mmdb cannot be read: No such"):
        load({"geo.json": content}, means=means)


def test_assets_of_an_enrichment_are_listed(load, tmp_path):
    rules = tmp_path / "rules" / "regexes.yaml"
    rules.parent.mkdir()
    rules.write_text("user_agent_parsers: [{regex: '(x)'}]")
    schema = "iglu:com.snowplowanalytics.snowplow/ua_parser_config/jsonschema/1-0-1"
    parameters = {"database": "regexes.yaml", "uri": rules.parent.as_uri()}
    content = {"schema": schema, "data": {"name": "n", "vendor": "v", "enabled": True, "parameters": parameters}}
    means = means_with()
    means.assets = AssetCache(tmp_path / "assets", means.http)
    loaded = load({"ua.json": content}, means=means)
    assert loaded.entries[0].assets == [rules.as_uri()]


def test_a_folder_that_is_not_there_is_refused(validator, tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: No such file or directory; give an existing folder"):
        configs.load(tmp_path / "none", validator, means_with(), {})


def test_a_registry_that_lists_the_samples_can_run_them_all_together(load):
    """Every sample in one folder is valid as Snowplow would have it, whether or not its files and hosts are there."""
    files = {f"{found.__name__}.json": found.sample for found in registry.find().classes}
    for sample in files.values():
        assert sample["data"]["enabled"] is True
    off = {name: {**sample, "data": {**sample["data"], "enabled": False}} for name, sample in files.items()}
    loaded = load(off)
    assert len(loaded.entries) == len(files)
    assert loaded.warnings == []
