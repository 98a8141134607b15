"""Form bodies (``multipart/form-data``): how clients send parameters that are too long for an address."""

from __future__ import annotations

import re

from snowgauge.store.clickhouse.engine.exceptions import error

_BOUNDARY = re.compile(r"boundary=\"?([^\";,]+)", re.IGNORECASE)
_NAME = re.compile(rb"[;\s]name=\"([^\"]*)\"", re.IGNORECASE)
_FILE = re.compile(rb"[;\s]filename\*?=", re.IGNORECASE)


def form_fields(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Names and values in order. A file would be an external table, which this engine does not take."""
    found = _BOUNDARY.search(content_type)
    if not found:
        raise error(36, "BAD_ARGUMENTS", "The multipart request names no boundary")
    mark = b"--" + found[1].strip().encode()
    fields = []
    for part in (b"\r\n" + body).split(b"\r\n" + mark)[1:]:
        if part.startswith(b"--"):
            break
        head, separator, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not separator or not name:
            raise error(36, "BAD_ARGUMENTS", "A part of the multipart request has no name or no end")
        if _FILE.search(head):
            raise error(48, "NOT_IMPLEMENTED", "External tables (files in multipart requests) are not supported here")
        fields.append((name[1].decode("utf-8", "replace"), value.decode("utf-8", "surrogateescape")))
    return fields
