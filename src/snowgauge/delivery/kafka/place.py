"""Where a partition stands, as its next owner finds it: the metadata of the group's committed offset.

The offset says up to where all is stored. The metadata says what is in flight behind it: batches, one after the other,
each with the offset at which it ends, where its outcome is written down, and what was noted about it. Brokers take at
most 4,096 bytes of it, and take it only from a member of the group that owns the partition: who has lost it can neither
freeze other batches nor record other outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

LARGEST = 4096


class Written(msgspec.Struct, frozen=True, array_like=True):
    """An outcome in the outcomes topic: records with this key from ``first`` to ``last``, ``parts`` of them."""

    partition: int
    first: int
    last: int
    parts: int
    key: str


class Flight(msgspec.Struct, rename={"end": "e", "outcome": "o", "note": "n"}, omit_defaults=True):
    """A batch in flight: it ends before the offset ``end``."""

    end: int
    outcome: Written | None = None
    note: Mapping[str, Any] = {}


class Place(msgspec.Struct):
    """``offset``: all before it is stored."""

    offset: int
    flights: list[Flight] = []


class _Metadata(msgspec.Struct, rename={"version": "v", "flights": "f"}):
    flights: list[Flight]
    version: int = 1


class NotOurs(Exception):
    """Metadata that something else wrote."""


def encode(place: Place) -> str:
    """The metadata; empty when nothing is in flight."""
    return msgspec.json.encode(_Metadata(place.flights)).decode() if place.flights else ""


def decode(offset: int, metadata: str | None) -> Place:
    """Raises ``NotOurs``."""
    if not metadata:
        return Place(offset)
    try:
        found = msgspec.json.decode(metadata, type=_Metadata)
    except msgspec.MsgspecError as error:
        raise NotOurs(str(error)) from None
    if found.version != 1:
        raise NotOurs(f"version {found.version}")
    return Place(offset, found.flights)
