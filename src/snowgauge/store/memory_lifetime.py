"""Events leaving the store in memory: the reference for what ``Lifetime`` promises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from snowgauge.events.failed import FailedEvent
from snowgauge.store.base import EventKind
from snowgauge.store.lifetime import Apps, Expired, Key, Row, Search, row_key, row_time


class MemoryLifetime:
    """Works on the rows of a ``MemoryStore`` under its lock."""

    def __init__(self, rows: dict[EventKind, list[Any]], lock: threading.RLock) -> None:
        self._rows = rows
        self._lock = lock

    def scan(
        self,
        kind: EventKind,
        *,
        since: int | None = None,
        until: int | None = None,
        search: Search | None = None,  # noqa: ARG002 - more rows than asked for are allowed
    ) -> Iterator[Row]:
        with self._lock:
            rows = sorted(self._rows[kind], key=lambda row: row_key(row)[::-1])
        for row in rows:
            at = row_time(row)
            if (since is None or at >= since) and (until is None or at < until):
                yield _plain(row) if isinstance(row, FailedEvent) else row

    def delete(self, kind: EventKind, keys: Sequence[Key]) -> None:
        gone = set(keys)
        self._keep(kind, lambda row: row_key(row) not in gone)

    def set_records(self, records: Mapping[str, bytes | None]) -> None:
        with self._lock:
            self._rows["failed"][:] = [
                msgspec.structs.replace(row, record=records[row.id]) if row.id in records else row
                for row in self._rows["failed"]
            ]

    def expired(self, kind: EventKind, before: int, apps: Apps) -> Expired:
        with self._lock:
            return Expired(sum(_past(row, before, apps) for row in self._rows[kind]))

    def expire(self, kind: EventKind, before: int, apps: Apps) -> Expired:
        found = self.expired(kind, before, apps)
        self._keep(kind, lambda row: not _past(row, before, apps))
        return found

    def expired_modelled(self, before: int, apps: Apps) -> int:  # noqa: ARG002 - events in memory have no such rows
        return 0

    def expire_modelled(self, before: int, apps: Apps) -> int:  # noqa: ARG002
        return 0

    def expired_records(self, before: int, apps: Apps) -> int:
        with self._lock:
            return len(self._with_record(before, apps))

    def expire_records(self, before: int, apps: Apps) -> int:
        with self._lock:
            found = self._with_record(before, apps)
            self.set_records(dict.fromkeys(found))
            return len(found)

    def _with_record(self, before: int, apps: Apps) -> list[str]:
        return [row.id for row in self._rows["failed"] if row.record is not None and _past(row, before, apps)]

    def settle(self) -> str:
        return "nothing of it is on a disk"

    def _keep(self, kind: EventKind, test: Callable[[Row], bool]) -> None:
        with self._lock:
            self._rows[kind][:] = [row for row in self._rows[kind] if test(row)]


def _plain(row: FailedEvent) -> FailedEvent:
    """Without what the store keeps beside it."""
    return FailedEvent(**{name: getattr(row, name) for name in FailedEvent.__struct_fields__})


def _past(row: Row, before: int, apps: Apps) -> bool:
    return row_time(row) < before and apps.has(row.app_id)
