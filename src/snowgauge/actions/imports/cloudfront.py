"""Imports CloudFront access logs: each request to the pixel once, as if it had come to the collector."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from snowgauge.actions.imports.access_log import AccessLogReader, Hit, Parsed, UnusableLog, line_key
from snowgauge.actions.imports.files import PARQUET, SourceFile, content, lines
from snowgauge.actions.imports.into_log import IntoLog
from snowgauge.actions.imports.ledger import Ledger
from snowgauge.actions.imports.totals import Totals
from snowgauge.errors import SnowgaugeError

LOADER = "cloudfront"


class CloudFrontImport:
    """``run`` reads what is new among some files; it may be called again and again with the same ones.

    ``told`` is called with a message for each file that could not be read to its end, ``progress`` every few thousand
    lines and after each file.
    """

    def __init__(
        self,
        reader: AccessLogReader,
        ledger: Ledger,
        sink: IntoLog,
        totals: Totals,
        *,
        told: Callable[[str], None] = lambda _: None,
        progress: Callable[[SourceFile | None], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._reader = reader
        self._ledger = ledger
        self._sink = sink
        self._totals = totals
        self._told = told
        self._progress = progress
        self._stopped = stopped
        self._unfinished: dict[str, str] = {}

    def run(self, files: Iterable[SourceFile], *, growing: bool = False) -> None:
        """``growing``: a last line without an end is left for a later call, until its file stays as it is."""
        for file in files:
            if self._stopped():
                return
            if self._ledger.has_file(file.name, file.version):
                self._totals.files_known += 1
                continue
            try:
                whole = self._file(file, partial_last=not growing or self._unfinished.get(file.name) == file.version)
            except (OSError, UnusableLog) as error:
                self._sink.flush()
                self._totals.files_failed += 1
                self._told(f"{file.name}: {error}")
            else:
                self._sink.flush()
                self._totals.files += 1
                if whole:
                    self._ledger.add_file(file.name, file.version)
                    self._unfinished.pop(file.name, None)
                else:
                    self._unfinished[file.name] = file.version
            self._progress(file)

    def _file(self, file: SourceFile, *, partial_last: bool) -> bool:
        """Returns whether all of the file was read."""
        self._reader.begin()
        self._ledger.new_file()
        with file.open() as opened, content(opened) as reader:
            if reader.peek(4)[:4] == PARQUET:
                for values in parquet_rows(reader):
                    self._take(self._reader.record(values), repr(values).encode("utf-8", "replace"))
                return True
            for number, raw in enumerate(lines(reader)):
                if not partial_last and not raw.endswith(b"\n"):
                    return False
                line = raw.rstrip(b"\r\n")
                self._take(self._reader.line(line.decode("utf-8", "replace")), line)
                if number % 4096 == 0:
                    self._progress(None)
                    if self._stopped():
                        return False
            return True

    def _take(self, parsed: Parsed | None, line: bytes) -> None:
        if parsed is None:
            return
        totals = self._totals
        totals.lines += 1
        if parsed == "not ours":
            totals.not_ours += 1
            return
        identity = parsed.identity
        if identity:
            key = line_key(identity, b"")
        else:
            key = line_key("", line)
            occurrence = self._ledger.occurrence(key)
            if occurrence > 1:
                key = line_key("", b"%d/" % occurrence + line)
        if isinstance(parsed, Hit):
            self._sink.add(key, parsed.record)
        else:
            self._sink.refuse(key, line, parsed.message)


def parquet_rows(reader: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet log, which has to be looked at from its end: it goes through a temporary file."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise SnowgaugeError("reading Parquet logs needs pyarrow: pip install 'snowgauge[parquet]'") from None
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(reader, kept)
        try:
            for batch in parquet.ParquetFile(kept).iter_batches(batch_size=4096):
                yield from batch.to_pylist()
        except pyarrow.ArrowException as error:
            raise OSError(f"damaged Parquet: {error}") from error
