"""The longest texts that columns may hold, counted in UTF-16 code units as enrich 6.10 counts them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent

NEVER_UNSET = frozenset(("event_id", "v_collector", "v_etl"))
"""Columns that readers require."""


class TooLong(msgspec.Struct, frozen=True):
    column: str
    limit: int
    value: str


class LengthLimits:
    """enrich's limits with a deployment's own over them."""

    def __init__(self, overrides: Mapping[str, int]) -> None:
        self._limits = tuple(overrides.get(field.name, field.max_length) for field in ATOMIC_FIELDS)

    def exceeded(self, event: EnrichedEvent) -> list[TooLong]:
        """The columns that are too long, in the order of the TSV."""
        found: list[TooLong] = []
        for i, value in enumerate(msgspec.structs.astuple(event)):
            if value is None:
                continue
            limit = self._limits[i]
            # a text of n characters has at most 2n code units, so most need not be counted
            if limit is not None and 2 * len(value) > limit and len(value.encode("utf-16-le")) > 2 * limit:
                found.append(TooLong(ATOMIC_FIELDS[i].name, limit, value))
        return found
