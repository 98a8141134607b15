"""The three topics: made on request, told apart from later ones of the same name, and judged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from snowgauge.delivery.contract import Doubt
from snowgauge.delivery.kafka.client import MISSING, WAIT, Cluster, unavailable, unreached
from snowgauge.errors import LogUnavailable, SettingsError

_MARGIN = 20_000
"""Bytes by which a record is larger than its value, at most."""
_MADE_WITHIN = 60.0
"""Seconds for which topics that are being made, or deleted, are waited for."""
_MISSING_FOR = 5.0
"""Seconds after which a topic is missing: brokers learn of topics one after the other, up to seconds after it was
made."""
_PAUSE = 0.1
_NO_ID = ("None", "AAAAAAAAAAAAAAAAAAAAAA")
"""Of brokers that give topics no ids."""
_AGAIN = (KafkaError.TOPIC_ALREADY_EXISTS, KafkaError.NOT_CONTROLLER)
"""Refusals that may be over the next time: the topic exists, or is being deleted; another controller was chosen."""


class Layout(msgspec.Struct, frozen=True):
    """How topics are made."""

    partitions: int
    replication: int
    retention: timedelta


def describe(cluster: Cluster, names: Sequence[str]) -> dict[str, Any]:
    """What brokers say about topics; those that do not exist are left out. Raises ``LogUnavailable``."""
    found = {}
    admin = cluster.admin()  # which has to live until the answers are there
    for name, future in admin.describe_topics(TopicCollection(list(names)), request_timeout=WAIT).items():
        try:
            found[name] = future.result()
        except KafkaException as error:
            if error.args[0].code() not in MISSING:
                admin.poll(0.1)  # for what it has to say about the brokers
                raise unavailable(error.args[0], cluster) from None
    return found


def topic_id(cluster: Cluster, name: str) -> str:
    """The id of a topic, which no later topic of the same name has. Raises ``LogUnavailable``."""
    found = describe(cluster, [name])
    if name not in found:
        raise LogUnavailable(f"Kafka at {cluster.servers} has no topic {name}: run `snowgauge eventlog init`")
    return str(found[name].topic_id).replace("/", "_").replace("+", "-")


def refuse_missing(cluster: Cluster, more: Sequence[str]) -> None:
    """Raises ``SettingsError`` when brokers answer and one of the two topics that are read, or of ``more``, is not
    there for seconds; silent when nobody answers."""
    wanted = [cluster.streams.good, cluster.streams.bad, *more]
    try:
        there = settled(cluster, wanted)
    except LogUnavailable:
        return
    if gone := [name for name in wanted if name not in there]:
        raise SettingsError(
            f"Kafka at {cluster.servers} has no topic {', '.join(gone)}: run `snowgauge eventlog init`, or correct "
            "collector.streams.good.name, collector.streams.bad.name and eventlog.kafka.outcomes_topic"
        )


def settled(cluster: Cluster, names: Sequence[str]) -> dict[str, Any]:
    """As ``describe``; a topic is left out once brokers have said for seconds that there is none."""
    until = time.monotonic() + _MISSING_FOR
    while True:
        there = describe(cluster, names)
        if len(there) == len(set(names)) or time.monotonic() > until:
            return there
        time.sleep(_PAUSE)


def make(cluster: Cluster, layout: Layout, *, within: float = _MADE_WITHIN) -> dict[str, str]:
    """Make the topics that are not there; what was done by topic. What follows finds them: every partition has a
    leader. Raises ``LogUnavailable`` and ``SettingsError``.

    The controller decides which topics exist. Another broker still describes one that was just deleted, and does not
    know one that was just made. So each is asked for, the topics that a broker describes too; one that was made is
    ready when it is not described by the id of an earlier one any more.
    """
    wanted = [cluster.streams.good, cluster.streams.bad, cluster.outcomes]
    before = describe(cluster, wanted)
    made: set[str] = set()
    pending = wanted
    until = time.monotonic() + within
    while True:
        made |= _create(cluster, layout, [name for name in pending if name not in made], before)
        there = describe(cluster, wanted)
        pending = [name for name in wanted if not _ready(there.get(name), before.get(name) if name in made else None)]
        if not pending:
            break
        if time.monotonic() > until:
            raise LogUnavailable(
                f"Kafka at {cluster.servers} does not have topic {', '.join(pending)} ready within {within:g} s: are "
                "all brokers up, or is a topic of this name still being deleted? Run `snowgauge eventlog init` again"
            )
        time.sleep(_PAUSE)
    done = f"made, with {layout.partitions} partitions of {layout.replication} copies"
    return {
        name: done if name in made else f"is there, with {len(there[name].partitions)} partitions" for name in wanted
    }


def _ready(topic: Any, earlier: Any) -> bool:
    """Whether a topic can be written and read, and is not the ``earlier`` one of its name."""
    if topic is None or not topic.partitions:
        return False
    if earlier is not None and str(topic.topic_id) == str(earlier.topic_id) not in _NO_ID:
        return False
    return all(partition.leader is not None and partition.leader.id >= 0 for partition in topic.partitions)


def _create(cluster: Cluster, layout: Layout, names: Sequence[str], there: Iterable[str]) -> set[str]:
    """Ask the controller for topics; those that it has made. A refusal counts only for a topic that is not ``there``:
    who may not make topics may still use them."""
    config = {
        "min.insync.replicas": str(max(1, layout.replication - 1)),
        "unclean.leader.election.enable": "false",
        "cleanup.policy": "delete",
        "retention.ms": str(int(layout.retention.total_seconds() * 1000)),
        "max.message.bytes": str(max(1_048_588, cluster.streams.max_bytes + _MARGIN)),
    }
    new = [NewTopic(name, layout.partitions, layout.replication, config=config) for name in names]
    admin = cluster.admin()
    made = set()
    for name, future in admin.create_topics(new, request_timeout=WAIT).items() if new else ():
        try:
            future.result()
        except KafkaException as error:
            if unreached(error.args[0]):
                raise unavailable(error.args[0], cluster) from None
            if error.args[0].code() not in _AGAIN and name not in there:
                raise SettingsError(f"topic {name} cannot be made: {error.args[0].str()}") from None
        else:
            made.add(name)
    return made


def configurations(cluster: Cluster, names: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """The configurations of topics that exist. Raises ``LogUnavailable``."""
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    configs: dict[str, Mapping[str, str]] = {}
    admin = cluster.admin()
    asked = admin.describe_configs(resources, request_timeout=WAIT) if resources else {}
    for resource, future in asked.items():
        try:
            configs[resource.name] = {key: entry.value for key, entry in future.result().items()}
        except KafkaException as error:
            admin.poll(0.1)
            raise unavailable(error.args[0], cluster) from None
    return configs


def retention(cluster: Cluster, names: Sequence[str]) -> dict[str, float]:
    """How long topics keep records, in seconds; negative where that has no limit. Raises ``LogUnavailable``."""
    found = configurations(cluster, names)
    return {name: int(config.get("retention.ms", "-1")) / 1000 for name, config in found.items()}


def readers(cluster: Cluster) -> dict[tuple[str, int], str] | None:
    """By partition, the address of the member of the group that reads it; ``None`` where brokers do not say."""
    admin = cluster.admin()
    try:
        (future,) = admin.describe_consumer_groups([cluster.group], request_timeout=WAIT).values()
        members = future.result().members
    except KafkaException:
        return None
    return {
        (one.topic, one.partition): member.host.lstrip("/")
        for member in members
        for one in (member.assignment.topic_partitions if member.assignment else ())
    }


def doubts(cluster: Cluster) -> list[Doubt]:
    """What could lose acknowledged events, or hold them up. Raises ``LogUnavailable``."""
    names = [cluster.streams.good, cluster.streams.bad, cluster.outcomes]
    found = describe(cluster, names)
    said = [
        Doubt(f"topic {name} does not exist", "run `snowgauge eventlog init`") for name in names if name not in found
    ]
    configs = configurations(cluster, list(found))
    for name, topic in found.items():
        said += _of_topic(name, topic, configs[name], cluster)
    return said


def _of_topic(name: str, topic: Any, config: Mapping[str, str], cluster: Cluster) -> list[Doubt]:
    said = []
    copies = min((len(partition.replicas) for partition in topic.partitions), default=0)
    least = int(config.get("min.insync.replicas", "1"))
    if copies < 2:
        said.append(Doubt(f"topic {name} has one copy: a lost disk loses events", "give it three copies"))
    elif least < 2:
        said.append(
            Doubt(
                f"topic {name} takes records with one copy in sync: that broker's disk may lose them",
                "set its min.insync.replicas to 2",
            )
        )
    if least > copies:
        said.append(
            Doubt(
                f"topic {name} has {copies} copies and asks for {least} in sync: it takes nothing",
                "lower its min.insync.replicas",
            )
        )
    if config.get("unclean.leader.election.enable") == "true":
        said.append(
            Doubt(
                f"topic {name} may make a broker that lags its leader, which loses events",
                "set its unclean.leader.election.enable to false",
            )
        )
    behind = [str(one.id) for one in topic.partitions if len(one.isr) < len(one.replicas)]
    if behind:
        said.append(
            Doubt(f"topic {name}: copies of partitions {', '.join(behind)} are not in sync", "are all brokers up?")
        )
    largest = int(config.get("max.message.bytes", "1048588"))
    if name == cluster.streams.good and largest < cluster.streams.max_bytes:
        said.append(
            Doubt(
                f"topic {name} takes records of {largest} bytes and requests may have {cluster.streams.max_bytes}",
                "raise its max.message.bytes, or lower collector.streams.good.max_bytes",
            )
        )
    return said
