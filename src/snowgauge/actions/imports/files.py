"""The files of an import, in a folder or a bucket, read as a stream of lines; gzip is recognised by its content."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from snowgauge.errors import SnowgaugeError

PARQUET = b"PAR1"
_GZIP = b"\x1f\x8b"
_BUFFER = 1 << 18
_LONGEST_LINE = 1024**2


class SourceFile(Protocol):
    """``version`` changes when the content does; ``size`` is for showing progress."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def size(self) -> int: ...

    def open(self) -> io.BufferedReader:
        """From its beginning. Raises ``OSError``."""


class LocalFile:
    def __init__(self, path: Path) -> None:
        found = path.stat()
        self.path = path
        self.name = str(path)
        self.size = found.st_size
        self.version = f"{found.st_size}/{found.st_mtime_ns}"

    def open(self) -> io.BufferedReader:
        return self.path.open("rb")


def local_files(path: Path) -> Iterator[LocalFile]:
    """A file, or every file below a folder in the order of their paths; hidden ones are left out."""
    if path.is_dir():
        for found in sorted(path.rglob("*")):
            if found.is_file() and not any(part.startswith(".") for part in found.relative_to(path).parts):
                yield LocalFile(found)
    elif path.exists():
        yield LocalFile(path)
    else:
        raise SnowgaugeError(f"{path}: no such file or folder")


def find_files(location: str, buckets: Callable[[], Buckets]) -> Iterator[SourceFile]:
    """What is at a path or at ``s3://bucket/prefix`` now."""
    if location.startswith("s3://"):
        yield from buckets().files(location)
    elif "://" in location:
        raise SnowgaugeError(f"{location}: expected a path or s3://bucket/prefix")
    else:
        yield from local_files(Path(location).expanduser())


class Buckets(Protocol):
    """Access to object storage."""

    def files(self, location: str) -> Iterator[SourceFile]: ...


class Damaged(OSError):
    """A file that ends before its end, or is no valid gzip."""


def content(file: io.BufferedReader) -> io.BufferedReader:
    """The file, or what is in it when it is gzip. Reading may raise :class:`Damaged`."""
    return io.BufferedReader(_Inflated(file), _BUFFER) if file.peek(2)[:2] == _GZIP else file


class _Inflated(io.RawIOBase):
    """What gzip members hold, one after the other, up to where a file is damaged. (Python's own reader throws away
    what it has read of the last piece when the end is missing.)"""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._member: Any = None
        self._input = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if not self._input:
                self._input = self._file.read1(_BUFFER)
            if self._member is None:
                self._input = self._input.lstrip(b"\0")  # some writers fill up the last block
                if not self._input:
                    if more := self._file.read1(_BUFFER):
                        self._input = more
                        continue
                    return 0
                self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            elif not self._input:
                raise Damaged("damaged gzip: the file ends before its end")
            try:
                piece: bytes = self._member.decompress(self._input, len(buffer))
            except zlib.error as error:
                raise Damaged(f"damaged gzip: {error}") from error
            if self._member.eof:
                self._input, self._member = self._member.unused_data, None
            else:
                self._input = self._member.unconsumed_tail
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)


def lines(reader: io.BufferedReader) -> Iterator[bytes]:
    """Lines with their ends; only the last may have none. Raises ``OSError``.

    A line above 1 MiB comes in pieces of that size: a file without line ends must not fill the memory.
    """
    while line := reader.readline(_LONGEST_LINE):
        yield line
