"""Settings of the event log on Kafka."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from snowgauge.delivery.backends import LogPlace, LogSettings
from snowgauge.delivery.contract import EventLog
from snowgauge.errors import SettingsError
from snowgauge.part_settings import Duration, Secret

_OURS = frozenset(
    {"bootstrap.servers", "group.id", "enable.idempotence", "acks", "enable.auto.commit", "enable.auto.offset.store",
     "enable.partition.eof", "delivery.timeout.ms", "transactional.id", "auto.offset.reset"}
)  # fmt: skip


class KafkaSettings(LogSettings):
    """Kafka, or anything that speaks its protocol. The topics' names are `collector.streams.good.name` and
    `collector.streams.bad.name`; `snowgauge eventlog init` makes them."""

    properties: dict[str, Secret] = {}
    """Properties of librdkafka for every client, such as `security.protocol`, `sasl.mechanism`, `sasl.username` and
    `sasl.password`, `ssl.ca.location`."""

    group: str = Field(default="snowgauge", min_length=1)
    """Consumer group of the workers, on whatever machines. Two deployments that read the same topic need two."""

    outcomes_topic: str = ""
    """Topic in which workers write down what batches became, for the next owner of their partition. Empty: the good
    topic's name with `-outcomes`."""

    delivery_timeout: Duration = Field(default=timedelta(seconds=10), ge=timedelta(seconds=1))
    """How long a request may wait for the brokers before it is answered with 503."""

    session_timeout: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    """How long a worker may be silent before its partitions are given to others."""

    fallback: Literal["", "spool"] = ""
    """`spool`: what the brokers do not take is kept in the local spool, answered with 200, and forwarded once they are
    back. Empty: such requests are answered with 503."""

    @field_validator("properties")
    @classmethod
    def _not_ours(cls, properties: dict[str, Secret]) -> dict[str, Secret]:
        wrong = sorted(_OURS & properties.keys())
        if wrong:
            raise ValueError(f"{', '.join(wrong)} cannot be set here: delivery depends on them")
        return properties

    def open(self, url: str, place: LogPlace) -> EventLog:
        try:
            import confluent_kafka  # noqa: F401 - only whether it is there
        except ImportError:
            raise SettingsError(
                "eventlog.url: Kafka needs the package confluent-kafka; install snowgauge[kafka]"
            ) from None
        from snowgauge.delivery.kafka.client import Cluster
        from snowgauge.delivery.kafka.log import KafkaLog

        return KafkaLog(Cluster.of(url, self, place.streams), self, place)
