"""ClickHouse's own compressed blocks (``compress=1``, ``decompress=1``), the default of its JDBC and Go drivers.

A block is: CityHash128 (of version 1.0.2) of the rest, 16 bytes; method, 1 byte; size of the block without its checksum
and size of its content, 4 bytes each, little-endian; the compressed content.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from snowgauge.store.clickhouse.engine.exceptions import EngineError, error
from snowgauge.store.clickhouse.engine.zstandard import zstd

_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
_CHECKSUM = 16
_CONTENT = 1 << 20
_HEAD = struct.Struct("<BII")
_LARGEST = 128 << 20
"""Drivers cut at a megabyte; the engine itself takes up to a gigabyte, which nobody needs."""


def compressed(data: bytes) -> bytes:
    """The data in LZ4 blocks."""
    import lz4.block  # type: ignore[import-untyped,unused-ignore]

    out = bytearray()
    for start in range(0, len(data), _CONTENT):
        content = data[start : start + _CONTENT]
        packed = lz4.block.compress(content, store_size=False)
        block = _HEAD.pack(_LZ4, _HEAD.size + len(packed), len(content)) + packed
        out += _checksum(block) + block
    return bytes(out)


def decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What is in the blocks of a body; a body that is none, or ends early, raises ``EngineError``."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while (size := _whole(held)) and len(held) >= size:
            block = bytes(held[:size])
            del held[:size]
            yield _content(block)
    if held:
        raise _broken("it ends in the middle of a block")


def _whole(held: bytearray) -> int:
    """The length of the block at the start, checksum included; 0: not known yet."""
    if len(held) < _CHECKSUM + _HEAD.size:
        return 0
    _, size, content = _HEAD.unpack_from(held, _CHECKSUM)
    if not _HEAD.size <= size <= _LARGEST or content > _LARGEST:
        raise _broken(f"a block says that it has {size} bytes of {content}; at most {_LARGEST} are taken")
    return int(_CHECKSUM + size)


def _content(block: bytes) -> bytes:
    method, _, size = _HEAD.unpack_from(block, _CHECKSUM)
    body = block[_CHECKSUM:]
    if _checksum(body) != block[:_CHECKSUM]:
        raise _broken("the checksum of a block is wrong")
    packed = body[_HEAD.size :]
    try:
        found = _unpacked(method, packed, size)
    except (ValueError, RuntimeError, EOFError, zstd().ZstdError) as raised:
        raise _broken(str(raised)) from None
    if len(found) != size:
        raise _broken(f"a block has {len(found)} bytes and says {size}")
    return found


def _unpacked(method: int, packed: bytes, size: int) -> bytes:
    if method == _LZ4:
        import lz4.block

        return bytes(lz4.block.decompress(packed, uncompressed_size=size)) if size else b""
    if method == _ZSTD:
        return bytes(zstd().ZstdDecompressor().decompress(packed, size + 1))
    if method == _NONE:
        return packed
    raise ValueError(f"method {method:#x} is not known: use LZ4, ZSTD or none")


def _checksum(data: bytes) -> bytes:
    from clickhouse_cityhash import cityhash  # type: ignore[import-untyped,unused-ignore]

    made: Any = cityhash.CityHash128(data)
    return struct.pack("<QQ", made >> 64, made & 0xFFFFFFFFFFFFFFFF)


def _broken(why: str) -> EngineError:
    return error(271, "CANNOT_DECOMPRESS", f"The request body is not made of ClickHouse's compressed blocks: {why}")
