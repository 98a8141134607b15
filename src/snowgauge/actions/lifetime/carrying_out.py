"""Erasures that a process carries out beside what else it does."""

from __future__ import annotations

import threading
import time

from snowgauge.actions.lifetime.erasing import Erasing, Order
from snowgauge.errors import SnowgaugeError
from snowgauge.telemetry.logs import logger

log = logger("privacy")


class Erasures:
    """Erasures that this process carries out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}

    def begin(self, erasing: Erasing, order: Order) -> None:
        thread = threading.Thread(
            target=self._carry_out, args=(erasing, order), name=f"erasure {order.id}", daemon=True
        )
        with self._lock:
            self._threads[order.id] = thread
        thread.start()

    def runs(self, erasure_id: str) -> bool:
        with self._lock:
            thread = self._threads.get(erasure_id)
        return thread is not None and thread.is_alive()

    def _carry_out(self, erasing: Erasing, order: Order) -> None:
        try:
            erasing.carry_out(order, time.time)
        except SnowgaugeError as error:
            log.error("erasure_broke_off", erasure=order.id, error=str(error))
