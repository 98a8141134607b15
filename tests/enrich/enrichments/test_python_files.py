"""Runs the examples of the guide as they are printed, and holds user code to the rules."""

import re
from pathlib import Path

import pytest

from snowgauge.enrich import configs
from snowgauge.enrich.adapters.base import AdapterInput
from snowgauge.enrich.enrichments.base import DropEvent
from snowgauge.errors import AdapterFailure, EnrichmentFailure, SettingsError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.testing import enrichment_contract as contract
from snowgauge.testing.enriching import failures_of, means_with, source_with

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "python-enrichments.md"
EXAMPLES = dict(re.findall(r'```python title="enrichments/(\S+)"\n(.*?)```', GUIDE.read_text("utf-8"), re.DOTALL))


@pytest.fixture
def load(tmp_path, validator):
    folder = tmp_path / "enrichments"
    folder.mkdir()

    def loaded(**files):
        for name, code in files.items():
            (folder / f"{name}.py").write_text(code)
        return configs.load(folder, validator, means_with(), {})

    return loaded


@pytest.fixture
def guide(load):
    return load(**{name.removesuffix(".py"): code for name, code in EXAMPLES.items()})


@pytest.fixture
def run(load):
    """Loads one function and runs it over an event; returns the event, what it attached and what failed."""

    def runner(code, event=None, source=None):
        (enrichment,) = load(mine=code).enrichments
        event, source = event or EnrichedEvent(), source or source_with()
        attached = []
        keep = enrichment.enrich

        def kept(*given):
            attached.extend(keep(*given))
            return ()

        enrichment.enrich = kept
        return event, attached, failures_of(enrichment, event, source)

    return runner


def test_the_guide_s_files_are_all_found(guide):
    assert [(entry.source, entry.runs_at) for entry in guide.entries] == [("office.py", 145), ("site_section.py", 165)]
    assert [adapter.paths for adapter in guide.adapters] == [(("com.acme", "pings"),)]


def test_the_guide_s_function(guide):
    section = guide.enrichments[1]
    event = EnrichedEvent(event="page_view", page_urlpath="/blog/2026/a")
    (entity,) = section.enrich(event, source_with())
    assert event.se_category == "Magazine"
    assert entity.as_json() == {
        "schema": "iglu:com.acme/site_section/jsonschema/1-0-0",
        "data": {"section": "Magazine"},
    }
    shop = EnrichedEvent(event="page_view", page_urlpath="/shop", page_urlquery="a=b")
    (failure,) = failures_of(section, shop, source_with(page_query=[("a", "b")]))
    assert (failure.message, failure.field, failure.value) == (
        "pages of the shop carry a currency",
        "page_urlquery",
        "a=b",
    )
    assert list(section.enrich(EnrichedEvent(event="struct"), source_with())) == []


def test_the_guide_s_class(guide):
    office = guide.enrichments[0]
    inside, outside = EnrichedEvent(user_ipaddress="198.51.100.7"), EnrichedEvent(user_ipaddress="192.0.2.1")
    for event in (inside, outside, EnrichedEvent()):
        office.enrich(event, source_with())
    assert (inside.ip_organization, outside.ip_organization) == ("Acme", None)


def test_the_guide_s_adapter(guide):
    def given(body):
        payload = CollectorPayload(body=body)
        import orjson

        return AdapterInput(payload, "com.acme", "pings", [], {}, lambda item: None, orjson.loads)

    adapter = guide.adapters[0]()
    (event,) = adapter.events(given('{"machine": "m1"}'))
    assert event.parameters["se_la"] == "m1"
    with pytest.raises(AdapterFailure, match="a machine"):
        adapter.events(given("nonsense"))


def test_the_guide_s_enrichments_keep_the_promises(guide):
    for enrichment in guide.enrichments:
        contract.check_hostile_events(enrichment, enrichment.fields)
        contract.check_repeatable(enrichment)


