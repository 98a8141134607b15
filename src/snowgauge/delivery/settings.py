"""Settings of delivery: the event log and the sinks, nested per backend."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
from pydantic import Field, field_validator

from snowgauge.delivery.backends import BatchLimits, LogPlace, LogSettings, SinkSettings, Streams
from snowgauge.delivery.contract import EventLog, Sink
from snowgauge.delivery.dead_letters import DeadLetters
from snowgauge.delivery.kafka.settings import KafkaSettings
from snowgauge.delivery.memory import MemorySettings
from snowgauge.delivery.sinks.files.settings import FilesSettings
from snowgauge.delivery.sinks.http.settings import HttpSettings
from snowgauge.delivery.sinks.iceberg.settings import IcebergSettings
from snowgauge.delivery.sinks.json_lines.settings import JsonLinesSettings
from snowgauge.delivery.sinks.kafka.settings import KafkaSinkSettings
from snowgauge.delivery.spool.settings import SpoolSettings
from snowgauge.part_settings import ByteSize, Duration, PartSettings

Part = TypeVar("Part")


def _parts(settings: PartSettings, kind: type[Part]) -> Iterator[tuple[str, Part]]:
    """The backends among the fields, by name."""
    for name, value in settings:
        if isinstance(value, kind):
            yield name, value


class EventLogSettings(PartSettings):
    url: str = ""
    """Where payloads wait between collector and pipeline. Empty: the spool, files on this machine.
    `kafka://host:9092,host:9092`: Kafka, for collectors and workers on any number of machines. `memory://`: lost when
    the process ends, and only for a collector and a pipeline in one process, as in tests."""

    max_batch_entries: int = Field(default=5000, ge=1)
    """Most entries that are enriched and stored together."""

    max_batch_bytes: ByteSize = Field(default=8_000_000, ge=1)
    """Most bytes that are enriched and stored together; one entry that is larger goes alone. A worker has up to five
    batches in memory."""

    linger: Duration = Field(default=timedelta(milliseconds=200), ge=timedelta(0))
    """How long an entry waits for others to be stored with. In the spool three times as long while one batch follows
    another. Longer means fewer, larger inserts."""

    spool: SpoolSettings = SpoolSettings()
    """Files on this machine that survive a power cut."""

    kafka: KafkaSettings = KafkaSettings()
    """Kafka: brokers for any number of machines."""

    memory: MemorySettings = MemorySettings()
    """The memory of one process."""

    @property
    def kind(self) -> str:
        """The name of the backend that `url` chooses."""
        return self.url.partition("://")[0] or "spool"

    @property
    def uses_spool(self) -> bool:
        return self.kind == "spool" or (self.kind == "kafka" and self.kafka.fallback == "spool")

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        kinds = [name for name, field in cls.model_fields.items() if isinstance(field.default, LogSettings)]
        scheme, separator, _ = url.partition("://")
        if url and (not separator or scheme not in kinds):
            known = ", ".join(f"{kind}://" for kind in kinds)
            raise ValueError(f"expected nothing, or a URL that begins with one of {known}, found {url[:60]!r}")
        return url

    def open(self, data_dir: Path, streams: Streams = Streams()) -> EventLog:  # noqa: B008 - it cannot be changed
        """The log of a deployment. Opening the same one again, from any process, gives the same log."""
        limits = BatchLimits(self.max_batch_entries, self.max_batch_bytes, self.linger.total_seconds())
        place = LogPlace(data_dir, limits, streams)
        spool = partial(self.spool.open, "", place)
        return dict(_parts(self, LogSettings))[self.kind].open(self.url, msgspec.structs.replace(place, spool=spool))


class SinksSettings(PartSettings):
    """Places beside the store that events go to. Each follows at its own pace; a slow one holds up nobody."""

    backlog_bytes: ByteSize = Field(default=4 * 1024**3, ge=64 * 1024**2)
    """What may wait for sinks on the disk of each worker. Beyond it the oldest batches pass the slowest sink by, which
    the log says and `sink_batches` counts."""

    dead_letter_bytes: ByteSize = Field(default=1024**3, ge=1024**2)
    """Room for events that destinations refused, of all sinks together (`snowgauge sinks list`). A sink for which there
    is no room left waits."""

    files: FilesSettings = FilesSettings()
    """Parquet files: a lake."""

    http: HttpSettings = HttpSettings()
    """HTTP destinations: events as JSON to any address."""

    iceberg: IcebergSettings = IcebergSettings()
    """Iceberg tables: a lake with a catalog."""

    kafka: KafkaSinkSettings = KafkaSinkSettings()
    """Topics as Snowplow's enrich writes them."""

    json_lines: JsonLinesSettings = JsonLinesSettings()
    """Files of JSON lines."""

    def open(self, data_dir: Path) -> dict[str, Sink]:
        """The sinks that are asked for, by name. Raises ``SettingsError``."""
        found: dict[str, Sink] = {}
        for name, part in _parts(self, SinkSettings):
            found.update(part.open(name, data_dir))
        return found

    def dead_letters(self, data_dir: Path) -> DeadLetters:
        """What destinations refused."""
        return DeadLetters(data_dir / "sinks" / "dead-letters", most_bytes=self.dead_letter_bytes)
