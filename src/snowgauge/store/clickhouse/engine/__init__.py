"""ClickHouse as a library (chDB) behind ClickHouse's own HTTP interface, in a process of its own."""

from snowgauge.store.clickhouse.engine.server import EngineServer, run

__all__ = ["EngineServer", "run"]
