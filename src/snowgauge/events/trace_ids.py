"""Where in a trace a payload stands, told from its record alone.

A trace goes on in another process, maybe days later, with an event log between that may be Snowplow's own. Nothing is
kept for that beside the record, and no byte of it changes: the ids of its spans are cut out of its SHA-256. A request
that names a trace itself (``traceparent``, W3C Trace Context) has that header in its record as every other, so that the
worker finds there what the collector found. Who computes the ids twice, after a crash, computes the same ones.
"""

from __future__ import annotations

import hashlib
import re

from snowgauge.errors import PayloadRecordError
from snowgauge.events import payload_record
from snowgauge.telemetry.reporting.base import Client, TraceIds

_PARENT = re.compile(r"traceparent:\s*(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|\s*$)", re.I)


def trace_ids(body: bytes, *, is_payload: bool = True) -> TraceIds:
    """``is_payload``: the body is a collector payload's record, in which headers can be found."""
    digest = hashlib.sha256(body).digest()
    return TraceIds(
        trace=int.from_bytes(digest[:16]),
        request=int.from_bytes(digest[16:24]),
        enriched=int.from_bytes(digest[24:32]),
        client=_client(body) if is_payload else None,
    )


def _client(record: bytes) -> Client | None:
    try:
        headers = payload_record.decode(record).headers
    except PayloadRecordError:
        return None
    for header in headers or ():
        found = _PARENT.match(header)
        if found is not None:
            trace, span = int(found[1], 16), int(found[2], 16)
            return Client(trace, span, bool(int(found[3], 16) & 1)) if trace and span else None
    return None
