"""Tables are laid out, commented and widened as schemas arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.testing.events import described, web_page_view

ALL = Selection()
Open = Callable[..., PostgresStore]
ATOMIC = [
    "app_id",
    "platform",
    "etl_tstamp",
    "collector_tstamp",
    "dvce_created_tstamp",
    "event",
    "event_id",
    "txn_id",
    "name_tracker",
    "v_tracker",
    "v_collector",
    "v_etl",
    "user_id",
    "user_ipaddress",
    "user_fingerprint",
    "domain_userid",
    "domain_sessionidx",
    "network_userid",
    "geo_country",
    "geo_region",
    "geo_city",
    "geo_zipcode",
    "geo_latitude",
    "geo_longitude",
    "geo_region_name",
    "ip_isp",
    "ip_organization",
    "ip_domain",
    "ip_netspeed",
    "page_url",
    "page_title",
    "page_referrer",
    "page_urlscheme",
    "page_urlhost",
    "page_urlport",
    "page_urlpath",
    "page_urlquery",
    "page_urlfragment",
    "refr_urlscheme",
    "refr_urlhost",
    "refr_urlport",
    "refr_urlpath",
    "refr_urlquery",
    "refr_urlfragment",
    "refr_medium",
    "refr_source",
    "refr_term",
    "mkt_medium",
    "mkt_source",
    "mkt_term",
    "mkt_content",
    "mkt_campaign",
    "se_category",
    "se_action",
    "se_label",
    "se_property",
    "se_value",
    "tr_orderid",
    "tr_affiliation",
    "tr_total",
    "tr_tax",
    "tr_shipping",
    "tr_city",
    "tr_state",
    "tr_country",
    "ti_orderid",
    "ti_sku",
    "ti_name",
    "ti_category",
    "ti_price",
    "ti_quantity",
    "pp_xoffset_min",
    "pp_xoffset_max",
    "pp_yoffset_min",
    "pp_yoffset_max",
    "useragent",
    "br_name",
    "br_family",
    "br_version",
    "br_type",
    "br_renderengine",
    "br_lang",
    "br_features_pdf",
    "br_features_flash",
    "br_features_java",
    "br_features_director",
    "br_features_quicktime",
    "br_features_realplayer",
    "br_features_windowsmedia",
    "br_features_gears",
    "br_features_silverlight",
    "br_cookies",
    "br_colordepth",
    "br_viewwidth",
    "br_viewheight",
    "os_name",
    "os_family",
    "os_manufacturer",
    "os_timezone",
    "dvce_type",
    "dvce_ismobile",
    "dvce_screenwidth",
    "dvce_screenheight",
    "doc_charset",
    "doc_width",
    "doc_height",
    "tr_currency",
    "tr_total_base",
    "tr_tax_base",
    "tr_shipping_base",
    "ti_currency",
    "ti_price_base",
    "base_currency",
    "geo_timezone",
    "mkt_clickid",
    "mkt_network",
    "etl_tags",
    "dvce_sent_tstamp",
    "refr_domain_userid",
    "refr_dvce_tstamp",
    "domain_sessionid",
    "derived_tstamp",
    "event_vendor",
    "event_name",
    "event_format",
    "event_version",
    "event_fingerprint",
    "true_tstamp",
]
META = ["schema_vendor", "schema_name", "schema_format", "schema_version", "root_id", "root_tstamp"]


@pytest.fixture
def layout(sql: Callable[..., list[Any]]) -> Callable[[str], dict[str, str]]:
    def read(table: str) -> dict[str, str]:
        return dict(sql(
            "SELECT attname::text, format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' "
            "END FROM pg_attribute WHERE attrelid = ('atomic.' || quote_ident(%s))::regclass AND attnum > 0 "
            "AND NOT attisdropped ORDER BY attnum", table,
        ))  # fmt: skip

    return read


@pytest.fixture
def comment(sql: Callable[..., list[Any]]) -> Callable[[str], str]:
    return lambda table: sql("SELECT obj_description(('atomic.' || quote_ident(%s))::regclass)", table)[0][0]


def carrying(number: int, uri: str, data: Any) -> Any:
    return web_page_view(number, contexts=[described(uri, data)], derived_contexts=[])


def test_events_has_the_loaders_columns_in_order(open_store: Open, layout) -> None:
    open_store()
    found = layout("events")
    assert len(ATOMIC) == 128
    assert list(found) == [*ATOMIC, "load_tstamp", "contexts", "unstruct_event", "derived_contexts"]
    assert found["event_id"] == "uuid NOT NULL"
    assert found["collector_tstamp"] == "timestamp without time zone NOT NULL"
    assert found["domain_userid"] == "text"
    assert found["tr_total"] == "double precision"


def test_the_loaders_own_types_where_asked(open_store: Open, layout) -> None:
    open_store(types="snowplow", dbt_tables=True)
    found = layout("events")
    assert found["app_id"] == "character varying(255)"
    assert found["page_url"] == "character varying(4096)"
    assert found["geo_country"] == "character(2)"
    assert found["mkt_clickid"] == "character varying(128)"
    assert layout("com_snowplowanalytics_mobile_screen_view_1")["id"] == "uuid"
    assert layout("com_snowplowanalytics_snowplow_web_page_1")["id"] == "character varying(4096)"


def test_an_entity_has_its_table(open_store: Open, schemas, layout, comment, sql) -> None:
    uri = "iglu:com.acme/userProfile/jsonschema/1-0-0"
    schemas.add(uri, properties={
        "userName": {"type": "string"}, "age": {"type": "integer", "maximum": 200}, "tags": {"type": "array"},
        "address": {"type": "object", "properties": {"zipCode": {"type": "string", "maxLength": 10}}},
        "born": {"type": "string", "format": "date"}, "seen": {"type": "string", "format": "date-time"},
        "loop": {"type": "boolean"},
    })  # fmt: skip
    data = {"userName": "Ann\t\\", "age": 30, "tags": ["a", {"b": 1}], "address": {"zipCode": "10115"},
            "born": "1990-02-03", "seen": "2024-05-01T14:00:00+02:00", "loop": False, "unknown": 1}  # fmt: skip
    event = carrying(1, uri, data)
    open_store().write(StoreBatch("b1", [event]))
    assert layout("com_acme_user_profile_1") == {
        "schema_vendor": "character varying(128)", "schema_name": "character varying(128)",
        "schema_format": "character varying(128)", "schema_version": "character varying(128)", "root_id": "uuid",
        "root_tstamp": "timestamp without time zone", "address.zip_code": "character varying(10)", "age": "integer",
        "born": "date", "loop": "boolean", "seen": "timestamp without time zone", "tags": "jsonb", "user_name": "text",
    }  # fmt: skip
    assert comment("com_acme_user_profile_1") == uri
    [row] = sql(
        "SELECT schema_vendor, schema_name, schema_format, schema_version, root_id::text, root_tstamp::text, "
        '"address.zip_code", age, born::text, "loop", seen::text, tags, user_name FROM atomic.com_acme_user_profile_1'
    )
    assert row == (
        "com.acme", "userProfile", "jsonschema", "1-0-0", event.event_id, "2024-05-01 12:00:01",
        "10115", 30, "1990-02-03", False, "2024-05-01 12:00:00", ["a", {"b": 1}], "Ann\t\\",
    )  # fmt: skip
    assert sql("SELECT count(*) FROM atomic.events JOIN atomic.com_acme_user_profile_1 "
               "ON event_id = root_id AND collector_tstamp = root_tstamp") == [(1,)]  # fmt: skip


def test_events_and_entities_of_one_schema_share_a_table(open_store: Open, schemas, sql) -> None:
    uri = "iglu:com.acme/thing/jsonschema/1-0-0"
    schemas.add(uri, properties={"n": {"type": "integer"}})
    one = described(uri, {"n": 1})
    open_store().write(
        StoreBatch("b1", [web_page_view(1, contexts=[one, one], derived_contexts=[one], unstruct_event=one)])
    )
    assert sql("SELECT count(*), min(n), max(n) FROM atomic.com_acme_thing_1") == [(4, 1, 1)]


def test_a_newer_version_adds_columns_and_widens_texts(open_store: Open, schemas, layout, comment, sql) -> None:
    old, new = "iglu:com.acme/cart/jsonschema/1-0-0", "iglu:com.acme/cart/jsonschema/1-1-0"
    schemas.add(old, properties={"b": {"type": "string", "maxLength": 5}, "a": {"type": "integer"}})
    store = open_store()
    store.write(StoreBatch("b1", [carrying(1, old, {"b": "short", "a": 1})]))
    assert list(layout("com_acme_cart_1")) == [*META, "a", "b"]
    schemas.add(new, properties={
        "b": {"type": "string", "maxLength": 50}, "a": {"type": "integer"}, "z": {"type": "number"},
        "c": {"type": "string"}}, required=["z"])  # fmt: skip
    store.write(StoreBatch("b2", [carrying(2, new, {"b": "much longer", "a": 2, "z": 1.5, "c": "x"}),
                                  carrying(3, old, {"b": "old", "a": 3})]))  # fmt: skip
    found = layout("com_acme_cart_1")
    assert list(found) == [*META, "a", "b", "z", "c"]
    assert found["b"] == "character varying(50)"
    assert found["z"] == "double precision"
    assert comment("com_acme_cart_1") == new
    assert sql("SELECT schema_version, a, b, z, c FROM atomic.com_acme_cart_1 ORDER BY a") == [
        ("1-0-0", 1, "short", None, None),
        ("1-1-0", 2, "much longer", 1.5, "x"),
        ("1-0-0", 3, "old", None, None),
    ]


def test_another_worker_with_older_schemas_takes_nothing_back(open_store: Open, bundled, schemas, comment) -> None:
    old, new = "iglu:com.acme/cart/jsonschema/1-0-0", "iglu:com.acme/cart/jsonschema/1-0-1"
    behind = type(schemas)(bundled)
    behind.add(old, properties={"a": {"type": "integer"}})
    schemas.add(old, properties={"a": {"type": "integer"}})
    schemas.add(new, properties={"a": {"type": "integer"}, "b": {"type": "string"}})
    open_store(schemas).write(StoreBatch("b1", [carrying(1, new, {"a": 1, "b": "x"})]))
    result = open_store(behind).write(StoreBatch("b2", [carrying(2, old, {"a": 2})]))
    assert (result.events, result.refused) == (1, 0)
    assert comment("com_acme_cart_1") == new


def test_a_registry_that_cannot_list_gives_the_same_columns(open_store: Open, schemas, layout, monkeypatch) -> None:
    for addition in range(3):
        schemas.add(f"iglu:com.acme/cart/jsonschema/1-0-{addition}",
                    properties={f"c{n}": {"type": "integer"} for n in range(3, 2 - addition, -1)})  # fmt: skip
    monkeypatch.setattr(schemas, "versions", lambda *_: [])
    open_store().write(StoreBatch("b1", [carrying(1, "iglu:com.acme/cart/jsonschema/1-0-2", {"c1": 1})]))
    assert list(layout("com_acme_cart_1")) == [*META, "c3", "c2", "c1"]


def test_long_names_of_two_models_do_not_meet(open_store: Open, schemas, sql) -> None:
    name = "a" * 60
    for model in (1, 2):
        schemas.add(f"iglu:com.acme/{name}/jsonschema/{model}-0-0", properties={"n": {"type": "integer"}})
    store = open_store()
    for model in (1, 2, 1, 2):
        number = store.count("good", ALL)
        uri = f"iglu:com.acme/{name}/jsonschema/{model}-0-0"
        store.write(StoreBatch(f"b{number}", [carrying(number, uri, {"n": model})]))
    tables = [row[0] for row in sql("SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname LIKE "
                                    "'com_acme_aaa%%' ORDER BY length(relname), relname", )]  # fmt: skip
    assert len(tables) == 2
    for table in tables:
        [(count, kinds)] = sql(f"SELECT count(*), count(DISTINCT n) FROM atomic.{table}")
        assert (count, kinds) == (2, 1)
    # and what spells the first one in full still finds it
    assert sql(f"SELECT count(*) FROM atomic.com_acme_{name}_1") == [(2,)]


def test_an_incompatible_version_goes_to_a_table_beside(open_store: Open, schemas, sql) -> None:
    old, new = "iglu:com.acme/price/jsonschema/1-0-0", "iglu:com.acme/price/jsonschema/1-0-1"
    schemas.add(old, properties={"amount": {"type": "integer"}})
    schemas.add(new, properties={"amount": {"type": "string"}})
    store = open_store()
    result = store.write(StoreBatch("b1", [carrying(1, old, {"amount": 5}), carrying(2, new, {"amount": "five"})]))
    assert (result.events, result.refused) == (2, 0)
    assert sql("SELECT amount FROM atomic.com_acme_price_1") == [(5,)]
    [(table,)] = sql("SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname LIKE '%_recovered_%'")
    assert table.startswith("com_acme_price_1_0_1_recovered_")
    assert sql(f"SELECT schema_version, amount FROM atomic.{table}") == [("1-0-1", "five")]
    store.write(StoreBatch("b2", [carrying(3, new, {"amount": "six"})]))
    assert sql(f"SELECT count(*) FROM atomic.{table}") == [(2,)]


def test_a_text_that_a_view_keeps_narrow_goes_to_a_table_beside(open_store: Open, schemas, sql) -> None:
    old, new = "iglu:com.acme/note/jsonschema/1-0-0", "iglu:com.acme/note/jsonschema/1-0-1"
    schemas.add(old, properties={"t": {"type": "string", "maxLength": 3}})
    store = open_store()
    store.write(StoreBatch("b1", [carrying(1, old, {"t": "abc"})]))
    sql("CREATE VIEW seen AS SELECT t FROM atomic.com_acme_note_1")
    schemas.add(new, properties={"t": {"type": "string", "maxLength": 30}})
    result = store.write(StoreBatch("b2", [carrying(2, new, {"t": "longer"}), carrying(3, new, {"t": "abc"})]))
    assert (result.events, result.refused) == (2, 0)
    assert sql("SELECT count(*) FROM seen") == [(2,)]


def test_a_schema_that_nobody_has_fails_its_events_only(open_store: Open) -> None:
    store = open_store()
    batch = StoreBatch("b1", [web_page_view(1), carrying(2, "iglu:com.acme/none/jsonschema/1-0-0", {}),
                              web_page_view(3)])  # fmt: skip
    result = store.write(batch)
    assert (result.events, result.refused) == (2, 1)
    [failed] = store.events("failed", ALL)
    assert failed["failure_type"] == "loader_iglu_error"
    assert failed["schema"] == "iglu:com.acme/none/jsonschema/1-0-0"
    [failure] = failed["data"]["failure"]
    assert failure["schemaKey"] == "iglu:com.acme/none/jsonschema/1-0-0"
    assert failure["error"]["error"] == "ResolutionError"
    assert failure["error"]["lookupHistory"][0]["repository"] == "Test"
    assert failed["data"]["payload"]["event_id"] == batch.events[1].event_id


def test_a_value_too_large_for_its_type_fails_its_event_only(open_store: Open, schemas) -> None:
    uri = "iglu:com.acme/big/jsonschema/1-0-0"
    schemas.add(uri, properties={"n": {"type": "integer"}})
    store = open_store()
    events = [carrying(number, uri, {"n": 2**62 * (1 + number % 2)}) for number in range(10)]
    result = store.write(StoreBatch("b1", events))
    assert (result.events, result.refused) == (5, 5)
    found = store.events("failed", ALL)
    assert {one["failure_type"] for one in found} == {"loader_iglu_error"}
    assert "64-bit" in found[0]["message"]


def test_a_schema_of_too_many_properties_still_has_a_table(open_store: Open, schemas, sql) -> None:
    uri = "iglu:com.acme/wide/jsonschema/1-0-0"
    schemas.add(uri, properties={f"p{n:04}": {"type": "integer"} for n in range(2000)})
    store = open_store()
    assert store.write(StoreBatch("b1", [carrying(1, uri, {"p0001": 1, "p1999": 2})])).refused == 0
    assert sql("SELECT p0001 FROM atomic.com_acme_wide_1") == [(1,)]
    assert store.events("good", ALL)[0]["contexts"]["data"][0]["data"]["p1999"] == 2


def test_nested_names_with_underscores_where_asked(open_store: Open, schemas, layout) -> None:
    uri = "iglu:com.acme/nest/jsonschema/1-0-0"
    schemas.add(uri, properties={"a": {"type": "object", "properties": {"b": {"type": "integer"}}},
                                 "a_b": {"type": "integer"}})  # fmt: skip
    store = open_store(nested_separator="_")
    store.write(StoreBatch("b1", [carrying(1, uri, {"a": {"b": 7}})]))
    assert list(layout("com_acme_nest_1")) == [*META, "a_b"]
    assert store.query("SELECT a_b FROM atomic.com_acme_nest_1").rows == [[7]]


def test_the_tables_that_dbt_packages_read_are_there_from_the_start(open_store: Open, layout, comment) -> None:
    open_store(dbt_tables=True)
    found = layout("com_snowplowanalytics_snowplow_consent_preferences_1")
    assert found["consent_scopes"] == found["domains_applied"] == "text"
    assert layout("com_snowplowanalytics_snowplow_client_session_1")["session_id"] == "character varying(36)"
    assert comment("com_snowplowanalytics_snowplow_web_page_1").startswith(
        "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-"
    )
    for table in (
        "com_iab_snowplow_spiders_and_robots_1",
        "com_snowplowanalytics_snowplow_ua_parser_context_1",
        "nl_basjes_yauaa_context_1",
        "com_snowplowanalytics_snowplow_web_vitals_1",
        "com_snowplowanalytics_snowplow_cmp_visible_1",
        "com_snowplowanalytics_mobile_screen_view_1",
    ):
        assert list(layout(table))[:6] == META


def test_a_database_of_snowplows_loader_is_taken_over(open_store: Open, sql, layout, schemas) -> None:
    sql("CREATE SCHEMA atomic")
    columns = ", ".join(
        f'"{name}" ' + ("UUID NOT NULL" if name == "event_id" else "TIMESTAMP" if name.endswith("_tstamp")
                        else "INTEGER" if name in ("txn_id", "domain_sessionidx", "page_urlport", "refr_urlport",
                                                   "ti_quantity") or name.startswith(("pp_", "doc_w", "doc_h",
                                                   "dvce_screen", "br_view"))
                        else "BOOLEAN" if name.startswith("br_features") or name in ("br_cookies", "dvce_ismobile")
                        else "DOUBLE PRECISION" if name in ("geo_latitude", "geo_longitude", "se_value", "tr_total",
                                                            "tr_tax", "tr_shipping", "ti_price", "tr_total_base",
                                                            "tr_tax_base", "tr_shipping_base", "ti_price_base")
                        else "VARCHAR(255)" + (" NOT NULL" if name in ("v_collector", "v_etl") else ""))
        for name in ATOMIC
    )  # fmt: skip
    sql(f"CREATE TABLE atomic.events ({columns})")
    sql("CREATE TABLE atomic.com_snowplowanalytics_snowplow_web_page_1 (schema_vendor VARCHAR(128), schema_name "
        "VARCHAR(128), schema_format VARCHAR(128), schema_version VARCHAR(128), root_id UUID, root_tstamp TIMESTAMP, "
        "id VARCHAR(4096) NOT NULL)")  # fmt: skip
    sql("COMMENT ON TABLE atomic.com_snowplowanalytics_snowplow_web_page_1 IS "
        "'iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0'")  # fmt: skip
    sql("CREATE VIEW seen AS SELECT se_label FROM atomic.events")
    store = open_store()
    result = store.write(
        StoreBatch("b1", [web_page_view(1, page_title="x" * 300), web_page_view(2, se_label="x" * 300)])
    )
    assert (result.events, result.refused) == (1, 1)
    [failed] = store.events("failed", ALL)
    assert failed["failure_type"] == "loader_runtime_error"
    assert failed["message"] == "value too long for type character varying(255)"
    assert sql("SELECT count(*) FROM atomic.com_snowplowanalytics_snowplow_web_page_1") == [(1,)]
    assert layout("com_snowplowanalytics_snowplow_web_page_1")["id"].startswith("text")
    assert store.events("good", ALL)[0]["contexts"] is not None


def test_a_table_without_a_comment_is_ours_when_its_columns_fit(open_store: Open, schemas, sql, comment) -> None:
    uri = "iglu:com.acme/bare/jsonschema/1-0-0"
    schemas.add(uri, properties={"n": {"type": "integer"}})
    store = open_store()
    sql("CREATE TABLE atomic.com_acme_bare_1 (schema_vendor TEXT, schema_name TEXT, schema_format TEXT, "
        "schema_version TEXT, root_id UUID, root_tstamp TIMESTAMP)")  # fmt: skip
    sql("CREATE VIEW atomic.com_acme_other_1 AS SELECT 1 AS n")
    schemas.add("iglu:com.acme/other/jsonschema/1-0-0", properties={"n": {"type": "integer"}})
    store.write(StoreBatch("b1", [carrying(1, uri, {"n": 3}),
                                  carrying(2, "iglu:com.acme/other/jsonschema/1-0-0", {"n": 4})]))  # fmt: skip
    assert sql("SELECT n FROM atomic.com_acme_bare_1") == [(3,)]
    assert comment("com_acme_bare_1") == uri
    assert store.count("good", ALL) == 2


def test_a_dropped_table_is_made_again(open_store: Open, schemas, sql) -> None:
    uri = "iglu:com.acme/gone/jsonschema/1-0-0"
    schemas.add(uri, properties={"n": {"type": "integer"}})
    store = open_store()
    store.write(StoreBatch("b1", [carrying(1, uri, {"n": 1})]))
    sql("DROP TABLE atomic.com_acme_gone_1")
    assert store.write(StoreBatch("b2", [carrying(2, uri, {"n": 2})])).events == 1
    assert sql("SELECT n FROM atomic.com_acme_gone_1") == [(2,)]


def test_months_are_partitions(open_store: Open, sql) -> None:
    store = open_store(partitioning="monthly")
    month = 31 * 86_400_000
    events = [web_page_view(n, collector_tstamp=web_page_view(0).collector_tstamp + n * month) for n in range(3)]
    store.write(StoreBatch("b1", [*events, web_page_view(9, collector_tstamp=-62135596800001),
                                  web_page_view(10, collector_tstamp=253402300800000)]))  # fmt: skip
    partitions = {row[0] for row in sql("SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class c ON "
                                        "c.oid = inhrelid WHERE c.relkind = 'r'")}  # fmt: skip
    assert {
        "atomic.events_y2024m05",
        "atomic.events_y2024m06",
        "atomic.events_y2024m07",
        "atomic.events_yfar_past",
        "atomic.events_yfar_future",
        "atomic.com_snowplowanalytics_snowplow_web_page_1_y2024m06",
    } <= partitions
    assert sql("SELECT count(*) FROM atomic.events_y2024m06") == [(1,)]
    assert store.count("good", ALL) == 5
    assert store.events("good", ALL, limit=1)[0]["collector_tstamp"] == "10000-01-01 00:00:00.000"
    assert store.events("good", ALL, newest_first=False, limit=1)[0]["collector_tstamp"].startswith("0000-12-31")
    sql("DROP TABLE atomic.events_y2024m06")
    assert store.count("good", ALL) == 4
