"""What the event log keeps: one entry per request, from the moment it is answered until its events are stored."""

from __future__ import annotations

from typing import Literal

import msgspec

EntryKind = Literal["payload", "bad_row", "erased"]


class LogEntry(msgspec.Struct, frozen=True):
    """``payload``: ``body`` is a Thrift CollectorPayload record. ``bad_row``: a bad row the collector itself made, as
    JSON. ``erased``: a person's data was here, ``body`` is zeros. ``received_at`` is the server clock in ms."""

    body: bytes
    received_at: int
    kind: EntryKind = "payload"
