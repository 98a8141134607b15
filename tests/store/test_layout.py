"""DDL as text: golden files that a person can read, and every statement parsed by the engine.

``SNOWGAUGE_GOLDEN=write`` in the environment writes the files anew after an intended change.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.store.clickhouse.columns import ATOMIC_COLUMNS, Column, field_name, schema_column
from snowgauge.store.clickhouse.layout import Layout, features
from snowgauge.store.clickhouse.migrations import STEPS, VIEWS_STEP
from snowgauge.store.clickhouse.simple_snowplow.views import Views
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseConfigurationSettings, ClickHouseSettings, SimpleSnowplowSchemas

GOLDEN = Path(__file__).parent / "golden"
CASES: dict[str, dict[str, object]] = {
    "single": {},
    "cluster": {"cluster_name": "main"},
    "custom": {
        "database": "tracking",
        "tables": {
            "events": {"name": "hits", "ttl": "toDateTime(collector_tstamp) + INTERVAL 13 MONTH",
                       "partition_by": "toDate(collector_tstamp)", "settings": "index_granularity = 4096"},
            "failed_events": {"engine": "ReplacingMergeTree(version)"},
            "snowplow": {"local": {"name": "old.local"}},
        },
    },
}  # fmt: skip


def _statements(configuration: dict[str, object]) -> list[str]:
    layout = Layout(ClickHouseConfigurationSettings.model_validate(configuration))
    statements = [*layout.create_database(), *layout.create_ledgers()]
    for step in STEPS:
        statements += step.statements(layout)
        if step.version == VIEWS_STEP:
            statements += Views(SimpleSnowplowSchemas(), features("26.9")).statements(layout)
    column = Column("contexts_com_acme_cart_1", "Array(JSON)")
    return [*statements, *layout.add_columns("events", [(column, "iglu:com.acme/cart/jsonschema/1-*-*")])]


@pytest.mark.parametrize("name", CASES)
def test_the_ddl_is_the_golden_one(name: str) -> None:
    text = ";\n\n".join(_statements(CASES[name])) + ";\n"
    file = GOLDEN / f"{name}.sql"
    if os.environ.get("SNOWGAUGE_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", CASES)
def test_the_engine_can_parse_every_statement(clickhouse: ClickHouseStore, name: str) -> None:
    for statement in _statements(CASES[name]):
        assert clickhouse.connection.rows("SELECT formatQuery({sql:String})", {"sql": statement})


def test_the_cluster_layout_runs_but_for_the_cluster(clickhouse: ClickHouseStore) -> None:
    """What one engine allows: all statements without ON CLUSTER and replication, with Merge in Distributed's place."""
    database = f"{clickhouse.layout.database}_cluster"
    for statement in _statements({"database": database, "views_database": database, "cluster_name": "main"}):
        text = statement.replace(" ON CLUSTER `main`", "")
        text = re.sub(r"Replicated(\w+)\('[^']*', '[^']*'(?:, )?", r"\1(", text)
        text = re.sub(r"ENGINE = Distributed\('main', '(\w+)', '(\w+)', .*", r"ENGINE = Merge('\1', '^\2$')", text)
        clickhouse.connection.command(text)
    assert clickhouse.query(f"SELECT count() FROM {database}.distributed").rows == [[0]]
    assert clickhouse.query(f"SELECT contexts_com_acme_cart_1 FROM {database}.events").rows == []
    clickhouse.connection.command(f"DROP DATABASE {database}")


def test_leaves_merge_one_by_one() -> None:
    """Simple Snowplow loses the whole table description when one leaf is given."""
    settings = ClickHouseSettings.model_validate(
        {"configuration": {"tables": {"snowplow": {"local": {"engine": "ReplacingMergeTree()"}}}}}
    )
    assert settings.configuration.tables.snowplow.enabled
    assert settings.configuration.tables.events == ClickHouseSettings().configuration.tables.events


def test_the_columns_are_snowplows_in_their_order() -> None:
    assert [column.name for column in ATOMIC_COLUMNS] == [field.name for field in ATOMIC_FIELDS]


@pytest.mark.parametrize(
    ("uri", "event", "column"),
    [
        ("iglu:org.w3/PerformanceTiming/jsonschema/1-0-0", False, "contexts_org_w3_performance_timing_1"),
        ("iglu:com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0", True,
         "unstruct_event_com_snowplowanalytics_self_desc_schema_1"),
        ("iglu:com.Acme/IOSDevice/jsonschema/12-3-4", False, "contexts_com_acme_iosdevice_12"),
        ("iglu:com.acme/add-to_Cart/jsonschema/1-0-0", True, "unstruct_event_com_acme_add_to_cart_1"),
    ],
)  # fmt: skip
def test_schema_columns_are_named_as_snowplow_names_them(uri: str, event: bool, column: str) -> None:
    assert schema_column(SchemaKey.parse(uri), event=event) == column


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("iECompatibilityVersion", "i_e_compatibility_version"), ("gSAInstallationID", "g_sa_installation_id"),
        ("facebookFBOP", "facebook_fbop"), ("__utma", "__utma"), ("a.b-c d", "a_b_c_d"), ("1st", "_1st"), ("", "_"),
    ],
)  # fmt: skip
def test_keys_become_snake_case(key: str, name: str) -> None:
    assert field_name(key) == name


@pytest.mark.parametrize(
    ("version", "json"),
    [("22.11.1.1", ""), ("24.3.9", ""), ("24.8.1.1", "experimental"), ("25.2.1", "experimental"), ("25.3.1", "stable"),
     ("26.9.2.1", "stable"), ("", "")],
)  # fmt: skip
def test_the_json_type_is_used_where_it_is(version: str, json: str) -> None:
    assert features(version).json == json
