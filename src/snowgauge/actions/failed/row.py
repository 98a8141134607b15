"""A failed event as the store gives it, typed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec


class FailedRow(msgspec.Struct, kw_only=True):
    """The columns that recovery reads. ``data`` is the bad row's; ``record`` the request, whole, where it was kept."""

    id: str
    failure_type: str
    data: dict[str, Any]
    failed_at: str = ""
    app_id: str | None = None
    tracker: str | None = None
    event_id: str | None = None
    event_name: str | None = None
    collector_tstamp: str | None = None
    schema: str | None = None
    message: str | None = None
    record: bytes | None = None
    event_index: int | None = None
    seed: str | None = None
    cause: str | None = None
    status: str = "open"
    attempts: int = 0
    attempted_at: str | None = None
    attempt_message: str | None = None
    recovered_at: str | None = None
    recovery_run: str | None = None
    recovered_into: str | None = None

    @staticmethod
    def of(row: Mapping[str, Any]) -> FailedRow:
        """From what ``Reader.failed_events`` gives."""
        given = {name: row[name] for name in FailedRow.__struct_fields__ if name in row}
        if given.get("record") is not None:
            given["record"] = base64.b64decode(given["record"])
        return FailedRow(**given)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The bad row's reasons, whatever its type."""
        failure = self.data.get("failure")
        if isinstance(failure, Mapping):
            found = failure.get("messages")
            if isinstance(found, list):
                return [message for message in found if isinstance(message, dict)]
            one = failure.get("message")
            return [one] if isinstance(one, dict) else []
        return [item for item in failure if isinstance(item, dict)] if isinstance(failure, list) else []
