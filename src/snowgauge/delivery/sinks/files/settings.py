"""Settings of the lake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, field_validator

from snowgauge.delivery.backends import SinkSettings
from snowgauge.delivery.contract import Sink
from snowgauge.part_settings import Secret
from snowgauge.store.base import EventKind


class FilesSettings(SinkSettings):
    """Parquet files in a folder or in object storage. Needs the extra `snowgauge[parquet]`, and for object storage
    `snowgauge[s3]`, `[gcs]` or `[azure]`."""

    url: str = ""
    """Where to: a folder, relative to `common.data_dir`, or `s3://bucket/prefix`, `gs://...`, `abfs://...`. Not set:
    none are written. A file is `good/day=2026-05-01/name=page_view/<batch>.parquet`."""

    kinds: list[EventKind] = Field(default=["good"], min_length=1)
    """Which of `good`, `failed` and `incomplete` are written."""

    options: dict[str, Secret] = {}
    """Options of the storage's driver, such as `key`, `secret` and `endpoint_url` of s3fs. Not set: credentials are
    found as the storage's own tools find them."""

    @field_validator("url")
    @classmethod
    def _without_credentials(cls, url: str) -> str:
        if "://" in url and "@" in url.partition("://")[2].partition("/")[0]:
            raise ValueError("credentials do not belong into the URL: put them into options")
        return url

    def open(self, name: str, data_dir: Path) -> Mapping[str, Sink]:
        if not self.url:
            return {}
        from snowgauge.delivery.sinks.files.place import place_at
        from snowgauge.delivery.sinks.files.sink import ParquetFiles

        options = {key: secret.get_secret_value() for key, secret in self.options.items()}
        return {name: ParquetFiles(place_at(self.url, data_dir, options), self.kinds)}
