"""Failed events, X-ray, schemas, SQL, health over the API."""

import time
from typing import Any

import pytest

from snowgauge.events import payload_record
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload import CollectorPayload
from snowgauge.store.base import StoreBatch
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.events import schema_violation, web_page_view

BAD = (
    "e=ue&p=web&tv=js-4.6.9&aid=shop&eid=0d6f32ea-6a0c-4c0a-8a62-8b6f6bb4c3a1&ue_pr=%7B%22schema%22%3A%22iglu%3Acom.snowplowanalytics.snowplow"
    "%2Funstruct_event%2Fjsonschema%2F1-0-0%22%2C%22data%22%3A%7B%22schema%22%3A%22iglu%3Acom.snowplowanalytics.snowplow"
    "%2Flink_click%2Fjsonschema%2F1-0-1%22%2C%22data%22%3A%7B%22targetUrl%22%3A5%7D%7D%7D"
)
BAD_ID = "0d6f32ea-6a0c-4c0a-8a62-8b6f6bb4c3a1"


def now() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def bad(port: PrivatePort) -> str:
    """A failed event that the enricher itself made; its failure's id."""
    payload = CollectorPayload(path="/i", querystring=BAD, timestamp=now(), collector="ssc-3.4.0-test")
    assert port.deployment.lend_enricher is not None
    with port.deployment.lend_enricher() as enricher:
        (outcome,) = enricher.process(payload_record.encode(payload), "seed")
    port.store.write(StoreBatch("bad", failed=[outcome.failure], incomplete=[outcome.incomplete]))
    return str(outcome.failure.id)


def test_causes_group_what_fails_for_one_reason(client: Browser, port: PrivatePort, bad: str) -> None:
    at = now()
    port.store.write(
        StoreBatch("x", failed=[schema_violation(n, collector_tstamp=at - n * 1000, failed_at=at) for n in range(4)])
    )
    found = client.get("/api/v1/failed/causes").json()
    assert found["total"] == 5
    assert [cause["count"] for cause in found["causes"]] == [4, 1]
    assert sum(found["causes"][0]["trend"]) == 4
    assert found["by_type"] == {"schema_violations": 5}
    assert client.get("/api/v1/failed/causes", params={"where": "app_id:nobody"}).json()["total"] == 0


def test_a_failure_is_explained_to_the_place_and_the_rule(client: Browser, bad: str) -> None:
    cause = client.get("/api/v1/failed/causes").json()["causes"][0]
    (shown,) = client.get(f"/api/v1/failed/causes/{cause['id']}/examples").json()
    fault = shown["faults"][0]
    assert (fault["path"], fault["value"], fault["rule"]) == ("$.targetUrl", 5, {"type": "string"})
    assert shown["cures"]
    assert client.get(f"/api/v1/failed/{bad}").json()["id"] == bad
    assert client.get("/api/v1/failed/nothing").status_code == 404


def test_recovery_is_tried_before_it_is_done_and_is_written_down(client: Browser, port: PrivatePort, bad: str) -> None:
    def run(**more: Any) -> Any:
        begun = client.post("/api/v1/failed/recover", json={"ids": [bad], **more})
        assert begun.status_code == 202
        assert port.deployment.running.wait(begun.json()["run"], 30)
        return client.get(f"/api/v1/failed/runs/{begun.json()['run']}").json()

    counted = run(dry_run=True)
    assert (counted["state"], counted["totals"]["failed"]) == ("done", 1)
    assert counted["reasons"] == {"targetUrl is a whole number; link_click 1-0-1 expects text": 1}
    assert client.get("/api/v1/access/audit").json() == []
    done = run(dry_run=False, edits={"cast": ["event.data.targetUrl=string"]})
    assert (done["expected"], done["totals"]["recovered"]) == (1, 1)
    assert client.get("/api/v1/access/audit").json()[0]["action"] == "recover"
    assert client.post("/api/v1/failed/recover", json={}).status_code == 422
    wrong = client.post("/api/v1/failed/recover", json={"ids": [bad], "edits": {"cast": ["event.data.x=word"]}})
    assert "the type must be one of" in wrong.json()["detail"]
    undone = client.post(f"/api/v1/failed/runs/{done['run']}/undo")
    assert undone.status_code == 202
    assert port.deployment.running.wait(done["run"], 30)
    assert client.get(f"/api/v1/failed/runs/{done['run']}").json()["undone"]["events"] == 1
    assert client.get(f"/api/v1/failed/{bad}").json()["status"] == "open"


