"""CSV files, alone or in a ZIP, line by line; with limits on everything that a hostile file could make large."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from snowgauge.errors import ActionRefused

MOST_FILES = 500
LARGEST = 10_000_000_000
"""Bytes of one file, unpacked."""
MOST_CELLS = 500


class CsvFile(NamedTuple):
    """A file with its lines: their numbers, as an editor counts them, and their cells. They are read once."""

    name: str
    lines: Iterator[tuple[int, list[str]]]

    def place(self, number: int) -> str:
        """What an error begins with."""
        return f"{self.name}, line {number}"


def csv_files(paths: Sequence[Path]) -> Iterator[CsvFile]:
    """Every CSV at these places: files, ZIP files, and folders of them. Raises ``ActionRefused`` for what is none."""
    count = 0
    for path in _files(paths):
        if path.suffix.lower() != ".zip":
            count += 1
            _bounded(count)
            with path.open("rb") as file:
                yield CsvFile(path.name, _lines(path.name, file))
            continue
        try:
            with zipfile.ZipFile(path) as packed:
                for member in packed.infolist():
                    name = Path(member.filename).name
                    if member.is_dir() or not name.lower().endswith(".csv") or name.startswith("."):
                        continue
                    count += 1
                    _bounded(count)
                    if member.flag_bits & 1:
                        raise ActionRefused(f"{path.name}: {name} is encrypted: unpack it first", status=422)
                    with packed.open(member) as opened:
                        yield CsvFile(name, _lines(name, opened))
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
            raise ActionRefused(f"{path.name} is no readable ZIP: {error}", status=422) from None


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise ActionRefused(f"{path}: no such file or folder", status=422)
        if path.is_dir():
            yield from sorted(one for one in path.iterdir() if one.suffix.lower() in (".csv", ".zip"))
        else:
            yield path


def _bounded(count: int) -> None:
    if count > MOST_FILES:
        raise ActionRefused(f"at most {MOST_FILES} files at a time", status=422)


def _lines(name: str, file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    counted = _Counted(name, file)
    reader = csv.reader(io.TextIOWrapper(io.BufferedReader(counted), "utf-8-sig", newline=""), strict=True)
    try:
        for cells in reader:
            if len(cells) > MOST_CELLS:
                raise ActionRefused(f"{name}, line {reader.line_num}: more than {MOST_CELLS} cells", status=422)
            yield reader.line_num, cells
    except csv.Error as error:
        raise ActionRefused(f"{name}, line {reader.line_num}: no CSV: {error}", status=422) from None
    except UnicodeDecodeError as error:
        found = error.object[error.start : error.start + 8]
        raise ActionRefused(
            f"{name}, after line {reader.line_num}: {found!r} is no UTF-8: save the file as UTF-8", status=422
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ActionRefused(f"{name}, after line {reader.line_num}: damaged: {error}", status=422) from None


class _Counted(io.RawIOBase):
    """A file that may not become larger than ``LARGEST``."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self._name = name
        self._file = file
        self._left = LARGEST

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(len(buffer))
        self._left -= len(piece)
        if self._left < 0:
            raise ActionRefused(f"{self._name} is larger than {LARGEST:,} bytes", status=422)
        buffer[: len(piece)] = piece
        return len(piece)
