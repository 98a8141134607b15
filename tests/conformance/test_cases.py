"""Runs the recorded cases beside this file: what Snowplow's enrich 6.10 makes of a request, row by row.

A case gives ``parameters`` (a querystring of ``/i``), or a raw ``querystring``, and more of the ``payload`` under the
Thrift names. It expects ``columns`` (as in the TSV), and for failures the bad row's type (``fails``), its atomic
``reports`` or ``messages`` (each a subset), and the ``failure_types`` of the failure entities.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.recorded import RecordedPayload, read_line
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.events import payload_record
from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.events.enriched_tsv import to_tsv
from snowgauge.events.outcome import Enriched, Failed, Outcome
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings

NAMES = [field.name for field in ATOMIC_FIELDS]
FOLDER = Path(__file__).parent
FILES = {path.stem: tomllib.loads(path.read_text()) for path in sorted((FOLDER / "cases").glob("*.toml"))}
CASES = [pytest.param(case, id=f"{stem}: {case['name']}") for stem, file in FILES.items() for case in file["case"]]
TABLES = [table for file in FILES.values() for table in file.get("table", [])]
URLS = [row for file in FILES.values() for urls in file.get("urls", []) for row in urls["rows"]]


@pytest.fixture(scope="module")
def validator() -> Any:
    return build(IgluSettings(iglu_central=False, registries=[str(FOLDER / "schemas")]), None)[1]


def outcomes(validator: Any, case: dict[str, Any]) -> list[Outcome]:
    payload = {"path": "/i", "timestamp": 1_700_000_000_000, "collector": "ssc-3.4.0", **case.get("payload", {})}
    if "querystring" in case:
        payload["querystring"] = case["querystring"]
    elif "parameters" in case:
        payload["querystring"] = urlencode(case["parameters"])
    if isinstance(payload.get("body"), dict):
        payload["body"] = json.dumps(payload["body"])
    read = read_line(json.dumps(payload))
    assert isinstance(read, RecordedPayload)
    enricher = Enricher(validator, EnrichSettings(**case.get("settings", {})), clock=lambda: 1_700_000_001_000)
    return enricher.process(payload_record.encode(read.payload()))


def columns_of(outcome: Outcome) -> dict[str, str]:
    event = outcome.event if isinstance(outcome, Enriched) else getattr(outcome, "incomplete", None)
    assert event is not None
    return dict(zip(NAMES, to_tsv(event).split("\t"), strict=True))


def covers(wanted: Any, found: Any) -> bool:
    """Is ``wanted`` part of ``found``? ``__null__`` stands for null, which TOML does not have."""
    if wanted == "__null__":
        return found is None
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(k in found and covers(v, found[k]) for k, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(covers, wanted, found))
    return bool(wanted == found)


@pytest.mark.parametrize("case", CASES)
def test_case(validator: Any, case: dict[str, Any]) -> None:
    found = outcomes(validator, case)
    assert len(found) == case.get("outcomes", 1), found
    outcome = found[case.get("look_at", 0)]
    if "fails" in case:
        assert isinstance(outcome, Failed), outcome
        row = outcome.failure.bad_row()["data"]
        assert outcome.failure.failure_type == case["fails"], row
        if "message" in case:
            assert covers(case["message"], row["failure"]["message"]), row["failure"]
        if "messages" in case:
            assert covers(case["messages"], row["failure"]["messages"]), row["failure"]
        if "reports" in case:
            [message] = [m for m in row["failure"]["messages"] if "atomic" in m["schemaKey"]]
            reports = [[r["path"], r["message"]] for r in message["error"]["dataReports"]]
            assert sorted(reports) == sorted(case["reports"])
        if case.get("null_enrichment"):
            assert all(message["enrichment"] is None for message in row["failure"]["messages"])
        if "failure_types" in case:
            assert outcome.incomplete is not None
            kinds = [e.data["failureType"] for e in outcome.incomplete.derived_contexts if e.schema.name == "failure"]
            assert kinds == case["failure_types"]
    else:
        assert isinstance(outcome, Enriched), outcome
    if "columns" in case:
        columns = columns_of(outcome)
        assert {name: columns[name] for name in case["columns"]} == case["columns"]


@pytest.mark.parametrize(
    ("parameter", "column", "text", "expected"),
    [(t["parameter"], t["column"], *row) for t in TABLES for row in t["accepts"]],
)
def test_parameter_is_converted(validator: Any, parameter: str, column: str, text: str, expected: str) -> None:
    [outcome] = outcomes(validator, {"parameters": {"e": "se", parameter: text}})
    assert isinstance(outcome, Enriched)
    assert columns_of(outcome)[column] == expected


@pytest.mark.parametrize(
    ("parameter", "column", "text", "message"),
    [(t["parameter"], t["column"], *row) for t in TABLES for row in t["refuses"]],
)
def test_parameter_is_refused(validator: Any, parameter: str, column: str, text: str, message: str) -> None:
    [outcome] = outcomes(validator, {"parameters": {"e": "se", parameter: text}})
    assert isinstance(outcome, Failed)
    [violation] = outcome.failure.data["failure"]["messages"]
    assert violation["schemaKey"] == "iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0"
    assert violation["error"]["dataReports"] == [
        {"message": message, "path": parameter, "keyword": "atomic_field_parse_error", "targets": []}
    ]
    assert columns_of(outcome)[column] == "" or column == "event_id"
    assert outcome.incomplete is not None
    assert outcome.incomplete.derived_contexts[0].data["data"] == {parameter: text}


@pytest.mark.parametrize("row", URLS, ids=[row[0] for row in URLS])
def test_url_parts(validator: Any, row: list[str]) -> None:
    [outcome] = outcomes(validator, {"parameters": {"e": "pv", "url": row[0], "refr": row[0]}})
    assert isinstance(outcome, Enriched), outcome
    columns = columns_of(outcome)
    parts = ("scheme", "host", "port", "path", "query", "fragment")
    assert [columns[f"page_url{part}"] for part in parts] == row[1:7]
    assert [columns[f"refr_url{part}"] for part in parts] == row[1:7]
    assert columns["page_url"] == (row[7] if len(row) > 7 else row[0])
    assert columns["page_referrer"] == row[0]