def test_a_cause_offers_edits_is_previewed_noted_and_repaired_by_a_rule(client: Browser, bad: str) -> None:
    cause = client.get("/api/v1/failed/causes").json()["causes"][0]["id"]
    found = client.get(f"/api/v1/failed/causes/{cause}/repair").json()
    offer = found["problems"][0]["offers"][0]
    assert (offer["edits"]["cast"], offer["helps"]) == (["event.data.targetUrl=string"], 1)
    edits = {"cast": offer["edits"]["cast"]}
    (seen,) = client.post(f"/api/v1/failed/causes/{cause}/preview", json={"edits": edits}).json()
    assert (seen["id"], seen["verdict"], seen["changes"][0]["after"]) == (bad, "recovered", "5")
    rule = client.post("/api/v1/failed/rules", json={"cause": cause, "edits": edits}).json()
    assert client.patch(f"/api/v1/failed/rules/{rule['id']}", json={"enabled": False}).json()["enabled"] is False
    assert [one["id"] for one in client.get("/api/v1/failed/rules").json()] == [rule["id"]]
    assert client.delete(f"/api/v1/failed/rules/{rule['id']}").status_code == 204
    said = client.put(f"/api/v1/failed/causes/{cause}", json={"state": "muted", "note": "known"}).json()
    assert (said["state"], said["note"]) == ("muted", "known")
    listed = client.get("/api/v1/failed/causes").json()
    assert (listed["causes"], listed["muted"]) == ([], 1)
    (muted,) = client.get("/api/v1/failed/causes", params={"shown": "muted"}).json()["causes"]
    assert muted["note"] == "known"
    actions = [entry["action"] for entry in client.get("/api/v1/access/audit").json()]
    assert actions == ["cause muted", "remove rule", "rule off", "keep rule"]
    assert client.put("/api/v1/failed/causes/0000000000", json={"state": "muted"}).status_code == 404


def test_a_schema_is_inferred_checked_published_and_read(client: Browser, bad: str) -> None:
    cause = client.get("/api/v1/failed/causes").json()["causes"][0]
    uri = "iglu:com.acme/click/jsonschema/1-0-0"
    draft = client.get("/api/v1/schemas/infer", params={"cause": cause["id"], "uri": uri}).json()
    assert draft["properties"]["targetUrl"]["type"] == "integer"
    assert not [
        r for r in client.post("/api/v1/schemas/check", json={"document": draft}).json() if r["level"] == "error"
    ]
    assert client.post("/api/v1/schemas/publish", json={"document": draft}).status_code == 201
    view = client.get("/api/v1/schemas/com.acme/click/1-0-0").json()
    assert view["fields"][0]["path"] == "targetUrl"
    entry = next(one for one in client.get("/api/v1/schemas").json() if one["name"] == "click")
    assert entry["local"] is True
    again = {**draft, "description": "another"}
    assert client.post("/api/v1/schemas/publish", json={"document": again}).status_code == 409
    assert client.post("/api/v1/schemas/publish", json={"document": {"type": "object"}}).status_code == 409


def test_schemas_are_compared(client: Browser) -> None:
    before = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 9}}}
    after = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 5}}}
    found = client.post("/api/v1/schemas/compare", json={"before": before, "after": after}).json()
    assert found["breaking"] is True
    assert found["advice"] == "model"


