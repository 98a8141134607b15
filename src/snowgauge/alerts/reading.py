"""What one check found."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Detail(msgspec.Struct, frozen=True):
    name: str
    value: str


class Reading(msgspec.Struct, frozen=True):
    """``key``: what it is about, one state each. ``bad``: ``None``: it cannot be said. ``expected``: the usual range.
    ``about``: the subject in words, for the summary: `shop`, `add_to_cart in shop`."""

    key: str
    bad: bool | None
    summary: str
    app: str = ""
    value: float | None = None
    threshold: float | None = None
    expected: tuple[float, float] | None = None
    details: Sequence[Detail] = ()
