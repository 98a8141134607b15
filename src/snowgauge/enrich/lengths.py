"""The longest texts that columns may hold, counted in UTF-16 code units as enrich 6.10 counts them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

import msgspec

from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent

NEVER_UNSET = frozenset(("event_id", "v_collector", "v_etl"))
"""Columns that readers require."""


_astuple = msgspec.structs.astuple


class TooLong(msgspec.Struct, frozen=True):
    column: str
    limit: int
    value: str


class LengthLimits:
    """enrich's limits with a deployment's own over them."""

    def __init__(self, overrides: Mapping[str, int]) -> None:
        limits = [overrides.get(field.name, field.max_length) for field in ATOMIC_FIELDS]
        limited = [(at, limit) for at, limit in enumerate(limits) if limit is not None]
        self._limits = [(ATOMIC_FIELDS[at].name, limit) for at, limit in limited]
        # out of a tuple of the whole event: as many attributes one by one take three times as long
        self._texts = itemgetter(*(at for at, _ in limited))
        # a text of n characters has at most 2n code units, so one of up to half the limit need not be counted
        self._safe = [limit // 2 for _, limit in limited]

    def exceeded(self, event: EnrichedEvent) -> list[TooLong]:
        """The columns that are too long, in the order of the TSV."""
        texts = self._texts(_astuple(event))
        for text, safe in zip(texts, self._safe, strict=True):
            if text is not None and len(text) > safe:
                break
        else:
            return []
        return [
            TooLong(name, limit, text)
            for (name, limit), text in zip(self._limits, texts, strict=True)
            if text is not None and len(text.encode("utf-16-le")) > 2 * limit
        ]
