"""The audit log: what was done, by whom, from where."""

from __future__ import annotations

from collections.abc import Callable

from snowgauge.actions.access.records import AuditEntry
from snowgauge.actions.access.roles import Principal
from snowgauge.state.tables import Overtaken, SharedTables

_TRIES = 5


class AuditLog:
    """``clock`` gives milliseconds."""

    def __init__(self, tables: SharedTables, clock: Callable[[], int]) -> None:
        self._tables = tables
        self._clock = clock

    def record(self, who: Principal, action: str, subject: str, detail: str, ip: str) -> None:
        values = (self._clock(), who.name, who.kind, action, subject[:500], detail[:2000], ip)
        for left in reversed(range(_TRIES)):
            try:
                with self._tables.writing() as db:
                    db.execute(
                        "INSERT INTO audit (at, who, kind, action, subject, detail, ip) VALUES (?, ?, ?, ?, ?, ?, ?)",
                        values,
                    )
                return
            except Overtaken:
                if not left:
                    raise

    def read(self, limit: int, before: int | None) -> list[AuditEntry]:
        """Newest first; ``before`` is the number of the last one seen."""
        with self._tables.reading() as db:
            rows = db.execute(
                "SELECT * FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?", (before or 2**62, limit)
            ).fetchall()
        return [AuditEntry(**dict(row)) for row in rows]
