"""The embedded ClickHouse engine."""

from __future__ import annotations

from snowgauge.pipeline import build
from snowgauge.pipeline.reporters import reported
from snowgauge.pipeline.roles.process import mark_ready
from snowgauge.settings.model import Settings


@reported("clickhouse")
def run_engine(settings: Settings) -> None:
    """The embedded ClickHouse engine."""
    from snowgauge.store.clickhouse.engine import run

    engine = build.clickhouse_settings(settings).engine
    mark_ready(settings, "clickhouse-0")
    run(engine, engine.path or build.data_dir(settings) / "clickhouse")
