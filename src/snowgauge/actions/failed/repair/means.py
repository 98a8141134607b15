"""What a repair works with, handed over by the wiring."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import msgspec

from snowgauge.delivery.contract import Erasures
from snowgauge.enrich.enricher import Enricher
from snowgauge.store.base import HasLifetime


def _none(_: HasLifetime) -> Erasures | None:
    return None


class RecoveryMeans(msgspec.Struct, frozen=True):
    """``enricher`` is made for one run and closed behind it. ``gate`` is held while events are stored; ``erasures``
    says what of an erased person may not be stored."""

    enricher: Callable[[], AbstractContextManager[Enricher]]
    gate: Callable[[], AbstractContextManager[None]] = nullcontext
    erasures: Callable[[HasLifetime], Erasures | None] = _none
