"""Changing what is known about failed events."""

from __future__ import annotations

from collections.abc import Sequence

from snowgauge.events.failed_cause import cause_id
from snowgauge.store.base import FailedUpdate
from snowgauge.store.postgres.connection import Connections
from snowgauge.store.postgres.layout import Layout
from snowgauge.store.postgres.values import pg_time


def mark_failed(connections: Connections, layout: Layout, updates: Sequence[FailedUpdate]) -> int:
    """See the contract. All of it or none."""
    name = layout.name("failed_events")
    found = 0
    with connections.use() as connection, connection.transaction():
        for update in sorted(updates, key=lambda one: one.id):  # in one order, so that two runs cannot block each other
            at = pg_time(update.at)
            row = connection.execute(
                f"UPDATE {name} SET version = version + 1, status = %s, attempts = attempts + 1, attempted_at = %s, "
                "attempt_message = %s, recovered_at = %s, recovery_run = %s, recovered_into = %s, "
                "message = coalesce(%s, message), schema = CASE WHEN %s THEN %s ELSE schema END WHERE id = %s::uuid "
                "RETURNING failure_type, schema, message, app_id",
                (
                    update.status,
                    at,
                    _text(update.note),
                    None if update.status == "open" else at,
                    update.run,
                    " ".join(update.into) or None,
                    None if update.message is None else _text(update.message),
                    update.schema is not None,
                    update.schema or None,
                    update.id,
                ),
            ).fetchone()
            if row is None:
                continue
            found += 1
            connection.execute(f"UPDATE {name} SET cause = %s WHERE id = %s::uuid", (cause_id(*row), update.id))
    return found


def _text(text: str) -> str | None:
    """What can be stored of a text: no U+0000, no lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode() or None
