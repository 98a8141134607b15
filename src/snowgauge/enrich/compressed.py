"""Records of Snowplow collectors that compress what they write (3.6 and later): several payloads in one stream.

A stream is gzip or zstd; inflated it is two version bytes, then each payload behind its length. It is read a payload at
a time, so a record that inflates to much more than its own size takes no more memory than its payloads do.
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from typing import Any, Literal

Kind = Literal["Gzip", "Zstd"]
_MAGIC: tuple[tuple[bytes, Kind], ...] = ((b"\x1f\x8b", "Gzip"), (b"\x28\xb5\x2f\xfd", "Zstd"))


class Damaged(ValueError):
    """The record cannot be read on; the text is enrich's. ``loader`` is what enrich names in the bad row."""

    def __init__(self, text: str, loader: str) -> None:
        super().__init__(text)
        self.loader = loader


class TooLarge(ValueError):
    """A payload that is larger than allowed; ``size`` is its own."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


def kind_of(record: bytes) -> Kind | None:
    """``None``: the record is a payload as it stands. No Thrift record begins as these streams do."""
    return next((kind for magic, kind in _MAGIC if record.startswith(magic)), None)


def payloads(record: bytes, kind: Kind, largest: int) -> Iterator[bytes]:
    """The records in a compressed record. Raises ``Damaged`` or ``TooLarge`` after those that could be read."""
    broken: tuple[type[Exception], ...]
    if kind == "Gzip":
        stream: Any = gzip.GzipFile(fileobj=io.BytesIO(record))
        broken = (OSError, EOFError, zlib.error)
    else:
        zstd = _zstd()
        stream, broken = zstd.ZstdFile(io.BytesIO(record)), (zstd.ZstdError, EOFError, OSError)
    with stream:
        try:
            versions = _exactly(stream, 2)
            if versions != b"\x01\x01":
                numbers = ", ".join(str(byte) for byte in versions)
                raise Damaged(f"Unsupported versions in compressed record header: {numbers}", kind)
            while head := stream.read(1):
                size = int.from_bytes(head + _exactly(stream, 3), "big")
                if size > largest:
                    raise TooLarge(size)
                yield _exactly(stream, size)
        except broken as error:
            # enrich names no loader here: it is made in a class without a name
            raise Damaged("corrupt compressed payload", "") from error


def _exactly(stream: Any, size: int) -> bytes:
    parts = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    if size:
        raise EOFError
    return b"".join(parts)


def _zstd() -> Any:
    """Of Python from 3.14, before that its backport."""
    if sys.version_info >= (3, 14):
        from compression import zstd as module  # type: ignore[import-not-found,unused-ignore]
    else:
        from backports import zstd as module
    return module
