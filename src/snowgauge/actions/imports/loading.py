"""Loading what Snowplow's enrich wrote into files: enriched events and bad rows, straight into the store, each once.

Unlike an import, which is run once, this goes on: it waits for a store that is unreachable, and looks again for files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from snowgauge.actions.imports.files import SourceFile
from snowgauge.actions.imports.into_store import IntoStore, Kind
from snowgauge.actions.imports.ledger import Ledger
from snowgauge.actions.imports.totals import Totals
from snowgauge.backoff import Backoff
from snowgauge.errors import StoreUnavailable
from snowgauge.store.base import BatchWriter

Lines = Callable[[Iterable[SourceFile], Kind, Callable[[], None]], Iterator[tuple[bytes, bytes]]]
"""New lines of files with their keys, of one kind; the last parameter is called when a file ends."""


class Unchanged:
    """Leaves out files that are new or have changed since the last look: someone may still be writing them."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def of(self, files: Iterable[SourceFile]) -> Iterator[SourceFile]:
        last, self._last = self._last, {}
        for file in files:
            self._last[file.name] = file.version
            if last.get(file.name) == file.version:
                yield file


class Loading:
    """``store`` takes batches past the tombstones. ``wait`` waits so many seconds, and is true when told to stop."""

    def __init__(
        self,
        ledger: Ledger,
        store: BatchWriter,
        totals: Totals,
        lines: Lines,
        *,
        chunk: int,
        told: Callable[[str], None],
        wait: Callable[[float], bool],
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._totals = totals
        self._lines = lines
        self._chunk = chunk
        self._told = told
        self._wait = wait

    def load(self, files: Mapping[Kind, Callable[[], Iterable[SourceFile]]]) -> bool:
        """Load all that is there, through outages of the store; false when told to stop meanwhile."""
        backoff = Backoff(longest=30)
        while True:
            try:
                for kind, found in files.items():
                    self._load(kind, found())
            except StoreUnavailable as error:
                self._told(f"waiting for the store: {error}")
                if self._wait(backoff.pause()):
                    return False
            else:
                return True

    def _load(self, kind: Kind, files: Iterable[SourceFile]) -> None:
        sink = IntoStore(self._ledger, self._store, self._totals, kind, chunk=self._chunk)
        for key, line in self._lines(files, kind, sink.flush):
            sink.add(key, line)
