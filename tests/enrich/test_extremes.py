"""Extreme values: every one becomes an outcome, every outcome can be written, and one bad event costs itself only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowgauge.actions.micro.contract import BadFilter, GoodFilter, PageQuery
from snowgauge.actions.micro.memory import MemoryMicroEvents
from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.recorded import outcome_line
from snowgauge.events import payload_record
from snowgauge.events.enriched_tsv import as_json, to_tsv
from snowgauge.events.outcome import Enriched, Failed, Outcome
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.iglu.contract import Invalid, Validator, ValidSchema
from snowgauge.testing.store_extremes import NUMBERS, TEXTS, json_texts, readable, written

Make = Callable[..., Enricher]
Record = Callable[..., bytes]
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
PAYLOAD_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
MAY_1 = 1_714_557_600_000


class AnythingGoes:
    """A validator that knows every schema and takes any data."""

    def check(self, item: SelfDescribing) -> ValidSchema | Invalid:
        return ValidSchema()


@pytest.fixture(scope="module")
def lenient() -> Enricher:
    return Enricher(AnythingGoes(), clock=lambda: MAY_1)


def shown(record: bytes, outcomes: list[Outcome]) -> None:
    """Every way in which an outcome leaves: TSV, JSON of both kinds, bad row, and Micro's answers."""
    assert outcomes
    micro = MemoryMicroEvents()
    micro.add(record, outcomes)
    page = micro.page(PageQuery(filters=[], page=1, page_size=10)).events
    for answer in (micro.good(GoodFilter()), micro.bad(BadFilter()), micro.everything(), page):
        for item in json.loads(orjson.dumps(answer), parse_constant=pytest.fail):
            assert isinstance(item, dict)
    micro.columns()
    for outcome in outcomes:
        json.loads(outcome_line(None, outcome), parse_int=str, parse_constant=pytest.fail)
        event = outcome.event if isinstance(outcome, Enriched) else getattr(outcome, "incomplete", None)
        assert event is None or written(event)
        if isinstance(outcome, Failed):
            assert readable(outcome.failure.bad_row())
            assert outcome.failure.failure_type != "generic_error", outcome.failure.message


@pytest.mark.parametrize(
    ("parameters", "derived"),
    [
        ({"dtm": "1700637358012", "stm": "99999999999999"}, "-1091-05-08 07:29:18.013"),
        ({"dtm": "-62167219200000", "stm": "253402300799999"}, "-7976-05-01 10:00:00.001"),
        ({"dtm": "253402300799999", "stm": "-62167219200000"}, "2024-05-01 10:00:00.000"),
        ({"ttm": "-62167219200000"}, "0000-01-01 00:00:00.000"),
    ],
)
def test_times_of_clocks_that_are_far_off(
    enricher_with: Make, record: Record, parameters: dict[str, str], derived: str
) -> None:
    """As enrich 6.10 writes them."""
    sent = record({"e": "pv", "p": "web", **parameters}, timestamp=MAY_1)
    outcomes = enricher_with().process(sent)
    shown(sent, outcomes)
    assert isinstance(outcomes[0], Enriched)
    assert as_json(outcomes[0].event)["derived_tstamp"] == derived
    assert f"\t{derived}\t" in to_tsv(outcomes[0].event)


_WHOLE = st.sampled_from([-(2**63), -(2**63) - 1, 2**63 - 1, -62167219200000, 253402300799999, 253402300800000, 0, -1])
_VALUE = (_WHOLE | st.integers(-62167219200000, 253402300799999)).map(str) | NUMBERS | TEXTS
_TIMES = st.fixed_dictionaries({}, optional=dict.fromkeys(("dtm", "stm", "ttm", "vid", "tid", "ti_qu"), _VALUE))
_NUMBERS = st.fixed_dictionaries({}, optional=dict.fromkeys(("se_va", "tr_tt", "tr_tx", "ti_pr", "res"), _VALUE))
_TEXTS = st.fixed_dictionaries({}, optional=dict.fromkeys(("page", "url", "refr", "ua", "uid", "eid", "ip"), TEXTS))


