"""Which failed events have one cause: the reason without what differs from event to event, and a short id of it."""

from __future__ import annotations

import hashlib
import re

from snowgauge.events.failed import FailedEvent

_VARYING = re.compile(
    r"(?P<keep>iglu:[A-Za-z0-9_./-]+(?:-\*)*)"
    r"|(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)"
    r"|(?P<url>\b[a-z][a-z0-9+.-]*://[^\s'\"]+)"
    r"|(?P<quoted>\"(?:[^\"\\]|\\.)*\"|(?<![A-Za-z0-9])'(?:[^'\\]|\\.)*'|`[^`]*`)"
    r"|(?P<index>\[\d+\])"
    r"|(?P<time>\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)"
    r"|(?P<hex>\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{16,}\b)"
    r"|(?P<number>(?<![A-Za-z0-9_.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![A-Za-z0-9_]))"
)
_SHOWN = {"uuid": "<uuid>", "url": "<url>", "quoted": "'…'", "index": "[*]", "time": "<time>", "hex": "<hex>",
          "number": "#"}  # fmt: skip
_LONGEST = 500


def normal_message(message: str) -> str:
    """A reason without its numbers, ids, addresses, times and quoted values; schema names stay."""
    return _VARYING.sub(lambda found: _SHOWN.get(found.lastgroup or "", found[0]), message[: 4 * _LONGEST])[:_LONGEST]


def cause_of(failed: FailedEvent) -> str:
    """The id of the group that this failure belongs to."""
    return cause_id(failed.failure_type, failed.schema, failed.message, failed.app_id)


def cause_id(failure_type: str, schema: str | None, message: str | None, app_id: str | None) -> str:
    """Ten hexadecimal digits, the same for one cause indefinitely.

    The tracker is no part of it: one mistake that several versions of a tracker send is one cause.
    """
    parts = (failure_type, schema or "", normal_message(message or ""), app_id or "")
    text = "\x1f".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(text).hexdigest()[:10]
