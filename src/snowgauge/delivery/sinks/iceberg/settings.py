"""Settings of the Iceberg tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from snowgauge.delivery.backends import SinkSettings
from snowgauge.delivery.contract import Sink
from snowgauge.errors import SettingsError
from snowgauge.part_settings import Secret
from snowgauge.store.base import EventKind


class IcebergSettings(SinkSettings):
    """Iceberg tables `events`, `failed_events` and `incomplete_events`, partitioned by day. Needs the extra
    `snowgauge[iceberg]`."""

    catalog: Literal["", "sql", "rest"] = ""
    """Kind of catalog: `sql` (a database that SQLAlchemy reaches) or `rest`. Not set: none are written."""

    uri: Secret = Secret("")
    """Address of the catalog, such as `sqlite:////var/lib/iceberg/catalog.db`,
    `postgresql+psycopg://user:password@host/catalog` or `https://catalog.example.com`."""

    name: str = Field(default="snowgauge", min_length=1)
    """Name of the catalog. A database may hold several, each with tables of its own: who reads gives the same name."""

    warehouse: str = ""
    """Where tables lie: a folder such as `file:///var/lib/iceberg`, `s3://bucket/prefix`, or a REST catalog's name."""

    namespace: str = Field(default="snowplow", pattern="^[A-Za-z0-9_]+$")
    """Namespace of the tables, which is made where it is missing."""

    kinds: list[EventKind] = Field(default=["good"], min_length=1)
    """Which of `good`, `failed` and `incomplete` are written."""

    properties: dict[str, Secret] = {}
    """Properties of pyiceberg's catalog, such as `token`, `s3.endpoint`, `s3.access-key-id`, `s3.secret-access-key`."""

    @model_validator(mode="after")
    def _reachable(self) -> IcebergSettings:
        if self.catalog and not self.uri.get_secret_value():
            raise ValueError("a catalog needs its uri")
        if self.catalog == "sql" and not self.warehouse:
            raise ValueError("a catalog of the kind sql needs a warehouse, such as file:///var/lib/iceberg")
        return self

    def open(self, name: str, data_dir: Path) -> Mapping[str, Sink]:  # noqa: ARG002 - nothing of it is kept here
        if not self.catalog:
            return {}
        try:
            from snowgauge.delivery.sinks.iceberg.sink import opened
        except ImportError as error:
            raise SettingsError(f"sinks.iceberg needs pyiceberg ({error}): pip install 'snowgauge[iceberg]'") from None
        return {name: opened(self)}