def test_schemas_show_what_uses_them(client: Browser, port: PrivatePort) -> None:
    port.store.write(StoreBatch("g", [web_page_view(n, collector_tstamp=now()) for n in range(3)]))
    page = next(one for one in client.get("/api/v1/schemas").json() if one["name"] == "web_page")
    assert page["use"]["events"] == 3


def test_xray_of_a_failed_event_shows_the_request_and_every_step(client: Browser, bad: str) -> None:
    for wanted in (bad, BAD_ID):
        found = client.get(f"/api/v1/xray/{wanted}").json()
        assert "failed" in found["places"]
        assert found["source"] == "kept"
        assert found["request"]["querystring"] == BAD
        assert found["runs"][0]["steps"][0]["name"] == "tracker parameters"
        assert found["runs"][0]["outcome"] == "failed"
        assert found["runs"][0]["parameters"]["aid"] == "shop"


def test_xray_of_a_good_event_is_rebuilt_from_its_row(client: Browser, port: PrivatePort) -> None:
    event = web_page_view(1, collector_tstamp=now())
    port.store.write(StoreBatch("g", [event]))
    found = client.get(f"/api/v1/xray/{event.event_id}").json()
    assert (found["places"], found["source"]) == (["good"], "rebuilt")
    run = found["runs"][0]
    assert run["outcome"] == "enriched"
    assert run["event_id"] == event.event_id
    changed = run["steps"][0]["changed"]
    for column in ("page_url", "app_id", "br_viewwidth", "dvce_created_tstamp", "domain_sessionidx"):
        assert changed[column] == found["stored"][column]


def test_xray_finds_what_waits(client: Browser, port: PrivatePort) -> None:
    record = payload_record.encode(CollectorPayload(path="/i", querystring=BAD, timestamp=now()))
    port.log.writer().append([LogEntry(record, now())])
    assert client.get(f"/api/v1/xray/{BAD_ID}").json()["places"] == ["waiting"]


@pytest.mark.parametrize("wanted", ["nothing", "0d6f32ea-6a0c-4c0a-8a62-000000000000"])
def test_xray_of_nothing(client: Browser, wanted: str) -> None:
    assert client.get(f"/api/v1/xray/{wanted}").status_code == 404


def test_sql_that_the_store_does_not_take_is_refused_in_its_words(client: Browser) -> None:
    answer = client.post("/api/v1/sql", json={"sql": "SELECT 1"})
    assert answer.status_code == 400
    assert "memory" in answer.json()["detail"]
    assert client.post("/api/v1/sql", json={"sql": "  "}).status_code == 422


def test_health_has_every_part_and_its_capacity(client: Browser) -> None:
    found: dict[str, Any] = client.get("/api/v1/health").json()
    assert [part["name"] for part in found["parts"]] == ["collector", "eventlog", "pipeline", "store"]
    assert found["capacity"]["disk_total"] > 0


def test_the_doctor_has_a_cure_for_what_is_wrong(client: Browser) -> None:
    checks = {check["id"]: check for check in client.get("/api/v1/health/checks").json()}
    assert checks["store"]["status"] == "ok"
    assert checks["collector"]["status"] == "fail"
    assert checks["collector"]["cure"]
    assert {"disk", "dns", "tls", "registry", "traffic", "lag"} <= set(checks)


def test_a_schema_from_pasted_examples(tmp_path):
    port = PrivatePort(tmp_path)
    wrapped = {"schema": "iglu:com.acme/x/jsonschema/1-0-0", "data": {"sku": "A", "n": None}}
    given = {"uri": "iglu:com.acme/cart/jsonschema/1-0-0", "examples": [{"sku": "B", "n": 1}, wrapped]}
    draft = Browser(port.app).post("/api/v1/schemas/infer", json=given).json()
    assert draft["self"]["name"] == "cart"
    assert sorted(draft["properties"]["n"]["type"]) == ["integer", "null"]
    assert draft["required"] == ["sku"]
    for wrong in ({**given, "uri": "cart"}, {**given, "examples": []}):
        assert Browser(port.app).post("/api/v1/schemas/infer", json=wrong).status_code == 422
    port.close()
