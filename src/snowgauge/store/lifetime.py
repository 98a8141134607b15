"""The contract of a store's other end: how events leave it again.

The other parts of a store write and answer; ``Lifetime`` reads every row that is there, whole and as it was written
(resent duplicates included), and takes rows out, by key or by age. Taking out what is gone already is harmless, so
whatever broke off is simply done again. Several callers may work at the same time as the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.store.base import EventKind
from snowgauge.store.canonical import NO_UUID, failed_time

Row = EnrichedEvent | FailedEvent
Key = tuple[str, int]
"""Id of the event (of the failed event) and the instant by which it is selected, in ms."""

ID_COLUMNS = ("user_id", "domain_userid", "network_userid", "refr_domain_userid", "user_ipaddress")
"""Columns that hold an identifier of a person and nothing else."""

MENTION_COLUMNS = ("contexts", "unstruct_event", "derived_contexts", "page_url", "page_referrer")
"""Columns that can hold an identifier under a name of its own."""


def row_key(row: Row) -> Key:
    """What ``delete`` takes."""
    return (row.id if isinstance(row, FailedEvent) else (row.event_id or NO_UUID).lower()), row_time(row)


def row_time(row: Row) -> int:
    """The instant by which a row is selected."""
    return failed_time(row) if isinstance(row, FailedEvent) else row.collector_tstamp or 0


class Search(msgspec.Struct, frozen=True):
    """Which rows to look at: those with one of ``values`` in an identifier column or inside of other text, in any
    case. ``everywhere``: inside of all text columns, not only of those that name what they hold.

    A store may answer more rows than that, never fewer; the caller looks at each.
    """

    values: Sequence[str]
    everywhere: bool = False


class Apps(msgspec.Struct, frozen=True):
    """Which application ids: only these, or all but these (``""``: events without one)."""

    names: Sequence[str] = ()
    mode: Literal["only", "but"] = "but"

    def has(self, app_id: str | None) -> bool:
        return ((app_id or "") in self.names) is (self.mode == "only")


class Expired(msgspec.Struct, frozen=True):
    """Rows older than a cutoff. ``partitions``: those that go as a whole, ``rows`` of theirs included."""

    rows: int
    partitions: Sequence[str] = ()


class Lifetime(Protocol):
    def scan(
        self, kind: EventKind, *, since: int | None = None, until: int | None = None, search: Search | None = None
    ) -> Iterator[Row]:
        """Every row of a time range (ms, ``since`` inclusive, ``until`` exclusive), in order of time unless there is
        a ``search``."""

    def delete(self, kind: EventKind, keys: Sequence[Key]) -> None:
        """Take these rows out, with everything that was derived from them. They are invisible when it returns."""

    def set_records(self, records: Mapping[str, bytes | None]) -> None:
        """Failed event's id -> the request record to keep with it from now on (``None``: none)."""

    def expired(self, kind: EventKind, before: int, apps: Apps) -> Expired:
        """What ``expire`` would take out now."""

    def expire(self, kind: EventKind, before: int, apps: Apps) -> Expired:
        """Take out all rows of these applications older than ``before``."""

    def expired_records(self, before: int, apps: Apps) -> int:
        """How many request records ``expire_records`` would take out now."""

    def expire_records(self, before: int, apps: Apps) -> int:
        """Take the request records out of failed events older than ``before``; the failed events stay."""

    def expired_modelled(self, before: int, apps: Apps) -> int:
        """How many rows ``expire_modelled`` would take out now."""

    def expire_modelled(self, before: int, apps: Apps) -> int:
        """Take out the modelled rows of these applications and of a time before ``before``. Counts without anything
        about people stay."""

    def settle(self) -> str:
        """Have deleted rows leave the disk; returns when they did, as far as the database tells. The text says what
        remains for how long."""
