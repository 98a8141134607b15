"""The shared suite: every enrichment there is, found as the registry finds it."""

import pytest

from snowgauge.enrich import configs
from snowgauge.enrich.enrichments import registry
from snowgauge.enrich.enrichments.base import PLACES
from snowgauge.errors import AssetError
from snowgauge.testing import enrichment_contract as contract
from snowgauge.testing.enriching import means_with
from snowgauge.testing.mmdb import write_mmdb

CLASSES = [pytest.param(found, id=found.__name__) for found in registry.find().classes]

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def means(tmp_path):
    """Every file that a sample names."""
    city = write_mmdb(tmp_path / "city.mmdb", {"198.51.100.0/24": {"country": {"iso_code": "FR"}}}, "Test-City")
    assets = _AnyAssets(
        {
            ".mmdb": city.read_bytes(),
            "ip_exclude_current_cidr.txt": b"203.0.113.0/24\n",
            "include_current.txt": b"mozilla|1|0|\n",
            "exclude_current.txt": b"googlebot|1||0|0|0|\n",
            "referers-latest.json": b'{"search": {"Google": {"domains": ["google.com"], "parameters": ["q"]}}}',
            ".json": b'{"eventSpecs": []}',
            ".csv": b"ASN,Entity\n64496,x\n",
        },
        city,
    )
    made = means_with()
    made.assets = assets
    return made


class _AnyAssets:
    """Answers for any folder, by the end of the file's name."""

    def __init__(self, by_end, mmdb):
        self.by_end, self.mmdb = by_end, mmdb

    def get(self, uri, load):
        for end, content in self.by_end.items():
            if uri.endswith(end):
                return _Held(load(content))
        raise AssetError(f"no asset at {uri}")

    def get_file(self, uri, load):
        return _Held(load(self.mmdb))

    def find(self, pattern):
        return None


class _Held:
    def __init__(self, value):
        self.value = value


def sample_instance(found, means):
    data = found.sample["data"]
    parameters = dict(data.get("parameters") or {})
    parameters |= {name: data[name] for name in found.beside_parameters if name in data}
    return found.create(parameters, means)


def test_places_are_those_of_the_table():
    """Every configuration that Snowplow knows is taken, at its place."""
    taken = {name: found.runs_at for name in PLACES if (found := registry.find().of(name))}
    assert taken == PLACES


@pytest.mark.parametrize("found", CLASSES)
def test_declaration(found):
    contract.check_declaration(found)


@pytest.mark.parametrize("found", CLASSES)
def test_sample_is_valid(found, validator):
    contract.check_sample(found, validator)


@pytest.mark.parametrize("found", CLASSES)
def test_hostile_events(found, means):
    enrichment = sample_instance(found, means)
    try:
        contract.check_hostile_events(enrichment, found.fields)
    finally:
        enrichment.close()


@pytest.mark.parametrize("found", CLASSES)
def test_repeatable(found, means):
    enrichment = sample_instance(found, means)
    try:
        contract.check_repeatable(enrichment)
    finally:
        enrichment.close()


@pytest.mark.parametrize("found", CLASSES)
def test_switched_off_it_does_not_run(found, means, validator, tmp_path):
    folder = tmp_path / "enrichments"
    folder.mkdir()
    sample = {**found.sample, "data": {**found.sample["data"], "enabled": False}}
    import orjson

    (folder / "one.json").write_bytes(orjson.dumps(sample))
    loaded = configs.load(folder, validator, means, {})
    assert loaded.enrichments == []
    assert [(entry.on, entry.why_off) for entry in loaded.entries] == [(False, "enabled is false")]
