"""What a repair works with, handed over by the wiring."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import msgspec

from snowgauge.enrich.enricher import Enricher
from snowgauge.store.base import StoreBatch


def _all(batch: StoreBatch) -> StoreBatch:
    return batch


class RecoveryMeans(msgspec.Struct, frozen=True):
    """``enricher`` is made for one run and closed behind it. ``gate`` is held while events are stored, ``keep`` takes
    out of a batch what may not be stored any more."""

    enricher: Callable[[], AbstractContextManager[Enricher]]
    gate: Callable[[], AbstractContextManager[None]] = nullcontext
    keep: Callable[[StoreBatch], StoreBatch] = _all
