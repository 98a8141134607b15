"""Second copies of the files that define databases and tables, since the engine may empty one on a full disk.

With an empty definition the folder cannot be opened. The copy is that of before the statement, which was refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from snowgauge.telemetry.logs import logger

log = logger("clickhouse")


class Definitions:
    """Those of the engine over ``path``. Not to be used from two threads at a time, but for ``broken``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copies = path / "snowgauge-definitions"

    def keep(self) -> None:
        """Copy what is new. Raises ``OSError``."""
        there = set()
        for file in self._files():
            copy = self._copy_of(file)
            there.add(copy)
            with suppress(FileNotFoundError):  # renamed or dropped meanwhile
                now = file.stat()
                if now.st_size and (not copy.exists() or copy.stat().st_mtime_ns != now.st_mtime_ns):
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    draft = copy.with_suffix(".new")
                    shutil.copy2(file, draft)
                    draft.replace(copy)
        for copy in [*self._copies.rglob("*.sql")]:
            if copy not in there:
                copy.unlink()

    def broken(self) -> list[str]:
        """The files that are empty."""
        found = []
        for file in self._files():
            with suppress(FileNotFoundError):
                if not file.stat().st_size:
                    found.append(str(file))
        return found

    def mend(self) -> None:
        """Put copies in the place of empty files; one without a copy was never whole, and goes. For a closed engine."""
        for name in self.broken():
            file = Path(name)
            copy = self._copy_of(file)
            log.error(
                "engine_definition_empty", file=name, effect="that of before holds" if copy.exists() else "it goes"
            )
            if copy.exists():
                shutil.copy2(copy, file)
            else:
                file.unlink()

    def _files(self) -> Iterator[Path]:
        yield from self._path.glob("metadata/*.sql")
        yield from self._path.glob("store/*/*/*.sql")

    def _copy_of(self, file: Path) -> Path:
        return self._copies / file.relative_to(self._path)
