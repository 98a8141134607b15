"""How enrichments are found, and what may not be."""

import types
from importlib.metadata import EntryPoint

import pytest

from snowgauge.enrich.enrichments import registry
from snowgauge.enrich.enrichments.base import Enrichment
from snowgauge.enrich.enrichments.registry import Registry, read_user_file
from snowgauge.errors import SettingsError


def made(name, place, config="", **more):
    return type(name, (Enrichment,), {"runs_at": place, "config": config, "identifier": name, **more})


def test_the_order_is_that_of_the_places():
    places = [found.runs_at for found in registry.find().classes]
    assert places == sorted(places)
    assert len(places) == len(set(places))


def test_ties_are_refused():
    with pytest.raises(SettingsError, match=r"One and .*Two both run at 7; give one of them another runs_at"):
        Registry([made("One", 7), made("Two", 7)])


def test_those_that_repeat_may_share_a_place():
    assert len(Registry([made("One", 7, repeats=True), made("Two", 7, repeats=True)]).classes) == 2


def test_two_for_one_configuration_are_refused():
    criterion = "iglu:com.acme/x/jsonschema/1-0-*"
    with pytest.raises(SettingsError, match="both take configurations named 'x'"):
        Registry([made("One", 1, criterion), made("Two", 2, criterion)])


@pytest.fixture
def entry_points(monkeypatch):
    """Installs entry points of the group, as a package would."""
    offered = {}

    def install(**values):
        module = types.ModuleType("acme_enrichments")
        for name, value in values.items():
            setattr(module, name, value)
            offered[name] = EntryPoint(name, f"acme_enrichments:{name}", registry.GROUP)
        monkeypatch.setitem(__import__("sys").modules, "acme_enrichments", module)
        monkeypatch.setattr(registry, "entry_points", lambda group: list(offered.values()))
        registry.find.cache_clear()

    yield install
    registry.find.cache_clear()


def test_installed_packages_offer_classes_and_functions(entry_points):
    acme = made("Acme", 500, "iglu:com.acme/acme_config/jsonschema/1-0-*")
    entry_points(acme=acme, note=lambda event, source: None)
    found = registry.find()
    assert found.of("acme_config") is acme
    assert [function.identifier for function in found.functions] == ["python note"]


def test_an_entry_point_of_another_kind_is_refused(entry_points):
    entry_points(odd=7)
    with pytest.raises(SettingsError, match=r"'odd' = 'acme_enrichments:odd' .* is a int; expected a class"):
        registry.find()


def test_an_entry_point_that_does_not_load_is_refused(entry_points, monkeypatch):
    entry_points()
    broken = EntryPoint("gone", "acme_enrichments:nothing", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken])
    with pytest.raises(SettingsError, match=r"enrichment 'gone' of the installed package .* cannot be loaded"):
        registry.find()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1", "defines neither a function enrich"),
        ("import nothing_like_it", r"running the file failed: ModuleNotFoundError: .* \(line 1\)"),
        ("\n\nx = (", r"SyntaxError: .* \(line 3\)"),
        ("enrich = 7", "enrich is a int; expected a function"),
        ("def enrich(event): pass", r"enrich\(event\) cannot be called with \(event, source\)"),
        ("runs_at = 'late'\ndef enrich(event, source): pass", "runs_at is 'late'; expected a whole number"),
        (
            "from snowgauge.enrich.adapters.base import Adapter\nclass A(Adapter): pass",
            "adapter A names no paths; add for example",
        ),
    ],
)
def test_user_files_that_are_refused(tmp_path, code, message):
    file = tmp_path / "mine.py"
    file.write_text(code)
    with pytest.raises(SettingsError, match=message):
        read_user_file(file)
