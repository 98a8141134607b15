"""A cause is repaired: what would help is found and tried, the run goes on by itself, is undone, and kept as a rule."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from snowgauge.actions import failures
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.failed import groups as grouping
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.kept import Kept
from snowgauge.actions.failed.repair import jobs, service
from snowgauge.actions.failed.repair.causes import CauseWords
from snowgauge.actions.failed.repair.headline import headline
from snowgauge.actions.failed.repair.means import RecoveryMeans
from snowgauge.actions.failed.repair.preview import preview
from snowgauge.actions.failed.repair.problems import Repair, repair_of
from snowgauge.actions.failed.repair.rules import Rules, apply_rules
from snowgauge.actions.failed.runs import Runs
from snowgauge.actions.failed.where import Choice
from snowgauge.delivery.memory import MemoryLog
from snowgauge.errors import ActionRefused
from snowgauge.testing.failing import NOON, FailingPipeline, b64, cart_schema, entities, pixel, request, tracked, ue

AT = NOON + 60_000
CART = "iglu:com.acme/cart/jsonschema/1-0-0"
LINK_CLICK = "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1"
CAST = EditOptions(cast=["event.data.quantity=integer"])


def deployment_of(p: FailingPipeline, folder: Path) -> Deployment:
    return Deployment(
        store=p.store,
        eventlog=MemoryLog(),
        resolver=p.resolver,
        validator=p.validator,
        data_dir=folder,
        version="test",
        lend_enricher=lambda: nullcontext(p.enricher),
        recovery=RecoveryMeans(lambda: nullcontext(p.enricher)),
    )


def the_cause(p: FailingPipeline) -> str:
    return grouping.groups(p.store, Choice())[0].id


def repaired(p: FailingPipeline, folder: Path) -> Repair:
    return repair_of(deployment_of(p, folder), the_cause(p), AT)


def ended(deployment: Deployment, run: str) -> service.RunState:
    assert deployment.running.wait(run, 30)
    return service.run_state(deployment, run)


def offered(repair: Repair) -> list[tuple[str, str, dict[str, object]]]:
    return [(one.action, one.title, dict(one.edits.given())) for one in repair.problems[0].offers]


def test_one_mistake_of_several_tracker_versions_is_one_cause_said_in_a_sentence(pipeline, tmp_path):
    pipeline.publish(cart_schema())
    pipeline.take(*(tracked({"ue_pr": ue({"quantity": "3"}), "tv": f"js-4.0.{n}"}) for n in range(3)))
    found = failures.causes(deployment_of(pipeline, tmp_path), range_text="all", filters=[])
    (cause,) = found.causes
    assert cause.count == 3
    assert cause.headline == "quantity is text; cart 1-0-0 expects a whole number"
    assert cause.message == "$.quantity: string found, integer expected"
    assert cause.trackers == ["js-4.0.0", "js-4.0.1", "js-4.0.2"]


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (tracked({"ue_pr": ue({})}), "quantity is missing; cart 1-0-0 requires it"),
        (tracked({"ue_pr": ue({"quantity": 1, "note": "x"})}), "note is not a property of cart 1-0-0"),
        (tracked({"ue_pr": ue({"quantity": 5000})}), "quantity is above the maximum of 1000"),
        (tracked({"ue_pr": ue({"a": 1}, "iglu:com.acme/x/jsonschema/1-0-0")}), "No registry has the schema x 1-0-0"),
        (tracked({"ue_pr": "{nope"}), "The self-describing event is not JSON"),
        (pixel({"e": "pv", "p": "web", "tv": "js-4", "tr_tt": "dear"}), "The tracker parameter tr_tt is not a number"),
        (request("/wp-login.php"), "The path of the request is not a tracking path"),
        (request("/com.acme/v9", "x"), "No adapter takes requests to /com.acme/v9"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_a_sentence_for_people(pipeline, payload, sentence):
    pipeline.publish(cart_schema())
    pipeline.take(payload)
    shown = grouping.show(pipeline.store, pipeline.resolver, pipeline.failed()[0].id, pipeline.validator)
    assert headline(shown.faults[0]) == sentence


def test_offers_come_from_the_failure_and_each_was_seen_to_help(pipeline, tmp_path):
    pipeline.publish(cart_schema(note={"type": "string"}))
    pipeline.publish(cart_schema("1-0-1", note={"type": "string"}, colour={"type": "string"}))
    pipeline.take(*(tracked({"ue_pr": ue({"quantity": 1, "colour": "red"})}) for _ in range(2)))
    assert offered(repaired(pipeline, tmp_path)) == [
        ("edit", "Use version 1-0-1 of cart", {"schema": [f"{CART}=iglu:com.acme/cart/jsonschema/1-0-1"]}),
        ("edit", "Remove colour", {"unset": ["event.data.colour"]}),
        ("new_version", "Publish a version of cart that allows it", {}),
    ]


def test_a_wrong_type_is_cast_only_where_that_makes_it_valid(pipeline, tmp_path):
    pipeline.publish(cart_schema())
    pipeline.take(tracked({"e": "pv", "cx": b64(entities((CART, {"quantity": 1}), (CART, {"quantity": "5"})))}))
    (problem,) = repaired(pipeline, tmp_path).problems
    assert problem.place == "contexts[com.acme/cart].data.quantity"
    assert problem.offers[0].edits.cast == ["contexts[com.acme/cart].data.quantity=integer"]
    assert problem.offers[0].helps == 1
    pipeline.take(*(tracked({"ue_pr": ue({"quantity": "many"})}) for _ in range(2)))
    cause = next(g.id for g in grouping.groups(pipeline.store, Choice()))
    made = repair_of(deployment_of(pipeline, tmp_path), cause, AT)
    casts = [offer for problem in made.problems if problem.place == "event.data.quantity" for offer in problem.offers
             if offer.edits.cast]  # fmt: skip
    assert casts == []


def test_a_misspelt_property_is_renamed_and_values_are_mapped(pipeline, tmp_path):
    pipeline.publish(cart_schema(currency={"enum": ["EUR", "USD"]}))
    pipeline.take(tracked({"ue_pr": ue({"Quantity": 2})}))
    assert ("edit", "Rename Quantity to quantity", {"rename": ["event.data.Quantity=quantity"]}) in offered(
        repaired(pipeline, tmp_path)
    )
    pipeline.take(*(tracked({"ue_pr": ue({"quantity": 1, "currency": c})}) for c in ("EURO", "EURO", "Euro")))
    (problem,) = repaired(pipeline, tmp_path).problems
    assert [(one.value, one.count) for one in problem.values] == [("EURO", 2), ("Euro", 1)]
    wanted = problem.offers[0].asked
    assert wanted is not None
    assert (wanted.option, wanted.choices) == ("replace", ["EUR", "USD"])
    edits = EditOptions(replace=[f'{wanted.path}="EURO"=>"EUR"', f'{wanted.path}="Euro"=>"EUR"'])
    assert pipeline.recover(Choice(group=[the_cause(pipeline)]), replace=edits.replace).recovered == 3
    assert {e["unstruct_event"]["data"]["data"]["currency"] for e in pipeline.good()} == {"EUR"}


@pytest.mark.parametrize(
    ("uri", "can"),
    [
        ("iglu:com.acme/none/jsonschema/1-0-0", True),
        ("iglu:com.snowplowanalytics.snowplow/none/jsonschema/1-0-0", False),
        ("iglu:com.google.newthing/none/jsonschema/1-0-0", False),
        ("iglu:org.w3/none/jsonschema/1-0-0", False),
    ],
)
def test_no_schema_is_inferred_for_the_vendors_of_iglu_central(pipeline, tmp_path, uri, can):
    pipeline.take(tracked({"ue_pr": ue({"a": 1}, uri)}))
    deployment = deployment_of(pipeline, tmp_path)
    (cause,) = failures.causes(deployment, range_text="all", filters=[]).causes
    assert cause.can_infer is can
    assert ("infer" in {offer[0] for offer in offered(repaired(pipeline, tmp_path))}) is can
    (example,) = failures.examples(deployment, cause.id)
    assert any("schema infer" in command for cure in example.cures for command in cure.commands) is can


def test_a_preview_shows_before_and_after_and_what_is_wrong_still(pipeline, tmp_path):
    pipeline.publish(cart_schema())
    pipeline.take(tracked({"ue_pr": ue({"quantity": "3"})}), tracked({"ue_pr": ue({"quantity": "3000"})}))
    seen = preview(deployment_of(pipeline, tmp_path), the_cause(pipeline), CAST, at=AT)
    by_verdict = {one.verdict: one for one in seen}
    good, bad = by_verdict["recovered"], by_verdict["failed"]
    assert [(c.path, c.before, c.after) for c in good.changes] == [("event.data.quantity", "3", 3)]
    assert (good.before["event"]["data"], good.after["event"]["data"]) == ({"quantity": "3"}, {"quantity": 3})
    assert bad.left == ["quantity is above the maximum of 1000"]
    assert pipeline.good() == []


def test_a_run_counts_repairs_and_is_undone(any_pipeline, tmp_path):
    p = any_pipeline
    p.publish(cart_schema())
    p.take(*(tracked({"ue_pr": ue({"quantity": f"{n}"})}, timestamp=NOON + n) for n in (1, 2, 4000)))
    deployment, cause = deployment_of(p, tmp_path), the_cause(p)
    counted = ended(deployment, service.begin(deployment, cause=cause, ids=[], edits=CAST, by="ann", at=AT,
                                              dry_run=True).run)  # fmt: skip
    assert (counted.state, counted.totals.recovered, counted.totals.failed) == ("done", 2, 1)
    assert counted.reasons == {"quantity is above the maximum of 1000": 1}
    assert p.store.count("good", grouping.Selection()) == 0

    begun = service.begin(deployment, cause=cause, ids=[], edits=CAST, by="ann", at=AT, dry_run=False)
    done = ended(deployment, begun.run)
    assert (done.state, done.by, done.totals.recovered, done.expected) == ("done", "ann", 2, 3)
    assert [one.run for one in service.run_states(deployment, cause)] == [begun.run]
    assert p.store.count("good", grouping.Selection()) == 2

    jobs.undo_run(deployment, begun.run, by="ann", at=AT + 1)
    back = ended(deployment, begun.run)
    assert back.state == "undone"
    assert back.undone is not None
    assert (back.undone.events, back.undone.reopened, back.undone.kept) == (2, 2, 0)
    assert p.store.count("good", grouping.Selection()) == 0
    assert {row.status for row in p.failed()} == {"open"}
    again = ended(deployment, service.begin(deployment, cause=cause, ids=[], edits=CAST, by="ann", at=AT + 2,
                                            dry_run=False).run)  # fmt: skip
    assert again.totals.recovered == 2
    assert p.store.count("good", grouping.Selection()) == 2


def test_an_undo_leaves_events_that_something_else_had_stored(pipeline, tmp_path):
    pipeline.publish(cart_schema())
    pipeline.take(tracked({"ue_pr": ue({"quantity": "1"})}))
    cause = the_cause(pipeline)
    pipeline.recover(cast=CAST.cast)
    deployment = deployment_of(pipeline, tmp_path)
    run = service.begin(deployment, cause=None, ids=[pipeline.failed()[0].id], edits=CAST, by="a", at=AT, dry_run=False)
    assert ended(deployment, run.run).totals.rows == 0  # it is not open any more
    undone = jobs.undo_run(deployment, run.run, by="a", at=AT)
    assert ended(deployment, undone.run).undone.events == 0
    assert len(pipeline.good()) == 1
    assert cause


def test_only_one_run_stores_at_a_time(pipeline, tmp_path):
    pipeline.publish(cart_schema())
    pipeline.take(tracked({"ue_pr": ue({"quantity": "1"})}))
    deployment = deployment_of(pipeline, tmp_path)
    with Runs(Kept(tmp_path)).alone(), pytest.raises(ActionRefused, match="under way"):
        service.begin(deployment, cause=the_cause(pipeline), ids=[], edits=CAST, by="a", at=AT, dry_run=False)
    with pytest.raises(ActionRefused, match="command line"):
        service.begin(deployment, cause="0123456789", ids=[], edits=EditOptions(python="x.py"), by="a", at=AT,
                      dry_run=True)  # fmt: skip


def test_a_run_whose_process_ended_is_gone_on_with(pipeline, tmp_path):
    pipeline.publish(cart_schema())
    pipeline.take(tracked({"ue_pr": ue({"quantity": "1"})}))
    first, cause = deployment_of(pipeline, tmp_path), the_cause(pipeline)
    run = service.begin(first, cause=cause, ids=[], edits=CAST, by="a", at=AT, dry_run=False).run
    ended(first, run)
    plan = Runs(Kept(tmp_path)).load(run)
    plan.totals = None
    Runs(Kept(tmp_path)).save(plan)
    second = deployment_of(pipeline, tmp_path)
    assert service.run_state(second, run).state == "interrupted"
    jobs.resume(second, run)
    assert ended(second, run).state == "done"
    assert len(pipeline.good()) == 1


def test_a_rule_repairs_the_same_failure_from_then_on_each_once(any_pipeline, tmp_path):
    p = any_pipeline
    p.publish(cart_schema())
    p.take(tracked({"ue_pr": ue({"quantity": "1"})}))
    deployment = deployment_of(p, tmp_path)
    rule = service.keep_rule(deployment, the_cause(p), CAST, by="ann", at=AT)
    assert rule.headline == "quantity is text; cart 1-0-0 expects a whole number"

    def work() -> list[int]:
        done = apply_rules(Rules(Kept(tmp_path)), p.store, lambda: p.enricher, at=AT, gate=nullcontext)
        return [totals.rows for _, totals in done]

    p.take(*(tracked({"ue_pr": ue({"quantity": q})}, timestamp=NOON + 5) for q in ("2", "5000")))
    assert work() == [3]
    (kept,) = Rules(Kept(tmp_path)).all()
    assert (kept.recovered, kept.failed, kept.last) == (2, 1, AT)
    assert work() == []  # what it could not repair is not tried again
    service.switch_rule(deployment, rule.id, enabled=False)
    p.take(tracked({"ue_pr": ue({"quantity": "7"})}, timestamp=NOON + 9))
    assert work() == []
    service.switch_rule(deployment, rule.id, enabled=True)
    assert work() == [1]
    undone = service.undo_rule(deployment, rule.id, by="ann", at=AT)
    assert (undone.events, undone.reopened) == (3, 3)
    assert p.store.count("good", grouping.Selection()) == 0
    assert not Rules(Kept(tmp_path)).all()[0].enabled


def test_a_resolved_cause_comes_back_when_it_recurs_and_a_muted_one_does_not(pipeline, tmp_path):
    pipeline.publish(cart_schema())
    pipeline.take(tracked({"ue_pr": ue({"quantity": "1"})}), request("/wp-login.php"))
    deployment = deployment_of(pipeline, tmp_path)

    def shown(state: str = "active") -> dict[str, failures.Cause]:
        found = failures.causes(deployment, range_text="all", filters=[], shown=state)
        return {cause.failure_type: cause for cause in found.causes}

    ids = {kind: cause.id for kind, cause in shown().items()}
    noise, wrong = ids["collector_payload_format_violation"], ids["schema_violations"]
    service.say(deployment, noise, state="muted", note="scanners", until=None, by="ann", at=AT)
    service.say(deployment, wrong, state="resolved", note=None, until=None, by="ann", at=AT)
    assert shown() == {}
    assert shown("muted")["collector_payload_format_violation"].note == "scanners"
    pipeline.take(
        tracked({"ue_pr": ue({"quantity": "1"})}, timestamp=AT + 5), request("/wp-login.php", timestamp=AT + 5)
    )
    assert list(shown()) == ["schema_violations"]
    assert shown()["schema_violations"].returned
    assert len(shown("all")) == 2
    service.say(deployment, noise, state="active", note="", until=None, by="ann", at=AT)
    assert noise not in CauseWords(Kept(tmp_path)).all()
    with pytest.raises(ActionRefused, match="no cause"):
        service.say(deployment, "0000000000", state="muted", note=None, until=None, by="ann", at=AT)
