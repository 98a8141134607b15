"""Settings of the files of JSON lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from snowgauge.delivery.backends import SinkSettings
from snowgauge.delivery.contract import Sink
from snowgauge.store.base import EventKind


class JsonLinesSettings(SinkSettings):
    """Files of JSON lines: events as Snowplow's analytics SDKs make them, failed events as bad rows."""

    folder: Path | None = None
    """Folder to write to: `good/2026-05-01/<batch>.jsonl`. Each batch is one file for each kind and day. Not set: none
    are written. Relative to `common.data_dir`."""

    kinds: list[EventKind] = Field(default=["good", "failed"], min_length=1)
    """Which of `good`, `failed` and `incomplete` are written."""

    def open(self, name: str, data_dir: Path) -> Mapping[str, Sink]:
        if self.folder is None:
            return {}
        from snowgauge.delivery.sinks.json_lines.sink import JsonLines

        return {name: JsonLines(data_dir / self.folder, self.kinds)}
