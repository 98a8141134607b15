"""Names of tables and columns are those of Postgres loader 0.3.3."""

import pytest

from snowgauge.store.postgres.naming import column_name, cut, free_table_name, snake, table_name


@pytest.mark.parametrize(
    ("vendor", "name", "model", "table"),
    [
        ("com.acme", "PascalCase", 13, "com_acme_pascal_case_13"),
        ("org.w3", "PerformanceTiming", 1, "org_w3_performance_timing_1"),
        ("com.snowplowanalytics.snowplow", "link_click", 1, "com_snowplowanalytics_snowplow_link_click_1"),
        ("me.chuwy", "pg-test", 1, "me_chuwy_pg_test_1"),
        ("nl.basjes", "yauaa_context", 1, "nl_basjes_yauaa_context_1"),
        ("com.Acme-Shop", "IOSDevice", 2, "com_acme_shop_ios_device_2"),
    ],
)
def test_table_names(vendor, name, model, table):
    assert table_name(vendor, name, model) == table


@pytest.mark.parametrize(
    ("name", "snaked"),
    [
        ("iECompatibilityVersion", "i_e_compatibility_version"),
        ("gSAInstallationID", "g_sa_installation_id"),
        ("facebookFBOP", "facebook_fbop"),
        ("__utma", "__utma"),
        ("useragentFamily", "useragent_family"),
        ("already_snake", "already_snake"),
        ("a1B", "a1_b"),
        ("with-hyphen", "with_hyphen"),
    ],
)
def test_snake_case(name, snaked):
    assert snake(name) == snaked


def test_a_long_name_is_cut_as_postgresql_cuts_it_and_hashed_only_when_taken():
    full = table_name("com.snowplowanalytics.snowplow.media", "picture_in_picture_change_event", 1)
    assert len(full) == 70
    name = free_table_name(full, set(), "media/1")
    assert name == full[:63]
    other = free_table_name(full, {name}, "media/2")
    assert other != name
    assert len(other) == 63
    assert other.startswith(full[:54] + "_")


def test_a_name_is_never_cut_inside_a_character():
    assert cut("é" * 40) == "é" * 31


@pytest.mark.parametrize("path", [("schemaName",), ("rootId",), ("xmin",), ("",), ("\x00",), ("\ud800",)])
def test_names_that_no_column_can_have_are_replaced(path):
    name = column_name(path, ".")
    assert name
    assert "\x00" not in name
    assert name not in ("schema_name", "root_id", "xmin")
    name.encode()


def test_nested_names_are_joined():
    assert column_name(("payload", "rawData", "ipAddress"), ".") == "payload.raw_data.ip_address"
    assert column_name(("payload", "rawData"), "_") == "payload_raw_data"
