"""Settings come from four places, each over the one before; what is wrong is named with its cure."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from snowgauge.errors import SettingsError
from snowgauge.settings.load import leaf_names, load
from snowgauge.settings.reference import as_tree, lines, markdown


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "snowgauge.toml"
    file.write_text(text, "utf-8")
    return file


def wrong(**given: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**given)  # type: ignore[arg-type]
    return str(caught.value)


def test_nothing_at_all_is_a_working_deployment(tmp_path: Path) -> None:
    loaded = load(folder=tmp_path)
    assert loaded.settings.collector.port == 8000
    assert loaded.settings.console.host == "127.0.0.1"
    assert loaded.sources == {}


def test_each_place_is_over_the_one_before(tmp_path: Path) -> None:
    file = write(tmp_path, "[collector]\nport = 1001\n[collector.cookie]\nname = 'file'\n[console]\nport = 1002\n")
    loaded = load(
        file=file,
        environment={"SNOWPLOW_COLLECTOR__COOKIE__NAME": "env", "SNOWPLOW_CONSOLE__PORT": "1003", "HOME": "/"},
        flags=["console.port=1004"],
    )
    assert loaded.settings.collector.port == 1001
    assert loaded.settings.collector.cookie.name == "env"
    assert loaded.settings.console.port == 1004
    assert loaded.sources["collector.port"] == str(file)
    assert loaded.sources["collector.cookie.name"] == "SNOWPLOW_COLLECTOR__COOKIE__NAME"
    assert loaded.sources["console.port"] == "--set console.port"


def test_the_file_lies_where_it_is_run(tmp_path: Path) -> None:
    write(tmp_path, "[collector]\nport = 1001\n")
    assert load(folder=tmp_path).settings.collector.port == 1001


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("SNOWPLOW_COLLECTOR__PORT", "81", "collector.port", 81),
        ("snowplow_collector__port", "81", "collector.port", 81),
        (
            "SNOWPLOW_COLLECTOR__CORS__ACCESS_CONTROL_MAX_AGE",
            "5 minutes",
            "collector.cors.access_control_max_age",
            None,
        ),
        ("SNOWPLOW_COLLECTOR__COOKIE__DOMAINS", '["a.com","b.com"]', "collector.cookie.domains", ["a.com", "b.com"]),
        ("SNOWPLOW_COLLECTOR__COOKIE__DOMAINS", "a.com, b.com", "collector.cookie.domains", ["a.com", "b.com"]),
        ("SNOWPLOW_COLLECTOR__PATHS", '{"/a/b": "/r/tp2"}', "collector.paths", {"/a/b": "/r/tp2"}),
        ("SNOWPLOW_COLLECTOR__COOKIE__ENABLED", "off", "collector.cookie.enabled", False),
        ("SNOWPLOW_COLLECTOR__P3P__CP", "[x", "collector.p3p.cp", "[x"),
    ],
)
def test_environment_values_are_read_by_the_kind_of_setting(
    tmp_path: Path, variable: str, text: str, name: str, value: object
) -> None:
    found: object = load(environment={variable: text}, folder=tmp_path).settings
    for part in name.split("."):
        found = getattr(found, part)
    assert found == (value if value is not None else timedelta(minutes=5))


def test_a_section_as_json_and_a_leaf_over_it(tmp_path: Path) -> None:
    environment = {
        "SNOWPLOW_CLICKHOUSE": '{"connection": {"host": "h1", "port": 1}}',
        "SNOWPLOW_CLICKHOUSE__CONNECTION__PORT": "2",
    }
    connection = load(environment=environment, folder=tmp_path).settings.clickhouse.connection
    assert (connection.host, connection.port) == ("h1", 2)


def test_one_leaf_of_a_table_keeps_its_neighbours(tmp_path: Path) -> None:
    name = "SNOWPLOW_CLICKHOUSE__CONFIGURATION__TABLES__SNOWPLOW__LOCAL__ENGINE"
    tables = load(environment={name: "ReplacingMergeTree()"}, folder=tmp_path).settings.clickhouse.configuration.tables
    assert tables.snowplow.local.engine == "ReplacingMergeTree()"
    assert tables.snowplow.enabled


def test_snowplows_own_spelling_is_the_same_setting(tmp_path: Path) -> None:
    file = write(tmp_path, "[collector]\nenableDefaultRedirect = true\n[collector.cookie]\nsameSite = 'Lax'\n")
    collector = load(file=file, flags=["collector.cors.accessControlMaxAge=1 s"]).settings.collector
    assert collector.enable_default_redirect
    assert collector.cookie.same_site == "Lax"
    assert collector.cors.access_control_max_age == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("collector.prot=1", ["collector.prot", "did you mean collector.port?", "--set collector.prot"]),
        ("colector.port=1", ["colector", "did you mean collector"]),
        ("collector.cookie.expiration=soon", ["collector.cookie.expiration", "'soon'", "'60 minutes'"]),
        ("collector.port=abc", ["collector.port", "'abc'"]),
        ("collector.paths=x", ["JSON", "'x'"]),
        ("collector.cookie.domains=[x", ["expected JSON"]),
        ("nothing", ["expected section.key=value"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_cure(tmp_path: Path, flag: str, says: list[str]) -> None:
    text = wrong(flags=[flag], folder=tmp_path)
    assert all(part in text for part in says), text


def test_all_wrong_settings_are_told_at_once(tmp_path: Path) -> None:
    text = wrong(flags=["collector.port=abc", "console.port=99999", "pipeline.workers=0"], folder=tmp_path)
    assert len(text.splitlines()) == 3


def test_a_wrong_variable_stops_the_start_and_the_environments_name_does_not(tmp_path: Path) -> None:
    assert "SNOWPLOW_COLLECTOR__PROT" in wrong(environment={"SNOWPLOW_COLLECTOR__PROT": "1"}, folder=tmp_path)
    load(environment={"SNOWPLOW_ENV": "production"}, folder=tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "missing.toml" in wrong(file=tmp_path / "missing.toml")
    assert "not valid TOML" in wrong(file=write(tmp_path, "[collector\n"))


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    environment = {"SNOWPLOW_CLICKHOUSE__CONNECTION__PASSWORD": "hush", "SNOWPLOW_STORE__URL": "http://u:hush@h/d"}
    loaded = load(environment=environment, folder=tmp_path)
    shown = [line for line in lines(loaded.settings, loaded.sources) if line.source != "default"]
    assert {line.value for line in shown} == {"********"}
    assert "hush" not in str(as_tree(loaded.settings))
    assert "hush" not in repr(loaded)


def test_every_setting_is_documented(tmp_path: Path) -> None:
    page = markdown()
    for line in lines():
        assert line.meaning, f"{line.name} has no docstring"
        assert f"`{line.name}`" in page
    assert len(leaf_names()) == len(set(leaf_names()))


@pytest.mark.parametrize("ending", ["_FILE", "__FILE"])
@pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
def test_a_variable_may_name_a_file_that_holds_the_value(tmp_path: Path, ending: str, line_end: str) -> None:
    secret = tmp_path / "password"
    secret.write_text(f" hush {line_end}", newline="")
    name = f"SNOWPLOW_CLICKHOUSE__CONNECTION__PASSWORD{ending}"
    loaded = load(environment={name: str(secret)}, folder=tmp_path)
    password = loaded.settings.clickhouse.connection.password
    assert password is not None
    assert password.get_secret_value() == " hush "
    assert loaded.sources["clickhouse.connection.password"] == name
    assert "hush" not in repr(loaded)


def test_a_file_may_hold_a_whole_section(tmp_path: Path) -> None:
    section = tmp_path / "connection.json"
    section.write_text('{"host": "h1", "port": 7}\n')
    environment = {"SNOWPLOW_CLICKHOUSE__CONNECTION_FILE": str(section)}
    connection = load(environment=environment, folder=tmp_path).settings.clickhouse.connection
    assert (connection.host, connection.port) == ("h1", 7)


def test_a_file_that_is_not_there_or_comes_beside_its_value_is_told(tmp_path: Path) -> None:
    name = "SNOWPLOW_CLICKHOUSE__CONNECTION__PASSWORD"
    missing = wrong(environment={f"{name}_FILE": str(tmp_path / "none")}, folder=tmp_path)
    assert f"{name}_FILE" in missing
    assert "No such file" in missing
    both = wrong(environment={f"{name}_FILE": str(tmp_path / "none"), name: "x"}, folder=tmp_path)
    assert "set one of them" in both


def test_a_file_for_no_setting_is_named_as_any_wrong_variable(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("1")
    text = wrong(environment={"SNOWPLOW_COLLECTOR__PROT_FILE": str(tmp_path / "value")}, folder=tmp_path)
    assert "SNOWPLOW_COLLECTOR__PROT_FILE" in text
    assert "did you mean collector.port?" in text


def test_no_setting_is_hidden_by_the_ending(tmp_path: Path) -> None:
    """A setting whose own name ends so would still be set by its own name."""
    for name in leaf_names():
        if name.endswith(("_file", ".file")):
            variable = "SNOWPLOW_" + name.upper().replace(".", "__")
            assert name in load(environment={variable: "value"}, folder=tmp_path).sources
