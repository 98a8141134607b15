"""Outcomes larger than ``enrich.max_record_size`` become size violations, as enrich 6.10 writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from snowgauge.enrich.enricher import Enricher
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.events.outcome import Enriched, Failed

Make = Callable[..., Enricher]
Record = Callable[..., bytes]
ACTION = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
CLICK = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1"


def click(size: int, **more: Any) -> dict[str, str]:
    data = {"targetUrl": "http://a/" + "ü" * size, **more}
    body = {"schema": ACTION, "data": {"schema": CLICK, "data": data}}
    return {"e": "ue", "p": "web", "aid": "shop", "eid": "2dfeb9b7-5a87-4214-8a97-a8b23176856b",
            "ue_pr": json.dumps(body, ensure_ascii=False)}  # fmt: skip


def test_an_event_that_is_too_large(enricher_with: Make, record: Record) -> None:
    (outcome,) = enricher_with(max_record_size=3000).process(request := record(click(1500)), "seed")
    assert isinstance(outcome, Failed)
    (whole,) = enricher_with().process(request, "seed")
    assert isinstance(whole, Enriched)
    text = to_tsv(whole.event)
    assert outcome.failure.bad_row()["schema"].endswith("/size_violation/jsonschema/1-0-0")
    assert outcome.failure.data["failure"] == {
        "timestamp": "2023-11-14T22:13:21.234Z",
        "maximumAllowedSizeBytes": 3000,
        "actualSizeBytes": len(text),
        "expectation": "Enriched event exceeds the maximum allowed size of 3000 bytes",
    }
    assert outcome.failure.data["payload"] == text[:300]
    assert (outcome.incomplete, outcome.failure.record, outcome.failure.event_index) == (None, request, 0)
    assert (outcome.failure.app_id, outcome.failure.event_id) == ("shop", click(0)["eid"])


def test_the_limit_itself_is_allowed_and_counts_bytes(enricher_with: Make, record: Record) -> None:
    request = record(click(1500))
    (whole,) = enricher_with().process(request, "seed")
    assert isinstance(whole, Enriched)
    size = len(to_tsv(whole.event).encode())
    for limit, kind in ((size, Enriched), (size - 1, Failed)):
        (outcome,) = enricher_with(max_record_size=limit).process(request, "seed")
        assert type(outcome) is kind


def test_a_bad_row_that_is_too_large_is_replaced(enricher_with: Make, record: Record) -> None:
    (outcome,) = enricher_with(max_record_size=4000).process(record(click(1500, elementId=1)), "seed")
    assert isinstance(outcome, Failed)
    assert outcome.failure.message == (
        "Event failed enrichment and resulting bad row exceeds the maximum allowed size of 4000 bytes"
    )
    assert outcome.failure.data["payload"].startswith('{"schema":"iglu:')
    assert len(outcome.failure.data["payload"]) == 400


@pytest.mark.parametrize("payload", [{"path": "/x"}, {"path": "/com.snowplowanalytics.snowplow/tp2", "body": "{"}])
def test_failures_of_whole_payloads_have_the_limit_too(
    enricher_with: Make, record: Record, payload: dict[str, Any]
) -> None:
    request = record({"e": "pv", "x": "y" * 3000}, **payload)
    outcomes = enricher_with(max_record_size=2000).process(request, "seed")
    assert {o.failure.failure_type for o in outcomes if isinstance(o, Failed)} == {"size_violation"}
    assert len({o.failure.id for o in outcomes if isinstance(o, Failed)}) == len(outcomes)


def test_an_incomplete_event_that_is_too_large_is_left_out(enricher_with: Make, record: Record) -> None:
    request = record(click(1500, elementId=1))
    (whole,) = enricher_with().process(request, "seed")
    assert isinstance(whole, Failed)
    assert whole.incomplete is not None
    row, event = len(whole.failure.bad_row_json()), len(to_tsv(whole.incomplete).encode())
    (outcome,) = enricher_with(max_record_size=max(row, event)).process(request, "seed")
    assert outcome == whole
    (smaller,) = enricher_with(max_record_size=event - 1).process(request, "seed")
    assert isinstance(smaller, Failed)
    assert smaller.incomplete is None
