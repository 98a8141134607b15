"""A batch's records through one producer, each until the brokers have said what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from snowgauge.delivery.contract import Refusal
from snowgauge.delivery.sinks.kafka.records import Record, Records
from snowgauge.delivery.sinks.rows import refused

TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})


class Sent:
    """Reports of records. ``too_large`` are above a limit; ``doubtful`` were refused by brokers in one request with
    others, of which at least one is. ``error``: something else, for which all have to be sent again."""

    def __init__(self) -> None:
        self.waiting = 0
        self.error: KafkaError | None = None
        self.too_large: list[tuple[Record, str]] = []
        self.doubtful: list[Record] = []

    @property
    def refusals(self) -> list[Refusal]:
        return [refused([record.row], record.kind, reason) for record, reason in self.too_large]


class Sending:
    """Belongs to one thread. ``timeout`` is in seconds."""

    def __init__(self, producer: Producer, records: Records, timeout: float) -> None:
        self._producer = producer
        self._records = records
        self._timeout = timeout

    def send(self, records: Iterable[Record], *, alone: bool = False) -> Sent:
        """Returns when every record has its report, or as soon as one says that the batch has to be sent again.
        ``alone``: no two records in one request, since brokers refuse a request as a whole."""
        sent = Sent()
        until = time.monotonic() + self._timeout + 5
        for record in records:
            self._produce(record, sent, until, alone)
            if alone:
                self._wait(sent, until)
        self._wait(sent, until)
        if sent.waiting and sent.error is None:
            sent.error = KafkaError(KafkaError._MSG_TIMED_OUT)
        return sent

    def _wait(self, sent: Sent, until: float) -> None:
        while sent.waiting and sent.error is None and time.monotonic() < until:
            self._producer.poll(0.1)

    def _produce(self, record: Record, sent: Sent, until: float, alone: bool) -> None:
        reported = self._reporter(record, sent, alone)
        sent.waiting += 1
        row = record.row
        while True:
            try:
                self._producer.produce(
                    record.topic, self._records.value(row), self._records.key(row), headers=self._records.headers(row),
                    on_delivery=reported,
                )  # fmt: skip
            except BufferError:
                self._producer.poll(0.1)
                if time.monotonic() > until:
                    sent.waiting -= 1
                    sent.error = sent.error or KafkaError(KafkaError._QUEUE_FULL)
                    return
            except KafkaException as error:
                reported(error.args[0], None)
                return
            else:
                return

    def _reporter(self, record: Record, sent: Sent, alone: bool) -> Callable[[KafkaError | None, Message | None], None]:
        def reported(error: KafkaError | None, message: Message | None) -> None:
            sent.waiting -= 1
            if error is None:
                return
            if error.code() not in TOO_LARGE:
                sent.error = sent.error or error
            elif alone or message is None:  # without a message it is the client's own limit of one record
                sent.too_large.append((record, f"{record.topic}: {error.str()}"))
            else:
                sent.doubtful.append(record)

        return reported
