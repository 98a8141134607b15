"""IP lookups over databases written here."""

from pathlib import Path

import pytest

from snowgauge.enrich.enrichments.ip_lookups import IpLookups
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.testing.enriching import means_with, source_with
from snowgauge.testing.mmdb import write_mmdb

CITY = {
    "country": {"iso_code": "FR", "names": {"en": "France"}},
    "subdivisions": [
        {"iso_code": "IDF", "names": {"en": "Ile-de-France"}},
        {"iso_code": "75", "names": {"en": "Paris"}},
    ],
    "city": {"names": {"en": "Paris", "fr": "Paris"}},
    "postal": {"code": "75001"},
    "location": {"latitude": 48.8566, "longitude": 2.3522, "time_zone": "Europe/Paris"},
}
PARIS = {
    "geo_country": "FR",
    "geo_region": "75",
    "geo_region_name": "Paris",
    "geo_city": "Paris",
    "geo_zipcode": "75001",
    "geo_timezone": "Europe/Paris",
    "geo_latitude": 48.8566,
    "geo_longitude": 2.3522,
}


@pytest.fixture
def folder(tmp_path):
    write_mmdb(
        tmp_path / "GeoLite2-City.mmdb",
        {"198.51.100.0/24": CITY, "203.0.113.0/24": {"country": {"iso_code": "JP"}}, "2001:db8::/32": CITY},
        "GeoLite2-City",
    )
    write_mmdb(
        tmp_path / "GeoIP2-ISP.mmdb",
        {
            "198.51.100.0/24": {
                "isp": "Acme Net",
                "organization": "Acme\tCorp",
                "autonomous_system_number": 64496,
                "autonomous_system_organization": "ACME",
            }
        },
        "GeoIP2-ISP",
    )
    write_mmdb(tmp_path / "GeoIP2-Domain.mmdb", {"198.51.100.0/24": {"domain": "acme.example"}}, "GeoIP2-Domain")
    write_mmdb(
        tmp_path / "GeoIP2-Connection-Type.mmdb",
        {"198.51.100.0/24": {"connection_type": "Cable/DSL"}},
        "GeoIP2-Connection-Type",
    )
    write_mmdb(
        tmp_path / "GeoLite2-ASN.mmdb",
        {
            "198.51.100.0/24": {"autonomous_system_number": 1},
            "203.0.113.0/24": {"autonomous_system_number": 64497, "autonomous_system_organization": "Two"},
        },
        "GeoLite2-ASN",
    )
    return tmp_path


def looked_up(folder, address, *kinds):
    names = {
        "geo": "GeoLite2-City.mmdb",
        "isp": "GeoIP2-ISP.mmdb",
        "domain": "GeoIP2-Domain.mmdb",
        "connectionType": "GeoIP2-Connection-Type.mmdb",
        "asn": "GeoLite2-ASN.mmdb",
    }
    parameters = {kind: {"database": names[kind], "uri": f"file://{folder}"} for kind in kinds}
    enrichment = IpLookups.create(parameters, means_with())
    event = EnrichedEvent(user_ipaddress=address)
    entities = enrichment.enrich(event, source_with())
    columns = {name: getattr(event, name) for name in IpLookups.fields if getattr(event, name) is not None}
    return columns, [entity.as_json() for entity in entities]


@pytest.mark.parametrize(
    "address",
    ["198.51.100.7", "198.51.100.7:5678", "2001:db8::1", "[2001:db8::1]:443", "[2001:db8::1]", "2001:db8::1%eth0"],
)
def test_city(folder, address):
    assert looked_up(folder, address, "geo") == (PARIS, [])


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "localhost", "unknown", "1.2.3", "", "198.51.100.x", "::ffff:0:0:0:0:1"]
)
def test_what_is_not_found_sets_nothing(folder, address):
    assert looked_up(folder, address, "geo", "isp", "domain", "connectionType", "asn") == ({}, [])


def test_a_city_record_without_location_lies_at_zero(folder):
    assert looked_up(folder, "203.0.113.9", "geo")[0] == {
        "geo_country": "JP",
        "geo_latitude": 0.0,
        "geo_longitude": 0.0,
    }


def test_a_country_database_gives_no_location(tmp_path):
    write_mmdb(tmp_path / "GeoLite2-City.mmdb", {"203.0.113.0/24": {"country": {"iso_code": "JP"}}}, "DBIP-Country")
    assert looked_up(tmp_path, "203.0.113.9", "geo")[0] == {"geo_country": "JP"}


def test_isp_domain_and_connection(folder):
    columns, entities = looked_up(folder, "198.51.100.7", "isp", "domain", "connectionType")
    assert columns == {
        "ip_isp": "Acme Net",
        "ip_organization": "Acme    Corp",
        "ip_domain": "acme.example",
        "ip_netspeed": "Cable/DSL",
    }
    asn = {"number": 64496, "organization": "ACME"}
    assert entities == [{"schema": "iglu:com.snowplowanalytics.snowplow/asn/jsonschema/1-0-1", "data": asn}]


def test_the_isp_database_counts_before_the_asn_database(folder):
    assert looked_up(folder, "198.51.100.7", "asn", "isp")[1][0]["data"]["number"] == 64496
    assert looked_up(folder, "203.0.113.7", "asn", "isp")[1][0]["data"] == {"number": 64497, "organization": "Two"}


def test_an_organization_that_is_absent_is_left_out(folder):
    assert looked_up(folder, "198.51.100.7", "asn")[1][0]["data"] == {"number": 1}


def test_a_refreshed_database_is_used_from_the_next_event_on(folder):
    means = means_with()
    uri = f"file://{folder}"
    enrichment = IpLookups.create({"geo": {"database": "GeoLite2-City.mmdb", "uri": uri}}, means)
    before, after = EnrichedEvent(user_ipaddress="198.51.100.7"), EnrichedEvent(user_ipaddress="198.51.100.7")
    enrichment.enrich(before, source_with())
    newer = write_mmdb(folder / "newer.mmdb", {"198.51.100.0/24": {"country": {"iso_code": "DE"}}}, "X-City")
    (held,) = means.assets.handed_out.values()
    held.value = type(held.value)(str(newer))
    enrichment.enrich(after, source_with())
    assert (before.geo_country, after.geo_country) == ("FR", "DE")


def test_by_default_it_takes_what_lies_in_the_data_folder(folder):
    means = means_with()
    means.assets.find = lambda pattern: next((path.as_uri() for path in sorted(folder.glob(pattern))), None)
    enrichment = IpLookups.create({}, means)
    event = EnrichedEvent(user_ipaddress="198.51.100.7")
    entities = enrichment.enrich(event, source_with())
    assert (event.geo_city, event.ip_isp, entities[0].data["number"]) == ("Paris", "Acme Net", 64496)


def test_by_default_it_is_off_without_a_database():
    assert IpLookups.create({}, means_with()) is None


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "GeoLite2-City.mmdb").write_bytes(b"<html>not found</html>")
    parameters = {"geo": {"database": "GeoLite2-City.mmdb", "uri": Path(tmp_path).as_uri()}}
    with pytest.raises(ValueError, match="not a MaxMind database"):
        IpLookups.create(parameters, means_with())
