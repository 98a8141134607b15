"""Of several machines with one store one models at a time: a row says who, and until when.

A claim counts from the second look on: by then a claim that was made at the same moment is visible to both, and the
older one has it. Modelling twice at once would be harmless for the rows, and a waste.
"""

from __future__ import annotations

import threading

from snowgauge.errors import StoreUnavailable
from snowgauge.modelling.making.unit import Row
from snowgauge.modelling.store import Change, ModelStore
from snowgauge.modelling.tables.bookkeeping import LEASE

LASTS_MS = 60_000
_RENEWED_S = 15.0


class Lease:
    """``holder`` names this machine's deployment, the same after a restart."""

    def __init__(self, store: ModelStore, holder: str) -> None:
        self._store = store
        self._holder = holder
        self._stop = threading.Event()

    def held(self) -> bool:
        """Claim it, or renew the claim; is it ours?"""
        now = self._store.now()
        rows = {row["holder"]: row for row in self._store.all_rows(LEASE) if row["until"] > now}
        own = rows.get(self._holder)
        taken_at = now if own is None else own["taken_at"]
        row: Row = {"holder": self._holder, "taken_at": taken_at, "until": now + LASTS_MS, "at": now}
        self._store.replace([Change(LEASE, [], [row])], now * 1000)
        first = min((one["taken_at"], name) for name, one in (rows | {self._holder: row}).items())
        return own is not None and first == (taken_at, self._holder)

    def keep(self) -> None:
        """Renew it in the background until ``release``."""
        threading.Thread(target=self._renew, name="model-lease", daemon=True).start()

    def release(self) -> None:
        """Let another take it at once."""
        self._stop.set()
        now = self._store.now() + 1
        self._store.replace([Change(LEASE, [{"holder": self._holder, "at": now}], [])], now * 1000)

    def _renew(self) -> None:
        while not self._stop.wait(_RENEWED_S):
            try:
                self.held()
            except StoreUnavailable:
                continue  # the next run says so; the lease ends unless the store comes back
