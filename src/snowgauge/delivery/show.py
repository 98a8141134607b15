"""Waiting entries as JSON lines, for ``snowgauge eventlog show`` and for feeding ``snowgauge enrich``."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

import msgspec
import orjson

from snowgauge.delivery.contract import LogStats
from snowgauge.errors import PayloadRecordError
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload_record import decode


def line(entry: LogEntry) -> bytes:
    """One entry: a payload under the Thrift struct's field names, or ``{"badRow": ...}``.

    A body that is neither is shown as ``{"record": <base64>, "error": ...}``.
    """
    if entry.kind == "erased":
        return b'{"erased":true}'
    if entry.kind == "bad_row":
        try:
            return orjson.dumps({"badRow": orjson.loads(entry.body)})
        except orjson.JSONDecodeError as error:
            return _unreadable(entry, str(error))
    try:
        return msgspec.json.encode(decode(entry.body))
    except PayloadRecordError as error:
        return _unreadable(entry, str(error))


def _unreadable(entry: LogEntry, error: str) -> bytes:
    return orjson.dumps({"record": base64.b64encode(entry.body).decode("ascii"), "error": error})


def lines(entries: Iterable[LogEntry]) -> Iterator[bytes]:
    for entry in entries:
        yield line(entry)


def stats_report(stats: LogStats) -> dict[str, float | int | None]:
    """The backlog under the names that command line and API show."""
    return {
        "entries": stats.entries,
        "bytes": stats.bytes,
        "oldestSeconds": round(stats.oldest_seconds, 3),
        "capacityBytes": stats.capacity_bytes,
        "unreadableEntries": stats.unreadable,
    }
