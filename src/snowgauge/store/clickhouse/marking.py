"""Changing what is known about failed events: the whole row again, with a higher version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec

from snowgauge.events.failed_cause import cause_id
from snowgauge.events.timestamps import parse_ms, tsv_text
from snowgauge.store.base import FailedUpdate
from snowgauge.store.canonical import Recovery
from snowgauge.store.clickhouse.connection import Connection
from snowgauge.store.clickhouse.layout import FAILED_COLUMNS, Layout
from snowgauge.store.clickhouse.writer import INSERT_SETTINGS

_AT_ONCE = 100
_NAMES = tuple(column.name for column in FAILED_COLUMNS)
_encode = msgspec.json.Encoder().encode


def mark_failed(connection: Connection, layout: Layout, updates: Sequence[FailedUpdate]) -> int:
    """See the contract. Rows are read and written in small parts, since each may hold a whole request."""
    by_id = {str(UUID(update.id)): update for update in updates}
    ids = list(by_id)
    return sum(_mark(connection, layout, ids[at : at + _AT_ONCE], by_id) for at in range(0, len(ids), _AT_ONCE))


def _mark(connection: Connection, layout: Layout, ids: list[str], by_id: Mapping[str, FailedUpdate]) -> int:
    columns = ", ".join(f"`{name}`" for name in _NAMES)
    found = connection.rows(
        f"SELECT {columns} FROM {layout.name('failed_events')} FINAL WHERE id IN {{ids:Array(UUID)}}",
        {"ids": ids},
        {"select_sequential_consistency": 1} if layout.cluster else None,
    )
    rows = [_updated(dict(zip(_NAMES, row, strict=True)), by_id) for row in found]
    if rows:
        body = b"".join([_encode(row) + b"\n" for row in rows])
        connection.insert(layout.name("failed_events"), _NAMES, body, f"marked-{uuid4()}", INSERT_SETTINGS)
    return len(rows)


def _updated(row: dict[str, Any], by_id: Mapping[str, FailedUpdate]) -> dict[str, Any]:
    update = by_id[row["id"]]
    known = Recovery(
        row["status"],
        row["attempts"],
        _ms(row["attempted_at"]),
        row["attempt_message"],
        _ms(row["recovered_at"]),
        row["recovery_run"],
        row["recovered_into"],
    ).after(update)
    row["version"] += 1
    row["status"] = known.status
    row["attempts"] = known.attempts
    row["attempted_at"] = _text(known.attempted_at)
    row["attempt_message"] = known.attempt_message or ""
    row["recovered_at"] = _text(known.recovered_at)
    row["recovery_run"] = known.recovery_run or ""
    row["recovered_into"] = known.recovered_into or ""
    if update.message is not None:
        row["message"] = update.message
    if update.schema is not None:
        row["schema"] = update.schema
    row["cause"] = cause_id(row["failure_type"], row["schema"], row["message"], row["app_id"])
    return row


def _ms(text: str | None) -> int | None:
    return None if text is None else parse_ms(text)


def _text(ms: int | None) -> str | None:
    return None if ms is None else tsv_text(ms)
