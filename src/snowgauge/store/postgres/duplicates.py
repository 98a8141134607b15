"""Events that a client sent twice, because it never saw the answer to the first time, are kept once.

The unique key (event_id, collector_tstamp) says nothing about them: each request has a time of its own. So the ids of
a batch are looked up by that key's index before they are stored. Two transactions do not see each other's rows; a
sequence counts those that were stored, and who finds at the end that another came between looks once more. For that
look and the commit after it, writers take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from snowgauge.store.canonical import NO_UUID
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.values import MAX_TIME, MIN_TIME, pg_time

if TYPE_CHECKING:
    import psycopg

Item = TypeVar("Item")


class Overtaken(Exception):
    """Another transaction stored one of these events meanwhile: begin again."""


class Duplicates:
    """Those of one transaction."""

    def __init__(self, connection: psycopg.Connection[Any], layout: Layout) -> None:
        self._connection = connection
        self._layout = layout
        self._window = round(layout.settings.duplicate_window.total_seconds() * 1000)
        self._own: dict[str, list[int]] = {}
        self._turn = 0

    def without(self, items: Iterable[Item], key: Callable[[Item], tuple[str, int]]) -> list[Item]:
        """The items whose event was not stored within the window; ``key`` is its id and collector time in ms."""
        some = list(items)
        if not self._window or not some:
            return some
        self._turn = self._one(f"SELECT last_value + is_called::integer FROM {self._layout.loads}")
        keys = [key(item) for item in some]
        there = self._found(keys)
        new = []
        for item, (event_id, at) in zip(some, keys, strict=True):
            own = self._own.setdefault(event_id, [])
            if event_id == NO_UUID or not self._near(at, (*there.get(event_id, ()), *own)):
                own.append(at)
                new.append(item)
        return new

    def settle(self) -> None:
        """The last thing before the commit. Raises ``Overtaken``."""
        if not self._own:
            return
        schema = self._layout.schema
        self._connection.execute("SELECT pg_advisory_xact_lock(hashtext('snowgauge loads'), hashtext(%s))", (schema,))
        if self._one(f"SELECT nextval('{self._layout.loads}')") == self._turn:
            return
        there = self._found([(event_id, at) for event_id, own in self._own.items() for at in own])
        for event_id, own in self._own.items():
            others = [at for at in there.get(event_id, ()) if at not in own]  # an equal one the unique key has caught
            if event_id != NO_UUID and any(self._near(at, others) for at in own):
                raise Overtaken

    def _near(self, at: int, others: Iterable[int]) -> bool:
        return any(abs(at - other) <= self._window for other in others)

    def _found(self, keys: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
        """Stored events with one of these ids and a time near enough to matter: id -> times in ms."""
        wanted = [key for key in keys if key[0] != NO_UUID]
        if not wanted:
            return {}
        first = max(MIN_TIME, min(at for _, at in wanted) - self._window)
        last = min(MAX_TIME, max(at for _, at in wanted) + self._window)
        found: dict[str, list[int]] = {}
        rows = self._connection.execute(
            "SELECT event_id::text, round(extract(epoch FROM collector_tstamp) * 1000)::bigint "
            f"FROM {self._layout.name('events')} "
            "WHERE event_id = ANY(%s::uuid[]) AND collector_tstamp BETWEEN %s AND %s",
            (sorted({event_id for event_id, _ in wanted}), pg_time(first), pg_time(last)),
        )
        for event_id, at in rows:
            found.setdefault(event_id, []).append(at)
        return found

    def _one(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])
