"""Runs the conformance cases of ``cases/*.json``: one rule of enrich 6.10 each."""

import importlib
import json
from pathlib import Path

import msgspec
import pytest

from snowgauge.enrich.enrichments.registry import defined_in
from snowgauge.errors import EnrichmentFailure
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.testing.enriching import means_with, source_with

CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['rule']}")
    for path in sorted(Path(__file__).parent.glob("cases/*.json"))
    for case in json.loads(path.read_text("utf-8"))
]


@pytest.mark.parametrize(("module", "case"), CASES)
def test_case(module, case):
    (found,) = defined_in(importlib.import_module(f"snowgauge.enrich.enrichments.{module}"))
    parameters = case.get("parameters")
    enrichment = found.create(found.default if parameters is None else parameters, means_with())
    event = EnrichedEvent(**case.get("event", {}))
    event.contexts = [SelfDescribing.parse(item) for item in case.get("contexts", [])]
    if "unstruct_event" in case:
        event.unstruct_event = SelfDescribing.parse(case["unstruct_event"])
    before = msgspec.structs.asdict(event)
    source = source_with(
        parameters=case.get("sent"),
        page_query=case.get("query", ()),
        headers=case.get("headers"),
        entities=[SelfDescribing.parse(item) for item in case.get("entities", [])],
    )
    failures, attached = [], ()
    try:
        attached = enrichment.enrich(event, source)
    except EnrichmentFailure as failure:
        failures = [failure]
    except ExceptionGroup as group:
        failures = list(group.exceptions)
    finally:
        enrichment.close()

    after = msgspec.structs.asdict(event)
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert changed == case.get("columns", {})
    assert [item.as_json() for item in attached] == case.get("attached", [])
    assert [_as_json(failure) for failure in failures] == case.get("failures", [])


def _as_json(failure):
    if failure.field is None:
        return {"message": failure.message}
    return {"message": failure.message, "field": failure.field, "value": failure.value}
