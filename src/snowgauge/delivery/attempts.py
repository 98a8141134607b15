"""Which of a batch's records was being enriched: noted so that a death of the process can be laid at the door of one
record.

A record that crashes the interpreter (a fault in a native library, the out-of-memory killer) would otherwise do so for
ever. After a first death in a batch its records are noted one by one; a record that was under way at two further
deaths is set aside as a failed event, with its bytes.
"""

from __future__ import annotations

from snowgauge.delivery.contract import LogBatch, Subscription

_DEATHS_OF_A_RECORD = 2


class Attempts:
    """Notes about the batch that is being enriched, kept where the next owner of its partition finds them."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._batch: LogBatch | None = None
        self._deaths: dict[int, int] = {}
        self.careful = False
        """True when the batch killed a process before: note each record."""

    def begin(self, batch: LogBatch) -> None:
        """Start (again) with a batch; reads what an earlier process left about it."""
        self._batch, self._deaths = batch, {}
        left = self._subscription.noted(batch)
        self.careful = bool(left)
        if left:
            self._deaths = {int(key): count for key, count in left["deaths"].items()}
            if left["record"] is not None:
                index = int(left["record"])
                self._deaths[index] = self._deaths.get(index, 0) + 1
        self._note(None)

    def poisonous(self, index: int) -> bool:
        """Was this record under way at too many deaths?"""
        return self._deaths.get(index, 0) >= _DEATHS_OF_A_RECORD

    def record(self, index: int) -> None:
        """This record comes next. Only needed when ``careful``."""
        self._note(index)

    def _note(self, index: int | None) -> None:
        assert self._batch is not None
        self._subscription.note(self._batch, {"record": index, "deaths": self._deaths})
