"""The agent's figures, and that nothing else gets out."""

from __future__ import annotations

import json

import pytest

from snowgauge.errors import StoreUnavailable
from snowgauge.events.enriched import ATOMIC_FIELDS
from snowgauge.store.base import StoreBatch
from snowgauge.testing.events import NOON, described, schema_violation, web_page_view

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = NOON + 90_000
TOKEN = "0123456789abcdef0123456789abcdef"
WEB_PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"

MAY_APPEAR = {"platform", "event_vendor", "event_name", "event_version"}
"""Columns whose values are keys of aggregates, and not chosen by who sends an event."""


@pytest.fixture
def agent(open_agent):
    return open_agent(static_token=TOKEN, now=NOW)


def store(deployment):
    cart = {
        "event": "unstruct", "event_vendor": "com.acme", "event_name": "cart", "event_version": "2-0-0",
        "app_id": "blog", "platform": "mob", "v_tracker": "ios-6.0.0", "name_tracker": None,
    }  # fmt: skip
    ages = {0: 0, 1: 0, 2: HOUR, 3: 2 * DAY, 4: 10 * DAY, 5: 100 * DAY}
    events = [web_page_view(n, collector_tstamp=NOON - age, **(cart if n == 1 else {})) for n, age in ages.items()]
    failed = [
        schema_violation(0),
        schema_violation(1, failure_type="adapter_failures"),
        schema_violation(2, collector_tstamp=NOON - 3 * DAY),
    ]
    deployment.store.write(StoreBatch("1", events, failed))


def test_the_three_ticks(agent, deployment) -> None:
    quiet = {"installed": True, "ready": True, "receiving": False, "events": 0, "version": "1.2.3"}
    assert agent.get("/status") == quiet
    store(deployment)
    assert agent.get("/status") == {**quiet, "receiving": True, "events": 6}


def test_counts_by_period(agent, deployment) -> None:
    store(deployment)
    both = {"adapter_failures": 1, "schema_violations": 1}
    old = {"adapter_failures": 1, "schema_violations": 2}
    assert agent.get("/counts") == [
        {"period": "today", "good": 3, "bad": 2, "bad_by_type": both},
        {"period": "24h", "good": 3, "bad": 2, "bad_by_type": both},
        {"period": "7d", "good": 4, "bad": 3, "bad_by_type": old},
        {"period": "30d", "good": 5, "bad": 3, "bad_by_type": old},
        {"period": "all", "good": 6, "bad": 3, "bad_by_type": old},
    ]


def test_counts_per_minute(agent, deployment) -> None:
    store(deployment)
    assert agent.get("/minutes?number=3") == [
        {"start": NOON - MINUTE, "good": 0, "bad": 0},
        {"start": NOON, "good": 2, "bad": 2},
        {"start": NOON + MINUTE, "good": 0, "bad": 0},
    ]
    assert len(agent.get("/minutes")) == 60
    assert sum(point["good"] for point in agent.get("/minutes?number=1440")) == 3
    for wrong in ("0", "1441", "x"):
        assert agent.ask(f"/minutes?number={wrong}").status == 422


def test_event_types(agent, deployment) -> None:
    store(deployment)
    page_view = {
        "vendor": "com.snowplowanalytics.snowplow", "name": "page_view", "version": "1-0-0", "count": 2,
        "first_seen": NOON - HOUR, "last_seen": NOON,
    }  # fmt: skip
    cart = {
        "vendor": "com.acme", "name": "cart", "version": "2-0-0", "count": 1, "first_seen": NOON, "last_seen": NOON,
    }  # fmt: skip
    assert agent.get("/event-types") == [page_view, cart]
    assert agent.get("/event-types?period=all")[0]["count"] == 5
    assert agent.ask("/event-types?period=1y").status == 422


def test_versions_and_missing_names_of_events_are_told_apart(agent, deployment) -> None:
    events = [
        web_page_view(n, event_vendor=vendor, event_name=name, event_version=version)
        for n, (vendor, name, version) in enumerate(
            [("a", "x", "1-0-0"), ("a", "x", "1-0-1"), ("a", "y", "1-0-0"), (None, None, None), ("a", "x", "1-0-1")]
        )
    ]
    deployment.store.write(StoreBatch("1", events))
    found = {(kind["vendor"], kind["name"], kind["version"]): kind["count"] for kind in agent.get("/event-types")}
    assert found == {
        ("a", "x", "1-0-1"): 2,
        ("a", "x", "1-0-0"): 1,
        ("a", "y", "1-0-0"): 1,
        (None, None, None): 1,
    }


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/trackers", [("js-4.6.9", 2), ("ios-6.0.0", 1)]),
        ("/tracker-namespaces", [("sp1", 2), (None, 1)]),
        ("/applications", [("shop", 2), ("blog", 1)]),
        ("/platforms", [("web", 2), ("mob", 1)]),
    ],
)
def test_what_sends(open_agent, deployment, path, found) -> None:
    store(deployment)
    agent = open_agent(static_token=TOKEN, now=NOW, smallest_count=1)
    assert [(each["key"], each["count"]) for each in agent.get(path)] == found
    assert not any(each["others"] for each in agent.get(path))


