"""Imports recorded payloads: lines as ``snowgauge eventlog show`` prints them, or Thrift records in Base64."""

from __future__ import annotations

from snowgauge.actions.imports.bad_rows import failure_type
from snowgauge.actions.imports.into_log import IntoLog
from snowgauge.enrich.recorded import BadLine, read_line
from snowgauge.events import payload_record

LOADER = "payloads"


def take_line(sink: IntoLog, key: bytes, line: bytes) -> None:
    """One line into the event log; what is no payload becomes a failed event."""
    try:
        text = line.decode("utf-8")
        read = read_line(text)
    except (BadLine, UnicodeDecodeError) as error:
        sink.refuse(key, line, {"error": str(error)})
        return
    if isinstance(read, bytes):
        sink.add(key, read)  # also one that is no record: enrich keeps it as a failure that can be recovered
    elif read.bad_row is not None:
        row = read.bad_row if isinstance(read.bad_row, dict) else {}
        schema, data = row.get("schema"), row.get("data")
        if isinstance(schema, str) and failure_type(schema) and isinstance(data, dict):
            sink.add_bad_row(key, schema, data)
        else:
            sink.refuse(key, line, {"error": "badRow is not a bad row: expected an object with schema and data"})
    else:
        sink.add(key, payload_record.encode(read.payload()))