def entity(text: str) -> str:
    return f'{{"schema":"{CONTEXTS}","data":[{{"schema":"iglu:com.acme/any/jsonschema/1-0-0","data":{text}}}]}}'


@FUZZ
@given(_TIMES, _NUMBERS, _TEXTS, st.none() | json_texts(), st.integers(-(2**63), 2**63 - 1) | st.just(MAY_1))
def test_any_extreme_of_one_event(
    lenient: Enricher, times: Any, numbers: Any, texts: Any, data: str | None, timestamp: int
) -> None:
    from urllib.parse import quote

    parameters = {"e": "se", "p": "web", **times, **numbers, **texts}
    if data is not None:
        parameters["co"] = entity(data)
    query = "&".join(f"{name}={quote(value, safe='', errors='replace')}" for name, value in parameters.items())
    payload = CollectorPayload(path="/i", querystring=query, timestamp=timestamp, collector="c", user_agent=query)
    record = payload_record.encode(payload)
    shown(record, lenient.process(record))


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400])
def test_a_number_beyond_a_double_keeps_its_literal(lenient: Enricher, record: Record, number: str) -> None:
    """Text that is kept has the number as it was sent; where a value is needed, it is the literal as text."""
    sent = record({"e": "pv", "p": "web", "co": entity(f'{{"unitPrice":{number}}}')})
    [outcome] = lenient.process(sent)
    assert isinstance(outcome, Enriched)
    assert f'"unitPrice":{number}' in to_tsv(outcome.event)
    assert f'"unitPrice":{number}' in outcome_line(None, outcome)
    assert as_json(outcome.event)["contexts"]["data"][0]["data"] == {"unitPrice": number}
    shown(sent, [outcome])


class BrokenForOne:
    """A validator with a bug that one event meets."""

    def __init__(self, inner: Validator) -> None:
        self._inner = inner

    def check(self, item: SelfDescribing) -> ValidSchema | Invalid:
        if item.schema.name == "web_page":
            raise OverflowError("date value out of range")
        return self._inner.check(item)


def test_a_bug_costs_the_event_that_meets_it_and_not_its_neighbours(
    enricher_with: Make, record: Record, validator: Validator
) -> None:
    page = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
    contexts = json.dumps({"schema": CONTEXTS, "data": [{"schema": page, "data": {}}]})
    events = [{"e": "pv", "p": "web", "tv": "t"}, {"e": "pv", "p": "web", "tv": "t", "co": contexts}]
    body = json.dumps({"schema": PAYLOAD_DATA, "data": [*events, events[0]]})
    sent = record(
        path="/com.snowplowanalytics.snowplow/tp2", querystring=None, body=body, content_type="application/json"
    )
    outcomes = enricher_with(validator=BrokenForOne(validator)).process(sent)
    assert [type(outcome) for outcome in outcomes] == [Enriched, Failed, Enriched]
    failed = outcomes[1]
    assert isinstance(failed, Failed)
    assert (failed.failure.failure_type, failed.failure.event_index) == ("generic_error", 1)
    assert failed.failure.message == "OverflowError: date value out of range"
    assert failed.failure.record == sent
    assert json.loads(failed.failure.data["payload"]) == events[1]
    again = enricher_with(validator=BrokenForOne(validator)).process(sent)[1]
    assert isinstance(again, Failed)
    assert again.failure.id == failed.failure.id


@pytest.mark.parametrize("number", ["1e999", "9" * 400])
@pytest.mark.parametrize("data", ['{{"unitPrice":{0}}}', "[{0}]"])
def test_an_explanation_can_be_written_too(lenient: Enricher, record: Record, number: str, data: str) -> None:
    """Good data, and data that is not self-describing, whose failure shows it."""
    texts = (entity(data.format(number)), f'{{"schema":"{CONTEXTS}","data":[{data.format(number)}]}}')
    for explanation in (found for co in texts for found in lenient.explain(record({"e": "pv", "p": "web", "co": co}))):
        for step in explanation.steps:
            assert readable({"set": step.set, "entities": step.entities, "failure": step.failure})
