from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.recorded import run_lines
from snowgauge.events.outcome import Tally

Make = Callable[..., Enricher]
LINE = {"id": 7, "path": "/i", "querystring": "e=pv&p=web&se_va=1.50&vid=2&cookie=1", "timestamp": 1_700_000_000_000}


def run(enricher: Enricher, *lines: Any, fmt: Any = "json") -> tuple[list[str], list[str]]:
    errors: list[str] = []
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return list(run_lines(texts, enricher, fmt, on_error=errors.append)), errors


def test_a_line_per_outcome(enricher_with: Make) -> None:
    [text], errors = run(enricher_with(), {**LINE, "collector": "c"})
    line = json.loads(text)
    assert errors == []
    assert list(line) == ["id", "outcome", "parameters", "event", "badRow"]
    assert (line["id"], line["outcome"], line["badRow"]) == (7, "enriched", None)
    assert line["parameters"]["se_va"] == "1.50"
    event = line["event"]
    assert len(event) == 131
    assert (event["domain_sessionidx"], event["br_cookies"], event["se_value"]) == (2, True, "1.50")
    assert event["collector_tstamp"] == "2023-11-14 22:13:20.000"


def test_a_failure_shows_bad_row_and_incomplete_event(enricher_with: Make) -> None:
    line = json.loads(run(enricher_with(), {**LINE, "collector": None})[0][0])
    assert line["outcome"] == "failed"
    assert line["badRow"]["schema"].startswith("iglu:com.snowplowanalytics.snowplow.badrows/enrichment_failures/")
    assert line["event"]["derived_contexts"]["data"][0]["data"]["failureType"] == "EnrichmentError: "


def test_number_literals_stay(enricher_with: Make) -> None:
    place = "iglu:com.snowplowanalytics.snowplow/geolocation_context/jsonschema/1-1-0"
    wrapped = f'{{"schema":"{place}","data":{{"latitude":1.10,"longitude":2}}}}'
    contexts = f'{{"schema":"iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0","data":[{wrapped}]}}'
    body = {
        "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
        "data": [{"e": "pv", "p": "web", "tv": "t", "co": contexts}],
    }
    line = {
        "path": "/com.snowplowanalytics.snowplow/tp2",
        "body": json.dumps(body),
        "contentType": "application/json",
        "collector": "c",
    }
    [text], _ = run(enricher_with(), line)
    assert '"latitude":1.10' in text


def test_base64_of_a_record(enricher_with: Make, record: Callable[..., bytes]) -> None:
    [text], _ = run(enricher_with(), base64.b64encode(record()).decode())
    assert json.loads(text)["outcome"] == "enriched"
    assert json.loads(text)["id"] is None


def test_a_bad_row_line_passes_through(enricher_with: Make) -> None:
    [text], _ = run(enricher_with(), {"id": "x", "badRow": {"schema": "s", "data": {}}})
    assert json.loads(text) == {
        "id": "x",
        "outcome": "failed",
        "parameters": {},
        "event": None,
        "badRow": {"schema": "s", "data": {}},
    }


def test_malformed_lines_are_told_by_number_and_the_rest_goes_on(enricher_with: Make) -> None:
    out, errors = run(enricher_with(), "zzz!", "", {"timestamp": "soon"}, '{"a"', {**LINE, "collector": "c"})
    assert len(out) == 1
    assert [error.partition(":")[0] for error in errors] == ["line 1", "line 3", "line 4"]
    assert "$.timestamp" in errors[1]


def test_tsv(enricher_with: Make) -> None:
    good, bad = {**LINE, "collector": "c"}, LINE
    [text], errors = run(enricher_with(), good, bad, fmt="tsv")
    assert text.count("\t") == 130
    assert errors == ["line 2: enrichment_failures: v_collector: should be set"]


def test_the_sums(enricher_with: Make) -> None:
    tally = Tally()
    lines = [json.dumps({**LINE, "collector": "c"}), json.dumps(LINE)]
    assert len(list(run_lines(lines, enricher_with(), on_error=print, tally=tally))) == tally.events == 2
    assert (tally.records, tally.enriched, tally.failed) == (2, 1, 1)


def test_a_second_run_gives_the_same_ids(enricher_with: Make) -> None:
    line = {**LINE, "collector": "c"}
    ids = [json.loads(text)["event"]["event_id"] for text in run(enricher_with(), line, line)[0]]
    assert len(set(ids)) == 2
    assert ids == [json.loads(text)["event"]["event_id"] for text in run(enricher_with(), line, line)[0]]
