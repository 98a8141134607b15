"""A collector that keeps in the local spool what the brokers do not take, and forwards it once they are back.

What was forwarded and not yet noted as such is forwarded again after a crash: at least once, as events that a tracker
sends again. Of the collectors of one machine, whichever holds the spool's share forwards for all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from snowgauge.delivery.contract import EventLog, LogWriter, Subscription
from snowgauge.delivery.kafka.writer import TooLarge
from snowgauge.errors import LogUnavailable
from snowgauge.events.log_entry import LogEntry
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

log = logger("eventlog")
_LOOK_EVERY = 1.0


class FallbackWriter:
    """Owns ``brokers``. ``spool`` is the log that entries wait in. ``cut`` makes of an entry that is too large for the
    brokers what they take of it."""

    def __init__(self, brokers: LogWriter, spool: EventLog, cut: Callable[[LogEntry], Sequence[LogEntry]]) -> None:
        self._brokers = brokers
        self._spool = spool
        self._cut = cut
        self._kept = spool.writer()
        self._stop = threading.Event()
        self._forwarding = threading.Thread(target=self._forward, name="kafka-fallback", daemon=True)
        self._forwarding.start()

    def append(self, entries: Sequence[LogEntry]) -> None:
        try:
            self._brokers.append(entries)
        except TooLarge:  # they do not take it later either
            raise
        except LogUnavailable:
            if self._stop.is_set():
                raise
            self._kept.append(entries)
            count("eventlog_fallback_entries", len(entries))

    def healthy(self) -> bool:
        return self._brokers.healthy() or self._kept.healthy()

    def close(self) -> None:
        self._stop.set()
        self._forwarding.join()
        self._brokers.close()
        self._kept.close()

    def _forward(self) -> None:
        subscription: Subscription | None = None
        while not self._stop.is_set():
            try:
                if subscription is None:
                    subscription = self._spool.subscribe()
                self._forward_one(subscription)
            except LogUnavailable:  # another collector forwards, or the brokers are still unreachable
                self._stop.wait(_LOOK_EVERY)
        if subscription is not None:
            subscription.close()

    def _forward_one(self, subscription: Subscription) -> None:
        batch = subscription.read(_LOOK_EVERY)
        if batch is None:
            return
        while not self._stop.is_set():
            with suppress(LogUnavailable):
                self._hand_over(batch.entries)
                subscription.commit(batch)
                log.info("fallback_forwarded", entries=len(batch.entries))
                return
            self._stop.wait(_LOOK_EVERY)

    def _hand_over(self, entries: Sequence[LogEntry]) -> None:
        """Brokers may take less than when an entry was kept: one that is too large by now holds up no other."""
        try:
            self._brokers.append(entries)
        except TooLarge as error:
            if len(entries) > 1:
                for entry in entries:
                    self._hand_over([entry])
                return
            log.error("fallback_entry_too_large", reason=str(error), effect="its events are cut apart, or a bad row")
            for part in self._cut(entries[0]):
                self._brokers.append([part])  # what is sent together counts together
