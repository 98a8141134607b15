"""Records of enrich's topics as outcomes."""

from __future__ import annotations

import pytest

from snowgauge.actions.imports.loaded import EnrichedRecords, bad_row
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Enriched, Failed
from snowgauge.testing.events import schema_violation, web_page_view


def test_an_enriched_line_is_the_event_that_was_written() -> None:
    line = to_tsv(web_page_view(1)).encode()
    for record in (line, line + b"\n"):
        (outcome,) = EnrichedRecords().attempt(record, "seed")
        assert isinstance(outcome, Enriched)
        assert to_tsv(outcome.event).encode() == line


@pytest.mark.parametrize("record", [b"", b"x", b"a\tb", b"\xff" + to_tsv(web_page_view(1)).encode()])
def test_what_is_none_fails_with_the_same_id_each_time(record: bytes) -> None:
    (first,), (second,) = (EnrichedRecords().attempt(record, "seed", at=5) for _ in range(2))
    assert isinstance(first, Failed)
    assert first == second
    assert first.failure.failure_type == "loader_parsing_error"
    assert first.failure.failed_at == 5


def test_bad_rows_keep_their_type_and_what_is_none_is_kept() -> None:
    row = bad_row(LogEntry(schema_violation(1).bad_row_json(), 7, "bad_row"), "seed")
    assert row.failure_type == "schema_violations"
    assert row.schema == schema_violation(1).schema
    odd = bad_row(LogEntry(b"\xffnothing", 7, "bad_row"), "seed")
    assert (odd.failure_type, odd.failed_at) == ("generic_error", 7)
