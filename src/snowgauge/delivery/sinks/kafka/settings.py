"""Settings of the streams out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from snowgauge.delivery.backends import SinkSettings
from snowgauge.delivery.contract import Sink
from snowgauge.errors import SettingsError
from snowgauge.events.enriched import ATOMIC_FIELD
from snowgauge.part_settings import Duration, Secret


class KafkaSinkSettings(SinkSettings):
    """Topics as Snowplow's enrich writes them, for its loaders, Snowbridge, or your own consumers. Needs the extra
    `snowgauge[kafka]`."""

    brokers: str = ""
    """Brokers, such as `kafka-1:9092,kafka-2:9092`. Not set: nothing is sent, unless `exactly_once` is set."""

    exactly_once: bool = False
    """Send in transactions that include the offsets of the event log, so that readers of committed records see each
    event once. Needs `pipeline.store = none` and an event log on Kafka, whose brokers and properties are used. Not set:
    at least once."""

    good: str = ""
    """Topic of enriched events; empty: they are not sent. Topics have to exist."""

    incomplete: str = ""
    """Topic of incomplete events, enrich's `failed`; empty: they are not sent."""

    bad: str = ""
    """Topic of bad rows; empty: they are not sent."""

    format: Literal["tsv", "json"] = "tsv"
    """How events are written: `tsv` is Snowplow's enriched event, `json` what its analytics SDKs make of it."""

    partition_key: str = ""
    """Column whose value is an event's key, such as `user_id`; empty, and where it is not set: a random UUID."""

    attributes: list[str] = []
    """Columns that are headers of an event's record, such as `app_id`."""

    properties: dict[str, Secret] = {}
    """Properties of librdkafka, such as `security.protocol`, `sasl.mechanism`, `sasl.username`, `sasl.password`."""

    delivery_timeout: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    """How long a batch may wait for the brokers before it is sent again."""

    @field_validator("partition_key", "attributes")
    @classmethod
    def _columns(cls, given: str | list[str]) -> str | list[str]:
        for name in [given] if isinstance(given, str) else given:
            if name and (name not in ATOMIC_FIELD or ATOMIC_FIELD[name].kind in ("entities", "event")):
                raise ValueError(f"expected a plain column of events, found {name[:60]!r}")
        return given

    @model_validator(mode="after")
    def _something(self) -> KafkaSinkSettings:
        if self.exactly_once and (self.brokers or self.properties):
            raise ValueError("exactly_once uses the brokers of eventlog.url: remove sinks.kafka.brokers and properties")
        if (self.brokers or self.exactly_once) and not (self.good or self.incomplete or self.bad):
            raise ValueError("brokers are set and no topic is: set good, incomplete or bad")
        return self

    def open(self, name: str, data_dir: Path) -> Mapping[str, Sink]:  # noqa: ARG002 - nothing of it is kept here
        if not self.brokers:
            return {}
        try:
            from snowgauge.delivery.sinks.kafka.sink import opened
        except ImportError:
            raise SettingsError("sinks.kafka needs the package confluent-kafka; install snowgauge[kafka]") from None
        return {name: opened(self)}
