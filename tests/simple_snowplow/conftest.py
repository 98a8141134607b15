"""One embedded engine for all tests of the folder; each test that asks for a store gets databases of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.engine import EngineProcess

_numbers = count(1)

REFERENCE_TABLE = """
CREATE TABLE {table} (
    app_id LowCardinality(String),
    platform Enum8('web'=1,'mob'=2,'pc'=3,'srv'=4,'app'=5,'tv'=6,'cnsl'=7,'iot'=8),
    app_info Tuple(version String, build String),
    page String, referer String,
    event_type Enum8('pv'=1,'pp'=2,'ue'=3,'se'=4,'tr'=5,'ti'=6,'s'=7),
    event_id UUID, view_id UUID, session_id UUID, visit_count UInt64,
    session Tuple(event_index UInt64, previous_session_id UUID, first_event_id UUID,
        first_event_time DateTime64(3,'UTC'), storage_mechanism String, unstructured JSON),
    amp JSON, device_id UUID, user_id String,
    time DateTime64(3,'UTC'),
    time_extra Tuple(received DateTime64(3,'UTC'), sent DateTime64(3,'UTC')),
    timezone String, title String, screen JSON, page_data JSON, user_data JSON, user_ip IPv4, geolocation JSON,
    user_agent String,
    browser Tuple(family String, version String, extra JSON),
    os Tuple(family String, version String, language String),
    device Tuple(brand String, model String, extra JSON),
    device_is Tuple(mobile Bool, tablet Bool, touch Bool, pc Bool, bot Bool),
    resolution Tuple(browser String, viewport String, page String),
    event Tuple(action String, category String, label String, property JSON, value Float32, unstructured JSON),
    extra JSON,
    tracker Tuple(version String, namespace String),
    app LowCardinality(String) MATERIALIZED if(platform = 'mob', tracker.namespace, app_id)
) ENGINE = MergeTree() PARTITION BY toYYYYMM(time)
ORDER BY (app, platform, app_id, event_type, toDate(time), event.category, event.action, page, device_id,
    cityHash64(device_id), session_id, time)
SAMPLE BY cityHash64(device_id) SETTINGS index_granularity = 8192
"""


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(Path(tmp_path_factory.mktemp("engine")) / "data", sync=False).start()
    yield process
    process.stop()


@pytest.fixture
def store(engine: EngineProcess) -> Iterator[ClickHouseStore]:
    number = next(_numbers)
    settings = ClickHouseSettings.model_validate(
        {"configuration": {"database": f"atomic_{number}", "views_database": f"snowplow_{number}"}}
    )
    made = ClickHouseStore(settings, engine_connection(settings, engine.url))
    made.migrate()
    yield made
    made.connection.command(f"DROP DATABASE `{made.layout.database}`")
    made.connection.command(f"DROP DATABASE `{made.layout.settings.views_database}`")
    made.close()


@pytest.fixture
def reference_table(store: ClickHouseStore) -> Iterator[str]:
    """An empty table as Simple Snowplow's `db init` makes it, on the same server."""
    database = f"{store.layout.database}_old"
    store.connection.command(f"CREATE DATABASE {database}")
    store.connection.command(REFERENCE_TABLE.format(table=f"{database}.local"))
    yield f"{database}.local"
    store.connection.command(f"DROP DATABASE {database}")
