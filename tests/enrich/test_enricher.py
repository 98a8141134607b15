"""The life of an event as a whole: ids, enrichments and their failures, drops, outages, metrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from snowgauge.enrich.adapters.base import Adapter, AdapterInput, Partial
from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.enrichments.base import DropEvent, Enrichment, EnrichmentSource
from snowgauge.errors import EnrichmentFailure, RegistryOutage
from snowgauge.events import payload_record
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.outcome import Dropped, Enriched, Failed, Outcome
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.tracker import TrackerEvent
from snowgauge.iglu.contract import Invalid, ValidSchema
from snowgauge.telemetry import metrics

Make = Callable[..., Enricher]
Record = Callable[..., bytes]
PAGE = SchemaKey("com.snowplowanalytics.snowplow", "web_page", "jsonschema", 1, 0, 0)
GOOD = {"id": "2dfeb9b7-5a87-4214-8a97-a8b23176856b"}


class Does(Enrichment):
    """An enrichment that does what a test wants of it."""

    identifier = "does"

    def __init__(self, deed: Callable[[EnrichedEvent, EnrichmentSource], Any], place: int = 60, **more: Any) -> None:
        self.deed = deed
        self.runs_at = place
        self.fields = more.get("fields", ())
        self.identifier = more.get("identifier", "does")
        self.schema_key = SchemaKey("com.acme", "does_config", "jsonschema", 1, 0, 0)

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        return self.deed(event, source) or ()


def raising(error: BaseException) -> Callable[[EnrichedEvent, EnrichmentSource], None]:
    def deed(event: EnrichedEvent, source: EnrichmentSource) -> None:
        raise error

    return deed


def enriched(outcome: Outcome) -> EnrichedEvent:
    assert isinstance(outcome, Enriched), outcome
    return outcome.event


def failed(outcome: Outcome) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


def test_columns_of_the_process_itself(enricher_with: Make, record: Record) -> None:
    [outcome] = enricher_with(processor_artifact="acme-enrich", processor_version="1.2.3").process(record())
    event = enriched(outcome)
    assert (event.v_etl, event.etl_tstamp, event.v_collector) == ("acme-enrich-1.2.3", 1_700_000_001_234, "ssc-3.4.0")
    assert outcome.parameters == {"e": "pv", "p": "web"}


def test_the_same_record_and_seed_give_the_same_ids(enricher_with: Make, record: Record) -> None:
    once, again, other = (
        enriched(enricher_with().process(record(), seed)[0]).event_id for seed in ("entry-1", "entry-1", "entry-2")
    )
    assert once == again != other
    assert once is not None
    assert UUID(once).version == 4  # as enrich's are
    fails = [failed(enricher_with().process(record({"e": "x"}), "s")[0]).failure.id for _ in range(2)]
    assert fails[0] == fails[1]


def test_events_of_one_payload_have_different_ids(enricher_with: Make, record: Record) -> None:
    event = {"e": "pv", "p": "web", "tv": "t"}
    body = {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": [event, event]}
    raw = record(
        path="/com.snowplowanalytics.snowplow/tp2",
        body=json.dumps(body),
        content_type="application/json",
        querystring=None,
    )
    ids = {enriched(outcome).event_id for outcome in enricher_with().process(raw)}
    assert len(ids) == 2


def test_an_identity_makes_the_event_id(enricher_with: Make, record: Record) -> None:
    payload = payload_record.decode(record())
    sent = TrackerEvent({"e": "pv"}, "com.acme", "v1", payload, identity="m-1")
    ids = {enriched(enricher_with().process_tracker_event(sent, seed=seed)).event_id for seed in ("a", "b")}
    assert len(ids) == 1


def test_recovery_can_go_past_the_adapter(enricher_with: Make, record: Record) -> None:
    payload = payload_record.decode(record(ip_address="203.0.113.9"))
    tracker = TrackerEvent({"e": "pv", "aid": "mended"}, "com.snowplowanalytics.snowplow", "tp2", payload)
    event = enriched(enricher_with().process_tracker_event(tracker, seed="s", index=3))
    assert (event.app_id, event.user_ipaddress) == ("mended", "203.0.113.9")


def test_a_failed_event_carries_what_recovery_needs(enricher_with: Make, record: Record) -> None:
    raw = record({"e": "pv", "p": "web", "vid": "x", "aid": "shop", "tv": "js-4", "eid": GOOD["id"]})
    failure = failed(enricher_with().process(raw)[0]).failure
    assert (failure.record, failure.event_index) == (raw, 0)
    assert (failure.app_id, failure.platform, failure.tracker, failure.event_id) == ("shop", "web", "js-4", GOOD["id"])
    assert failure.message == "vid: Cannot be converted to java.lang.Integer"
    assert failure.schema == "iglu:com.snowplowanalytics.snowplow/atomic/jsonschema/1-0-0"
    assert failure.collector_tstamp == 1_700_000_000_000


def test_no_incomplete_event_where_failed_events_are_off(enricher_with: Make, record: Record) -> None:
    assert failed(enricher_with(emit_incomplete=False).process(record({"e": "x"}))[0]).incomplete is None


def test_a_truncated_record(enricher_with: Make, record: Record) -> None:
    failure = failed(enricher_with().process(record()[:20])[0]).failure
    assert failure.failure_type == "collector_payload_format_violation"
    assert failure.data["failure"]["message"]["error"].startswith("error deserializing raw event: ")


def test_a_payload_without_a_path(enricher_with: Make, record: Record) -> None:
    failure = failed(enricher_with().process(record(path=None))[0]).failure
    message = {"payloadField": "path", "value": None, "expectation": "request does not contain a path"}
    assert failure.data["failure"]["message"] == message


# ---- enrichments


def test_enrichments_run_in_order_and_newest_entities_come_first(enricher_with: Make, record: Record) -> None:
    def attach(name: str) -> Callable[..., Any]:
        return lambda event, source: [SelfDescribing(PAGE, {"id": GOOD["id"][:-1] + name})]

    late, early = Does(attach("1"), 100, identifier="late"), Does(attach("2"), 10, identifier="early")
    event = enriched(enricher_with(late, early).process(record())[0])
    assert [entity.data["id"][-1] for entity in event.derived_contexts] == ["1", "2"]


def test_event_columns_are_there_for_late_enrichments_only(enricher_with: Make, record: Record) -> None:
    seen: dict[str, str | None] = {}
    steps = [
        Does(lambda event, source: seen.__setitem__("early", event.event_name), 120, identifier="a"),
        Does(lambda event, source: seen.__setitem__("late", event.event_name), 130, identifier="b"),
    ]
    enricher_with(*steps).process(record())
    assert seen == {"early": None, "late": "page_view"}


def test_an_enrichment_sees_the_page_query_and_the_parameters(enricher_with: Make, record: Record) -> None:
    seen: list[Any] = []
    looks = Does(lambda event, source: seen.extend([list(source.page_query), source.parameters["e"], source.headers]))
    enricher_with(looks).process(record({"e": "pv", "url": "http://a.com/?a=1&a=%20&b"}, headers=["Host: a"]))
    assert seen == [[("a", "1"), ("a", " "), ("b", None)], "pv", ["Host: a"]]


def test_failures_of_enrichments(enricher_with: Make, record: Record) -> None:
    first = Does(raising(EnrichmentFailure("simple")), 60, identifier="one")
    second = Does(
        raising(ExceptionGroup("", [EnrichmentFailure("expected", field="f", value="v"), EnrichmentFailure("more")])),
        80,
        identifier="two",
    )
    third = Does(lambda event, source: setattr(event, "mkt_source", "still runs"), 90, identifier="three")
    outcome = failed(enricher_with(first, second, third).process(record())[0])
    about = {"schemaKey": "iglu:com.acme/does_config/jsonschema/1-0-0"}
    assert outcome.failure.failure_type == "enrichment_failures"
    assert outcome.failure.data["failure"]["messages"] == [
        {
            "enrichment": {**about, "identifier": "two"},
            "message": {"field": "f", "value": "v", "expectation": "expected"},
        },
        {"enrichment": {**about, "identifier": "two"}, "message": {"error": "more"}},
        {"enrichment": {**about, "identifier": "one"}, "message": {"error": "simple"}},
    ]
    assert outcome.incomplete is not None
    assert outcome.incomplete.mkt_source == "still runs"
    entity = outcome.incomplete.derived_contexts[0].data
    assert list(entity) == [
        "failureType",
        "errors",
        "schema",
        "data",
        "timestamp",
        "componentName",
        "componentVersion",
    ]
    assert entity["failureType"] == "EnrichmentError: two"
    assert entity["errors"] == [{"message": "f - expected", "source": "f"}]
    assert entity["data"] == {"f": "v"}
    assert entity["timestamp"] == "2023-11-14T22:13:21.234Z"


def test_a_bug_in_an_enrichment_is_its_failure(enricher_with: Make, record: Record) -> None:
    outcome = failed(enricher_with(Does(raising(ZeroDivisionError("oops")))).process(record())[0])
    [message] = outcome.failure.data["failure"]["messages"]
    assert message["enrichment"]["identifier"] == "does"
    assert "ZeroDivisionError" in message["message"]["error"]


def test_a_drop_leaves_nothing_even_of_a_bad_event(enricher_with: Make, record: Record) -> None:
    drops = Does(raising(DropEvent()), 160, identifier="Javascript enrichment")
    [outcome] = enricher_with(drops).process(record({"e": "x"}))
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "Javascript enrichment"


def test_an_invalid_entity_of_an_enrichment_is_removed(enricher_with: Make, record: Record) -> None:
    attaches = Does(lambda event, source: [SelfDescribing(PAGE, {"id": 1}), SelfDescribing(PAGE, dict(GOOD))])
    outcome = failed(enricher_with(attaches).process(record())[0])
    assert outcome.failure.failure_type == "schema_violations"
    assert outcome.incomplete is not None
    failure, kept = outcome.incomplete.derived_contexts
    assert failure.data["errors"][0]["source"] == "derived_contexts"
    assert kept.data == GOOD


def test_what_a_script_rewrites_is_validated_again(enricher_with: Make, record: Record) -> None:
    def rewrite(event: EnrichedEvent, source: EnrichmentSource) -> None:
        event.contexts = [SelfDescribing(PAGE, {"id": "no"}), SelfDescribing(PAGE, dict(GOOD))]
        event.unstruct_event = SelfDescribing(PAGE, {})

    outcome = failed(enricher_with(Does(rewrite, 160, fields=("*",))).process(record())[0])
    assert outcome.incomplete is not None
    assert outcome.incomplete.unstruct_event is None
    assert [entity.data for entity in outcome.incomplete.contexts] == [GOOD]
    sources = [entity.data["errors"][0]["source"] for entity in outcome.incomplete.derived_contexts]
    assert sources == ["unstruct", "contexts"]


def test_what_pseudonymisation_rewrites_is_not(enricher_with: Make, record: Record) -> None:
    def hash_it(event: EnrichedEvent, source: EnrichmentSource) -> None:
        event.contexts = [SelfDescribing(PAGE, {"id": "hashed"})]

    assert enriched(enricher_with(Does(hash_it, 200)).process(record())[0]).contexts[0].data == {"id": "hashed"}


def test_a_cross_navigation_enrichment_takes_the_cores_place(enricher_with: Make, record: Record) -> None:
    raw = record({"e": "pv", "url": "http://a.com/?_sp=user.soon"})
    fails = Does(raising(EnrichmentFailure("bad", field="sp_dtm", value="soon")), 70, identifier="cross-navigation")
    [message] = failed(enricher_with(fails).process(raw)[0]).failure.data["failure"]["messages"]
    assert message["enrichment"]["identifier"] == "cross-navigation"


# ---- adapters of others


def _problem(field: str, expectation: str) -> dict[str, Any]:
    return {"field": field, "value": None, "expectation": expectation}


class Shop(Adapter):
    paths = (("com.shop", "v1"),)

    def events(self, source: AdapterInput) -> list[TrackerEvent]:
        match source.payload.body:
            case "none":
                return []
            case "bug":
                raise KeyError("x")
            case "partial":
                good = TrackerEvent({"e": "pv"}, source.vendor, source.version, source.payload)
                raise Partial([good], [[_problem("a", "first")], [_problem("b", "second")]])
        secret = source.secrets["key"]
        return [TrackerEvent({"e": "pv", "aid": secret}, source.vendor, source.version, source.payload)]


@pytest.fixture
def shop(enricher_with: Make) -> Enricher:
    return enricher_with(extra_adapters=[Shop], adapters={"secrets": {"com.shop/v1": {"key": "k"}}})


def test_an_adapter_of_the_users_own_gets_its_secrets(shop: Enricher, record: Record) -> None:
    assert enriched(shop.process(record(path="/com.shop/v1"))[0]).app_id == "k"


def test_good_items_go_on_beside_bad_ones(shop: Enricher, record: Record) -> None:
    outcomes = shop.process(record(path="/com.shop/v1", body="partial"))
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert sorted(kinds) == ["Enriched", "Failed", "Failed"]
    reasons = [outcome.failure.message for outcome in outcomes if isinstance(outcome, Failed)]
    assert reasons == ["a: first", "b: second"]
    assert len({outcome.failure.id for outcome in outcomes if isinstance(outcome, Failed)}) == 2


@pytest.mark.parametrize("body", ["none", "bug"])
def test_a_broken_adapter_loses_nothing(shop: Enricher, record: Record, body: str) -> None:
    failure = failed(shop.process(record(path="/com.shop/v1", body=body))[0]).failure
    assert failure.failure_type == "adapter_failures"
    assert "Shop" in failure.message


# ---- outages


class Away:
    def check(self, item: SelfDescribing) -> ValidSchema | Invalid:
        raise RegistryOutage(item.schema.uri, [{"repository": "Central", "errors": [{"error": "RepoFailure"}]}])


def test_an_outage_fails_the_event_and_leaves_a_recovery_waiting(enricher_with: Make, record: Record) -> None:
    enricher = enricher_with(validator=Away())
    wrapped = {"schema": "iglu:com.acme/x/jsonschema/1-0-0", "data": {}}
    unstruct = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": wrapped}
    raw = record({"e": "ue", "ue_pr": json.dumps(unstruct)})
    with pytest.raises(RegistryOutage):
        enricher.process_payload(payload_record.decode(raw))
    failure = failed(enricher.process(raw)[0]).failure
    assert failure.failure_type == "schema_violations"
    assert failure.data["failure"]["messages"][0]["error"]["error"] == "ResolutionError"
    assert failure.message == "Resolution error: schema iglu:com.acme/x/jsonschema/1-0-0 not found"


# ---- metrics


def test_metrics_are_handed_over_once(enricher_with: Make, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    def value(name: str, **labels: str) -> float:
        return metrics._child(name, labels)._value.get() or 0.0

    enricher = enricher_with(
        Does(raising(EnrichmentFailure("x")), identifier="counted"),
        accept_invalid=True,
        atomic_fields_limits={"app_id": 1},
    )
    errors = value("enrichment_errors", enrichment="counted")
    accepted = value("enrich_accepted_invalid")
    enricher.process(record({"e": "pv", "aid": "long"}))
    enricher.flush_metrics()
    enricher.flush_metrics()
    assert value("enrichment_errors", enrichment="counted") == errors + 1
    assert value("enrich_accepted_invalid") == accepted + 1
    assert value("enrichment_seconds", enrichment="counted") > 0


# ---- explanations


def test_an_explanation_tells_step_by_step(enricher_with: Make, record: Record) -> None:
    attaches = Does(lambda event, source: [SelfDescribing(PAGE, dict(GOOD))], identifier="attaches")
    fails = Does(raising(EnrichmentFailure("no")), 130, identifier="fails")
    raw = record({"e": "pv", "aid": "shop", "url": "https://a.com/x", "ue_pr": "{"})
    [told] = enricher_with(attaches, fails).explain(raw, "s")
    steps = {step.name: step for step in told.steps}
    assert steps["tracker parameters"].set["app_id"] == "shop"
    assert steps["self-describing event"].failure[0]["field"] == "unstruct"
    assert steps["page URL"].set == {
        "page_urlscheme": "https",
        "page_urlhost": "a.com",
        "page_urlport": 443,
        "page_urlpath": "/x",
    }
    assert steps["attaches"].entities == [{"schema": PAGE.uri, "data": GOOD}]
    assert steps["fails"].failure[0]["message"] == {"error": "no"}
    assert steps["event name"].set["event_name"] == "page_view"
    assert told.outcome == enricher_with(attaches, fails).process(raw, "s")[0]


def test_an_explanation_does_not_tell_what_a_later_step_conceals(enricher_with: Make, record: Record) -> None:
    def conceal(event: EnrichedEvent, source: EnrichmentSource) -> None:
        event.user_id = "hashed"
        source.entities[0] = SelfDescribing(PAGE, {"id": "hashed"})

    hides = Does(conceal, 200, identifier="hides", fields=("user_id",))
    hides.conceals = True  # type: ignore[misc]
    attaches = Does(lambda *_: [SelfDescribing(PAGE, {"id": "jane@acme.com"})], identifier="attaches")
    raw = record({"e": "pv", "p": "web", "uid": "jane@acme.com"})
    [told] = enricher_with(attaches, hides).explain(raw, "s")
    steps = {step.name: step for step in told.steps}
    assert steps["tracker parameters"].set["user_id"] == "hashed"
    assert steps["attaches"].entities == [{"schema": PAGE.uri, "data": {"id": "hashed"}}]
    assert "jane" not in str(told.steps)


def test_a_payload_that_fails_whole_has_no_steps(enricher_with: Make, record: Record) -> None:
    for raw in (record(path="/x"), b"nothing"):
        [told] = enricher_with().explain(raw)
        assert isinstance(told.outcome, Failed)
        assert told.steps == []


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (
            {"schema": None},
            "verifying record as iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-* failed: found null",
        ),
        ({"encoding": None}, "error deserializing raw event: Null charset name"),
    ],
)
def test_a_record_that_lacks_what_every_collector_writes(
    enricher_with: Make, record: Record, payload: dict[str, Any], error: str
) -> None:
    [outcome] = enricher_with().process(record({"e": "pv", "p": "web"}, **payload))
    assert isinstance(outcome, Failed)
    assert outcome.failure.failure_type == "collector_payload_format_violation"
    assert outcome.failure.data["failure"]["message"] == {"error": error}
