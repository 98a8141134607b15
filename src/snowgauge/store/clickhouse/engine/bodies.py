"""Request bodies in, response bodies out: framing, compression, limits."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

from snowgauge.store.clickhouse.engine.compressed import compressed
from snowgauge.store.clickhouse.engine.exceptions import error
from snowgauge.store.clickhouse.engine.zstandard import zstd

CHUNK = 1 << 20
_ENCODINGS = ("zstd", "lz4", "gzip", "deflate")


class ClientGone(Exception):
    """The connection ended in the middle of a request."""


def read_framed(stream: Any, headers: Any) -> Iterator[bytes]:
    """The raw body by Content-Length or chunked framing, in pieces."""
    if "chunked" in (headers.get("Transfer-Encoding") or "").lower():
        while True:
            line = stream.readline(1024)
            try:
                size = int(line.split(b";", 1)[0].strip() or b"x", 16)
            except ValueError:
                raise ClientGone from None
            if size == 0:
                while stream.readline(1024).strip():
                    pass
                return
            yield from _exactly(stream, size)
            stream.readline(8)
    else:
        length = headers.get("Content-Length") or "0"
        if not length.isdigit():
            raise error(381, "HTTP_LENGTH_REQUIRED", f"Content-Length {length[:40]!r} is not a number")
        yield from _exactly(stream, int(length))


def _exactly(stream: Any, size: int) -> Iterator[bytes]:
    while size:
        piece = stream.read(min(size, CHUNK))
        if not piece:
            raise ClientGone
        size -= len(piece)
        yield piece


def decoded(pieces: Iterator[bytes], encoding: str, limit: int) -> Iterator[bytes]:
    """The body without its Content-Encoding, never more than ``limit`` bytes."""
    return limited(_decompressed(pieces, encoding.strip().lower()), limit)


def limited(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """The pieces, or an ``EngineError`` once they have more than ``limit`` bytes together."""
    seen = 0
    for piece in pieces:
        seen += len(piece)
        if seen > limit:
            raise error(
                307,
                "TOO_MANY_BYTES",
                f"The request body is larger than {limit} bytes (setting clickhouse.engine.request_limit)",
            )
        yield piece


def _decompressed(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        yield from pieces
        return
    if encoding in ("gzip", "deflate"):
        yield from _zlib(pieces, 31 if encoding == "gzip" else 15)
        return
    if encoding not in ("lz4", "zstd"):
        raise error(
            48,
            "NOT_IMPLEMENTED",
            f"Content-Encoding {encoding[:40]!r} is not supported: send {', '.join(_ENCODINGS)} or none",
        )
    make: Any = _lz4().LZ4FrameDecompressor if encoding == "lz4" else zstd().ZstdDecompressor
    unpacker = make()
    try:
        for piece in pieces:
            data = piece
            while data:
                if unpacker.eof:
                    unpacker = make()
                out = unpacker.decompress(data, CHUNK)
                if out:
                    yield out
                while not unpacker.eof and not unpacker.needs_input:
                    yield unpacker.decompress(b"", CHUNK)
                data = unpacker.unused_data or b"" if unpacker.eof else b""
    except (RuntimeError, EOFError, zstd().ZstdError) as raised:
        raise _broken(encoding, raised) from None
    if not unpacker.eof:
        raise _broken(encoding, EOFError("it ends early"))


def _zlib(pieces: Iterator[bytes], window: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(window)
    try:
        for piece in pieces:
            data = piece
            while data:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(window)
                out = unpacker.decompress(data, CHUNK)
                data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if out:
                    yield out
    except zlib.error as raised:
        raise _broken("gzip", raised) from None
    if not unpacker.eof:
        raise _broken("gzip", EOFError("it ends early"))


def _broken(encoding: str, reason: BaseException) -> Exception:
    return error(271, "CANNOT_DECOMPRESS", f"The request body is not valid {encoding}: {reason}")


def _lz4() -> Any:
    import lz4.frame  # type: ignore[import-untyped,unused-ignore]

    return lz4.frame


def accepted_encoding(header: str) -> str:
    """The best encoding of an Accept-Encoding header; empty: none."""
    wanted = {part.split(";")[0].strip().lower() for part in header.split(",") if "q=0" not in part.replace(" ", "")}
    return next((encoding for encoding in _ENCODINGS if encoding in wanted), "")


class Compressor:
    """Compresses a response piece by piece: ``encoding`` of HTTP, or ``blocks`` for ClickHouse's own."""

    def __init__(self, encoding: str) -> None:
        self._begin = b""
        self._pack: Callable[[bytes], bytes]
        self._end: Callable[[], bytes]
        if encoding == "blocks":
            self._pack, self._end = compressed, bytes
        elif encoding in ("gzip", "deflate"):
            packer = zlib.compressobj(3, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
            self._pack, self._end = packer.compress, packer.flush
        elif encoding == "lz4":
            lz4 = _lz4().LZ4FrameCompressor()
            self._begin = lz4.begin()
            self._pack, self._end = lz4.compress, lz4.flush
        else:
            packer = zstd().ZstdCompressor(level=1)
            self._pack, self._end = packer.compress, packer.flush

    def pack(self, data: bytes) -> bytes:
        out = self._begin + bytes(self._pack(data))
        self._begin = b""
        return out

    def end(self) -> bytes:
        out = self._begin + bytes(self._end())
        self._begin = b""
        return out
