"""An import with everything real but the internet: a spool, a ledger, a store in memory."""

import pytest

from snowgauge.actions.imports.access_log import AccessLogReader, TrackingPaths
from snowgauge.actions.imports.cloudfront import CloudFrontImport
from snowgauge.actions.imports.files import local_files
from snowgauge.actions.imports.into_log import IntoLog
from snowgauge.actions.imports.ledger import Ledger
from snowgauge.actions.imports.totals import Totals
from snowgauge.delivery.spool import SpoolLog
from snowgauge.store.memory import MemoryStore


class Place:
    """A data folder; ``run`` is one run of the command over some files."""

    def __init__(self, folder):
        self.folder = folder
        self.log = SpoolLog(folder / "spool", min_free_bytes=0)
        self.store = MemoryStore()
        self.told = []

    def run(self, *sources, chunk=1000, growing=False, files=None, log=None, **more):
        totals = Totals()
        with Ledger(self.folder / "imports", durable=False) as ledger:
            sink = IntoLog(
                ledger, log or self.log, lambda: self.store, totals, loader="cloudfront", collector="cloudfront",
                chunk=chunk, **more,
            )  # fmt: skip
            try:
                found = files or [file for source in sources for file in local_files(source)]
                reader = AccessLogReader(TrackingPaths())
                CloudFrontImport(reader, ledger, sink, totals, told=self.told.append).run(found, growing=growing)
            finally:
                sink.close()
        return totals

    def entries(self):
        return list(self.log.peek())

    def consume(self):
        """What a pipeline does to the log: everything is taken out. Returns the entries."""
        subscription = self.log.subscribe()
        taken = []
        while (batch := subscription.read(0.05)) is not None:
            taken += batch.entries
            subscription.commit(batch)
        subscription.close()
        return taken


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)
