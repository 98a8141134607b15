"""A worker's hands on the log: a membership of the consumer group for each of the two topics.

Those who assign partitions balance the number that each member has over all topics. With one membership for both, one
worker may get all partitions of payloads and another all of bad rows, of which there are few.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from snowgauge.delivery.backends import BatchLimits
from snowgauge.delivery.contract import LogBatch, Processed
from snowgauge.delivery.kafka.client import Cluster
from snowgauge.delivery.kafka.membership import Membership, Write
from snowgauge.delivery.kafka.outcomes import Outcomes
from snowgauge.telemetry.metrics import gauge


class KafkaSubscription:
    """``close`` gives the partitions back."""

    def __init__(
        self, cluster: Cluster, limits: BatchLimits, *, session_timeout: float, delivery_timeout: float
    ) -> None:
        outcomes = Outcomes(cluster, delivery_timeout=delivery_timeout)
        self._changed = threading.Condition()
        self._members = {
            topic: Membership(cluster, topic, limits, outcomes, self._changed, session_timeout=session_timeout)
            for topic in (cluster.streams.good, cluster.streams.bad)
        }
        self._turn = list(self._members.values())

    def read(self, timeout: float) -> LogBatch | None:
        with self._changed:
            self._changed.wait_for(lambda: any(member.told() for member in self._turn), timeout)
            gauge("eventlog_partitions", sum(member.partitions for member in self._turn))
            for member in self._turn:
                batch = member.next()
                if batch is not None:  # the other topic's turn is first, next time
                    self._turn.remove(member)
                    self._turn.append(member)
                    return batch
            for member in self._turn:
                if member.trouble is not None:
                    raise member.trouble
        return None

    def recall(self, batch: LogBatch) -> Processed | None:
        return self._of(batch).recall(batch)

    def record(self, batch: LogBatch, processed: Processed) -> None:
        self._of(batch).record(batch, processed)

    def noted(self, batch: LogBatch) -> Mapping[str, Any]:
        return self._of(batch).noted(batch)

    def note(self, batch: LogBatch, about: Mapping[str, Any]) -> None:
        self._of(batch).note(batch, about)

    def commit(self, batch: LogBatch, write: Write | None = None) -> None:
        """``write``: see ``Membership.commit``."""
        self._of(batch).commit(batch, write)

    def close(self) -> None:
        for member in self._turn:
            member.close()

    def _of(self, batch: LogBatch) -> Membership:
        return self._members[batch.partition.split("/")[0]]
