"""Records of topics that Snowplow's enrich writes, as outcomes: there is nothing left to enrich."""

from __future__ import annotations

import time

from snowgauge.actions.imports.bad_rows import NotBadRow, failed_event
from snowgauge.actions.imports.into_log import PROCESSOR
from snowgauge.actions.imports.into_store import not_enriched
from snowgauge.delivery.enriching import stable_id
from snowgauge.events.bad_row import generic_error
from snowgauge.events.enriched_tsv import NotEnriched, from_tsv
from snowgauge.events.failed import FailedEvent
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Enriched, Failed, Outcome


class EnrichedRecords:
    """Stands where a worker has its enricher; a record is one line of enriched TSV."""

    def attempt(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]:
        return self.conclude(record, seed, at=at)

    def settle(self) -> None:
        """Nothing is put off."""

    def conclude(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]:
        line = record.rstrip(b"\r\n")
        try:
            return [Enriched(from_tsv(line.decode("utf-8")))]
        except (NotEnriched, UnicodeDecodeError) as error:
            now = time.time_ns() // 1_000_000 if at is None else at
            return [Failed(not_enriched(stable_id(seed), line, str(error), now))]

    def flush_metrics(self) -> None:
        """Nothing is counted here."""


def bad_row(entry: LogEntry, seed: str) -> FailedEvent:
    """A bad row of Snowplow's, with its request for recovery where it holds one."""
    try:
        return failed_event(entry.body, stable_id(seed), entry.received_at)
    except NotBadRow as error:
        text = entry.body.decode("utf-8", "replace")
        return generic_error(PROCESSOR, entry.received_at, stable_id(seed), [f"not a bad row: {error}"], text)
