"""The only module that makes clients of librdkafka: their configuration, and its errors in our words."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from snowgauge.delivery.backends import Streams
from snowgauge.errors import BatchLost, LogUnavailable, SettingsError
from snowgauge.telemetry.logs import logger

if TYPE_CHECKING:
    from snowgauge.delivery.kafka.settings import KafkaSettings

log = logger("eventlog")
WAIT = 10.0
"""Seconds that a question to the brokers may take."""
_OVERHEAD = 1_000
"""Bytes by which a record is larger than its value."""

_GONE = frozenset(
    {KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.FENCED_INSTANCE_ID,
     KafkaError.STALE_MEMBER_EPOCH, KafkaError._ASSIGNMENT_LOST, KafkaError._FENCED}
)  # fmt: skip
_ACCESS = frozenset(
    {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED,
     KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError._SSL}
)  # fmt: skip
_PASSING = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE,
     KafkaError.REBALANCE_IN_PROGRESS, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION,
     KafkaError.UNSTABLE_OFFSET_COMMIT, KafkaError._WAIT_COORD}
)  # fmt: skip
_UNREACHED = frozenset(
    {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._MSG_TIMED_OUT,
     KafkaError._RESOLVE}
)  # fmt: skip
_LATELY = 60.0
"""Seconds for which a refusal explains why nobody is reached."""
MISSING = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})


class _Lines(logging.Handler):
    """librdkafka's own lines, which repeat what calls report: for debugging."""

    def emit(self, record: logging.LogRecord) -> None:
        log.debug("kafka_client", line=record.getMessage())


_lines = logging.getLogger("snowgauge.kafka")
_lines.propagate = False
_lines.addHandler(_Lines())


class Denied:
    """Why brokers did not let a client in, which librdkafka says beside the calls: to these, nobody is there."""

    def __init__(self) -> None:
        self._reason = ""
        self._until = 0.0

    @property
    def reason(self) -> str:
        """Empty when none was given lately."""
        return self._reason if time.monotonic() < self._until else ""

    def told(self, error: KafkaError, where: str) -> None:
        if error.code() in _ACCESS:
            text = error.str().partition(": ")[2] or error.str()
            self._reason = f"{text.partition(' (after')[0]}; {_access(error, where)}"
            self._until = time.monotonic() + _LATELY


class Cluster(msgspec.Struct, frozen=True):
    """Where the brokers are and how to log in; the topics and the group. ``section`` of the settings says so."""

    servers: str
    properties: Mapping[str, str]
    streams: Streams
    outcomes: str
    group: str
    section: str = "eventlog.kafka"
    denied: Denied = msgspec.field(default_factory=Denied)

    @staticmethod
    def of(url: str, settings: KafkaSettings, streams: Streams) -> Cluster:
        """Raises ``SettingsError`` for a URL or properties that librdkafka would not take."""
        servers = url.removeprefix("kafka://").strip("/")
        hosts = [server.strip() for server in servers.split(",")]
        if not all(hosts) or "@" in servers or "/" in servers:
            raise SettingsError(
                "eventlog.url: expected kafka://host:9092,host:9092 with nothing else in it; a user and a password are "
                "sasl.username and sasl.password of eventlog.kafka.properties"
            )
        given = {name: value.get_secret_value() for name, value in settings.properties.items()}
        outcomes = settings.outcomes_topic or f"{streams.good}-outcomes"
        found = Cluster(",".join(hosts), given, streams, outcomes, settings.group)
        if len({streams.good, streams.bad, found.outcomes}) < 3:
            raise SettingsError(
                f"collector.streams.good.name = {streams.good}, collector.streams.bad.name = {streams.bad} and "
                f"eventlog.kafka.outcomes_topic = {found.outcomes} must be three different topics"
            )
        try:
            found.admin()
        except KafkaException as error:
            raise SettingsError(f"eventlog.kafka.properties: {error.args[0].str()}") from None
        return found

    @property
    def largest_record(self) -> int:
        """The largest record that clients send, in bytes."""
        return max(1_000_000, self.streams.max_bytes + _OVERHEAD)

    def _common(self) -> dict[str, Any]:
        return {
            "client.id": "snowgauge",
            "socket.timeout.ms": 10_000,
            "reconnect.backoff.max.ms": 2_000,
            **self.properties,
            "bootstrap.servers": self.servers,
            "logger": _lines,
            "error_cb": self.told,
        }

    def told(self, error: KafkaError) -> None:
        """Hears what librdkafka says about brokers as a whole."""
        self.denied.told(error, f"{self.section}.properties")

    def admin(self) -> AdminClient:
        return AdminClient(self._common())

    def producer(self, **more: Any) -> Producer:
        """One that waits until all replicas in sync have a record, and repeats none."""
        safe = {"acks": "all", "enable.idempotence": True, "allow.auto.create.topics": False}
        return Producer({**self._common(), **more, **safe})

    def consumer(self, *, group: str = "", **more: Any) -> Consumer:
        """Without a group: one that looks and leaves no trace."""
        return Consumer(
            {
                **self._common(),
                "allow.auto.create.topics": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                **more,
                "group.id": group or f"{self.group}-looking",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
            }
        )


def passing(error: KafkaError) -> bool:
    """Is it what brokers say while they find their feet, and what is simply asked again?"""
    return error.code() in _PASSING


def lost(error: KafkaError) -> bool:
    """Does it say that this member's partitions are others' now?"""
    return error.code() in _GONE


def unreached(error: KafkaError) -> bool:
    """Does it say that no broker answers?"""
    return error.code() in _UNREACHED


class Passing(LogUnavailable):
    """Brokers refuse while they find their feet, or while partitions move."""


def refusal(error: KafkaError, cluster: Cluster, partition: str) -> LogUnavailable | BatchLost:
    """Why a member of a group may not write down how far it is."""
    if lost(error):
        return BatchLost(f"{partition} was given to another worker: {error.str()}")
    reason = unavailable(error, cluster)
    return Passing(str(reason)) if passing(error) else reason


def unavailable(error: KafkaError, cluster: Cluster) -> LogUnavailable:
    """The error as the operator needs it."""
    return LogUnavailable(f"Kafka at {cluster.servers}: {error.str()} ({error.name()}){_advice(error, cluster)}")


def _advice(error: KafkaError, cluster: Cluster) -> str:
    where = f"{cluster.section}.properties"
    code = error.code()
    if code in _UNREACHED and cluster.denied.reason:
        return f"; {cluster.denied.reason}"
    if code in _ACCESS:
        return f"; {_access(error, where)}"
    if code in MISSING:
        return "; `snowgauge eventlog init` makes the topics"
    if code in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE):
        return "; the topic's max.message.bytes must be above collector.streams.good.max_bytes"
    if code in (KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND):
        return "; fewer brokers are up than the topic's min.insync.replicas asks for"
    if code == KafkaError._MSG_TIMED_OUT:
        return (
            "; are enough brokers up for the topic's min.insync.replicas, and do they speak what security.protocol of "
            f"{where} says?"
        )
    if code in _UNREACHED:
        return f"; are the brokers up, and do they speak what security.protocol of {where} says?"
    return ""


def _access(error: KafkaError, where: str) -> str:
    """What to look at when brokers do not let a client in, or it does not trust them."""
    if error.code() in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED):
        return f"see sasl.mechanism, sasl.username and sasl.password of {where}"
    if error.code() == KafkaError._SSL:
        return f"see ssl.ca.location and security.protocol of {where}"
    return f"see {where} and the brokers' access lists"
