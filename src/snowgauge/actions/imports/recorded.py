"""Lines of files other than access logs: what they hold, and the key each is known by."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from snowgauge.actions.imports.access_log import line_key
from snowgauge.actions.imports.files import SourceFile, content, lines
from snowgauge.actions.imports.ledger import Ledger
from snowgauge.actions.imports.totals import Totals


def new_lines(
    files: Iterator[SourceFile],
    ledger: Ledger,
    totals: Totals,
    *,
    kind: str,
    told: Callable[[str], None],
    flush: Callable[[], None],
    progress: Callable[[SourceFile | None], None],
    count_equal: bool,
) -> Iterator[tuple[bytes, bytes]]:
    """Keys and lines of files that were not read to their end before; empty lines are left out.

    ``count_equal``: equal lines of one file are different requests. Otherwise they are one thing written twice. What
    cannot be read is ``told``; ``flush`` is called when a file ends, before it counts as read.
    """
    for file in files:
        known_as = f"{kind}:{file.name}"
        if ledger.has_file(known_as, file.version):
            totals.files_known += 1
            continue
        ledger.new_file()
        try:
            with file.open() as opened, content(opened) as reader:
                for number, raw in enumerate(lines(reader)):
                    line = raw.rstrip(b"\r\n")  # tabs at its end are empty columns
                    if not line.strip():
                        continue
                    totals.lines += 1
                    key = line_key("", kind.encode() + line)
                    if count_equal and (occurrence := ledger.occurrence(key)) > 1:
                        key = line_key("", b"%s%d/" % (kind.encode(), occurrence) + line)
                    yield key, line
                    if number % 1024 == 0:
                        progress(None)
        except OSError as error:
            flush()
            totals.files_failed += 1
            told(f"{file.name}: {error}")
        else:
            flush()
            totals.files += 1
            ledger.add_file(known_as, file.version)
        progress(file)