@pytest.mark.parametrize(
    ("path", "column"),
    [("/trackers", "v_tracker"), ("/tracker-namespaces", "name_tracker"), ("/applications", "app_id")],
)
def test_what_a_visitor_chose_is_named_from_a_smallest_count_on(agent, open_agent, deployment, path, column) -> None:
    keys = ["usual"] * 10 + ["user@example.com"] * 9 + ["other@example.com"] * 2 + [None]
    events = [web_page_view(n, collector_tstamp=NOON + n, **{column: key}) for n, key in enumerate(keys)]
    deployment.store.write(StoreBatch("1", events))
    found = agent.get(path)
    assert [(each["key"], each["count"], each["others"]) for each in found] == [
        ("usual", 10, False),
        (None, 1, False),
        (None, 11, True),
    ]
    assert (found[2]["first_seen"], found[2]["last_seen"]) == (NOON + 10, NOON + 20)
    less_shy = open_agent(static_token=TOKEN, now=NOW, smallest_count=3)
    assert {each["key"] for each in less_shy.get(path)} == {"usual", "user@example.com", None}


def test_schemas_of_entities(agent, deployment) -> None:
    store(deployment)
    found = {each["key"]: each["count"] for each in agent.get("/schemas?period=7d")}
    assert found[WEB_PAGE] == 4
    assert len(found) == 3


def test_health_of_components(agent, deployment) -> None:
    health = agent.get("/health")
    assert [part["name"] for part in health["components"]] == ["collector", "eventlog", "enrich", "store", "registry"]
    assert health["healthy"] is True
    log = health["components"][1]
    assert (log["lag_events"], log["lag_seconds"]) == (0, 0)
    assert log["free_bytes"] > 0


def test_a_part_of_which_no_process_runs_is_not_up(agent, deployment) -> None:
    def up():
        return {part["name"]: part["up"] for part in agent.get("/health")["components"]}

    run = deployment.data_dir / "run"
    run.mkdir()
    (run / "collector-0.pid").write_text("999999999")  # no system has this number
    assert (up()["collector"], up()["enrich"]) == (False, True)
    (run / "collector-0.pid").unlink()
    (run / "pipeline-0.pid").write_text("999999999")
    assert (up()["collector"], up()["enrich"]) == (True, False)
    assert agent.get("/health")["healthy"] is False


def test_versions(agent) -> None:
    told = agent.get("/versions")
    assert told["snowgauge"] == "1.2.3"
    assert told["local_schemas"] > 100


def test_limits(agent) -> None:
    assert isinstance(agent.get("/limits"), list)


def test_a_store_that_is_away_is_503_without_its_words(agent, deployment, monkeypatch) -> None:
    def away(*_, **__):
        raise StoreUnavailable("SELECT secret FROM events failed at host db.internal")

    for name in ("count", "count_by", "timeline", "entity_counts"):
        monkeypatch.setattr(deployment.store, name, away)
    for path in ("/counts", "/minutes", "/event-types", "/schemas", "/trackers"):
        answer = agent.ask(path)
        assert answer.status == 503
        assert b"secret" not in answer.body
    assert agent.get("/status")["receiving"] is False


# ---- nothing of what is stored ----------------------------------------------------------------------------------


def canary(column: str) -> str:
    return f"canary-{column}"


def test_no_content_of_any_table_is_in_any_answer(agent, deployment) -> None:
    """Every column, entity, event and failure holds a canary; only the keys of aggregates may show theirs."""
    texts = {
        field.name: canary(field.name)
        for field in ATOMIC_FIELDS
        if field.kind == "string" and field.name not in MAY_APPEAR
    }
    secret = {
        "schema": "iglu:com.acme/canary-nested/jsonschema/1-0-0",
        "text": "canary-data",
        "canary-key": ["canary-x"],
    }
    hidden = described("iglu:com.acme/user/jsonschema/1-0-0", secret)
    event = web_page_view(
        1, collector_tstamp=NOON, **texts, contexts=[hidden], derived_contexts=[hidden], unstruct_event=hidden,
        event_id="0ca0a0a0-0000-4000-8000-00000000cafe", se_value="987654321", geo_latitude=12.3456,
    )  # fmt: skip
    failed = schema_violation(
        1, message="canary-message", schema="iglu:com.acme/canary-schema/jsonschema/1-0-0", app_id="canary-failed-app",
        event_name="canary-failed-name", tracker="canary-tracker", platform="canary-platform", record=b"canary-record",
        data={"failure": "canary-failure", "payload": "canary-payload", "processor": {}},
    )  # fmt: skip
    deployment.store.write(StoreBatch("canary-batch", [event], [failed], [event]))
    paths = json.loads(agent.ask("/openapi.json").body)["paths"]
    assert len(paths) == 13
    for path in paths:
        for query in ("", "?period=all", "?number=1440"):
            answer = agent.ask(path + query)
            assert answer.status == 200
            text = answer.body.decode() + json.dumps(answer.headers)
            for leak in ("canary", "cafe", "987654321", "12.3456", "203.0.113.9", "select", "SELECT"):
                assert leak not in text, f"{path} tells {leak}"
    assert "iglu:com.acme/user/jsonschema/1-0-0" in agent.ask("/schemas?period=all").body.decode()


def test_no_route_takes_a_column_or_a_query(agent) -> None:
    described_paths = json.loads(agent.ask("/openapi.json").body)["paths"]
    names = {
        parameter["name"]
        for path in described_paths.values()
        for operation in path.values()
        for parameter in operation.get("parameters", ())
    }
    assert names == {"period", "number"}
    assert {method for path in described_paths.values() for method in path} == {"get"}