def test_the_guide_s_entry_point_names_the_group():
    from snowgauge.enrich.enrichments.registry import GROUP

    assert f'[project.entry-points."{GROUP}"]' in GUIDE.read_text("utf-8")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1 / 0", "Error during execution of Python function: [ZeroDivisionError: division by zero]"),
        ("raise EnrichmentFailure('so')", "so"),
        ("return 7", "Python function returned a int; expected entities or nothing"),
        ("return 'x'", "Python function returned a str; expected entities or nothing"),
        (
            "return {'data': {}}",
            "are not self-describing. Error(s): [error code:[INVALID_DATA_PAYLOAD],json:[{'data': {}}]]",
        ),
        ("return [{'schema': 'iglu:x', 'data': 1}]", "INVALID_IGLUURI"),
        ("return {'schema': 'iglu:a/b/jsonschema/1-0-0', 'data': {'x': object()}}", "cannot be written as JSON"),
        ("event.nothing = 1", "AttributeError"),
        ("event.user_id = 5", "Python function set column user_id to a int; expected text (str)"),
        ("event.txn_id = 'x'", "Python function set column txn_id to a str; expected a whole number of 32 bits (int)"),
        ("event.txn_id = True", "Python function set column txn_id to a bool; expected a whole number of 32 bits"),
        ("event.txn_id = 2**31", "set column txn_id to 2147483648; expected a whole number of 32 bits (int)"),
        ("event.geo_latitude = float('nan')", "set column geo_latitude to nan; expected a number (float)"),
        ("event.geo_latitude = 1e300", "set column geo_latitude to 1e+300; expected a number (float)"),
        ("event.tr_total = 'ten'", "set column tr_total to 'ten'; expected a decimal number as text"),
        ("event.event_id = 'mine'", "set column event_id to 'mine'; expected a UUID as text"),
        ("event.true_tstamp = 10**18", "set column true_tstamp to 1000000000000000000; expected milliseconds"),
        ("event.contexts = None", "Python function set column contexts to a NoneType; expected a list"),
        ("event.contexts = [{}]", "Python function set column contexts to a list with other things"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_a_failure_of_the_event(run, body, message):
    code = f"from snowgauge.errors import EnrichmentFailure\ndef enrich(event, source):\n    {body}\n"
    event, attached, failures = run(code)
    assert len(failures) == 1
    assert message in failures[0].message
    assert attached == []
    assert event == EnrichedEvent(), "what had the wrong type is put back"


def test_columns_set_before_an_exception_stay_and_are_checked(run):
    code = "def enrich(event, source):\n    event.user_id = 'kept'\n    event.txn_id = 'bad'\n    1 / 0\n"
    event, _, failures = run(code)
    assert (event.user_id, event.txn_id) == ("kept", None)
    assert len(failures) == 2


def test_texts_are_made_safe(run):
    code = "def enrich(event, source):\n    event.user_id = 'a\\tb\\n'\n    event.app_id = ''\n"
    event, _, failures = run(code, EnrichedEvent(app_id="x"))
    assert (event.user_id, event.app_id, failures) == ("a    b", None, [])


@pytest.mark.parametrize("returned", ["[E, E]", "(E, E)", "(x for x in (E, E))", "[SelfDescribing.parse(E)] * 2"])
def test_entities_come_in_several_forms(run, returned):
    code = (
        "from snowgauge.events.selfdescribing import SelfDescribing\n"
        "E = {'schema': 'iglu:a/b/jsonschema/1-0-0', 'data': {}}\n"
        f"def enrich(event, source):\n    return {returned}\n"
    )
    _, attached, failures = run(code)
    assert failures == []
    assert [item.schema.uri for item in attached] == ["iglu:a/b/jsonschema/1-0-0"] * 2
    assert all(isinstance(item, SelfDescribing) for item in attached)


def test_a_function_may_drop_the_event(load):
    (enrichment,) = load(
        mine="from snowgauge.enrich.enrichments.base import DropEvent\ndef enrich(e, s):\n    raise DropEvent\n"
    ).enrichments
    with pytest.raises(DropEvent):
        enrichment.enrich(EnrichedEvent(), source_with())


def test_a_failure_names_the_file(load):
    (enrichment,) = load(mine="def enrich(event, source): pass").enrichments
    assert enrichment.identifier == "python mine"
    assert enrichment.schema_key.uri == "iglu:com.snowgauge/python_enrichment/jsonschema/1-0-0"


def test_files_of_one_place_run_by_name_and_a_place_can_be_chosen(load):
    code = "def enrich(event, source): pass"
    loaded = load(b=code, a=code, c="runs_at = 55\n" + code, _skipped="raise ValueError")
    assert [(entry.source, entry.runs_at) for entry in loaded.entries] == [("c.py", 55), ("a.py", 165), ("b.py", 165)]


def test_a_place_that_is_taken_is_refused(load, tmp_path):
    import orjson

    sample = contract_sample()
    (tmp_path / "enrichments" / "a.json").write_bytes(orjson.dumps(sample))
    with pytest.raises(SettingsError, match=r"runs at 190, which is the place of .*; choose another runs_at"):
        load(b="runs_at = 190\ndef enrich(event, source): pass")


def contract_sample():
    from snowgauge.enrich.enrichments.registry import find

    return find().of("anon_ip").sample


def test_a_class_with_a_configuration_takes_the_file_beside_it(load, tmp_path):
    """Its schema has to be found; without it the fault says so."""
    (tmp_path / "enrichments" / "a.json").write_text('{"schema": "iglu:com.acme/office/jsonschema/1-0-0", "data": {}}')
    code = EXAMPLES["office.py"].replace(
        "    identifier", '    config = "iglu:com.acme/office/jsonschema/1-0-*"\n    identifier', 1
    )
    with pytest.raises(SettingsError, match=r"a.json: \$.schema = 'iglu:com.acme/office.*its schema was not found"):
        load(office=code)


def test_an_exception_of_several_failures_keeps_them(run):
    code = (
        "from snowgauge.errors import EnrichmentFailure\ndef enrich(event, source):\n"
        "    raise ExceptionGroup('x', [EnrichmentFailure('one'), EnrichmentFailure('two')])\n"
    )
    assert [failure.message for failure in run(code)[2]] == ["one", "two"]
    assert all(isinstance(failure, EnrichmentFailure) for failure in run(code)[2])
