"""On real stores: counts are those that were stored, and everything alerts remember comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snowgauge.actions.alerts import alert_sources
from snowgauge.alerts.book import AlertBook
from snowgauge.alerts.counts import Counts, Kind, StoredCounts
from snowgauge.alerts.evaluator import Evaluator
from snowgauge.alerts.rules import DEFAULTS, HOUR_MS, QUARTER_MS, Measure, NoEvents, Rule
from snowgauge.alerts.sealing import Seal
from snowgauge.errors import ActionRefused
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.modelling.store import HasModelling
from snowgauge.store.base import Store
from snowgauge.store.build import engine_connection
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.postgres.settings import PostgresSettings
from snowgauge.store.postgres.store import PostgresStore
from snowgauge.store.settings import ClickHouseSettings
from snowgauge.testing.alerting import DAY_MS, means, webhook
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.engine import EngineProcess
from snowgauge.testing.figures.filling import fill
from snowgauge.testing.postgres import PostgresServer
from snowgauge.testing.web import Web


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseStore]:
    process = EngineProcess(Path(tmp_path_factory.mktemp("engine")) / "data", sync=False).start()
    store = ClickHouseStore(ClickHouseSettings(), engine_connection(ClickHouseSettings(), process.url))
    store.migrate()
    yield store
    store.close()
    process.stop()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresStore]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres") / "data").start()
    resolver, _ = build(IgluSettings(iglu_central=False), None)
    store = PostgresStore(server.database(), PostgresSettings(dbt_tables=False), resolver)
    store.migrate()
    yield store
    store.close()
    server.stop()


@pytest.fixture(params=["clickhouse", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    fill(found, {})
    return found


def tables(store):
    assert isinstance(store, HasModelling)
    return store.modelling()


def stats(slot, app="shop", event="page_view", events=100, **more):
    return {"slot": slot, "app_id": app, "event_name": event, "platform": "web", "events": events,
            "model_version": 1, **more}  # fmt: skip


def now_of(store):
    now = tables(store).now()
    return now - now % HOUR_MS


def modelled(until):
    return {"table": "*", "ledger_position": str(until), "modelled_until": until, "updated_at": until}


def silent(store):
    """The shop had events in this hour of the last three weeks, and has none."""
    hour = now_of(store) - HOUR_MS
    rows = [stats(hour - week * 7 * DAY_MS + quarter * QUARTER_MS) for week in (1, 2, 3) for quarter in range(8)]
    fill(store, {"event_stats": rows, "model_state": [modelled(now_of(store) + DAY_MS)]})


def test_counts_are_those_of_people(store):
    slot = now_of(store)
    rows = [
        stats(slot, platform="web"),
        stats(slot, platform="mob", events=7),
        stats(slot, is_bot=True, events=1000),
        stats(slot, event="it's \\ 日本", app_version="2.0", events=5),
        stats(slot + QUARTER_MS, events=3),
        stats(slot - DAY_MS, app="docs", events=2),
    ]
    fill(store, {"event_stats": rows})
    counts = Counts(StoredCounts(store.figures))
    assert counts.of(slot, slot + QUARTER_MS) == {
        Kind("shop", "page_view", ""): 107,
        Kind("shop", "it's \\ 日本", "2.0"): 5,
    }
    assert counts.by_app(slot, slot + HOUR_MS) == {"shop": 115}
    assert counts.by_app(slot, slot + HOUR_MS, views=True) == {"shop": 110}
    assert counts.first_of_app() == {"shop": slot, "docs": slot - DAY_MS}


def test_what_was_written_comes_back(store):
    book = AlertBook(tables(store), Seal("k"))
    assert [rule.id for rule in book.rules()] == [
        rule.id for rule in sorted(DEFAULTS, key=lambda one: (one.name, one.id))
    ]
    channel = webhook("https://hooks.example/services/T0/B0/secret-part", to=())
    book.put_channel(channel, "ann")
    assert book.channels() == [channel]
    raw = store.query("SELECT * FROM derived.alert_channels").rows
    assert "secret-part" not in str(raw)
    assert "s3cret" not in str(raw)
    rule = Rule(id="mine", name="Mine ✓", condition=NoEvents(), channels=("hook",), note="a\nb")
    book.put_rule(rule, "ann")
    book.put_rule(rule.model_copy(update={"name": "Changed"}), "bob")
    assert book.rule("mine").name == "Changed"
    with pytest.raises(ActionRefused, match="sends to this channel"):
        book.remove_channel("hook")
    book.remove_rule("mine")
    book.remove_channel("hook")
    assert book.channels() == []
    assert "mine" not in [one.id for one in book.rules()]


def test_another_key_opens_nothing_and_says_so(store):
    book = AlertBook(tables(store), Seal("one"))
    book.put_channel(webhook("https://hooks.example/x"), "ann")
    (channel,) = AlertBook(tables(store), Seal("two")).channels()
    assert not channel.enabled
    assert "alerts.key" in channel.off_because


def test_be_told_when_events_stop(store, tmp_path, web: Web):
    """Over the API, from stored figures to a message that arrives."""
    silent(store)
    with means() as made:
        port = PrivatePort(tmp_path, store=store, alert_means=lambda: made)
        browser = Browser(port.app)
        created = browser.request("POST", "/api/v1/alerts/channels", json={
            "name": "Ops", "kind": "webhook", "url": f"{web.url}/hook", "secret": "s3cret"})  # fmt: skip
        assert created.status_code == 201, created.text
        assert created.json()["address"] == "127.0.0.1/…"
        assert created.json()["signed"]
        tried = browser.request("POST", f"/api/v1/alerts/channels/{created.json()['id']}/test")
        assert tried.json() == {"ok": True, "answer": "200 ok"}
        alert = {"name": "Silence", "severity": "critical", "condition": {"kind": "no_events"}, "for_checks": 1,
                 "channels": [created.json()["id"]]}  # fmt: skip
        trial = browser.request("POST", "/api/v1/alerts/preview", json={"alert": alert, "days": 1}).json()
        assert [one["key"] for one in trial["incidents"]] == ["shop"]
        made_alert = browser.request("POST", "/api/v1/alerts", json=alert)
        assert made_alert.status_code == 201, made_alert.text
        from snowgauge.alerts.delivering.postman import Postman

        book = AlertBook(tables(store), made.seal)
        # the hour that was silent is over: checked as if it were that time
        rule_id = made_alert.json()["rule"]["id"]
        begin = now_of(store) - HOUR_MS
        book.write(rule_id, begin, {}, (), ())
        Evaluator(book, lambda: alert_sources(port.deployment)).look()
        assert Postman(book, made.post, made.console).run().sent == 1
        fires = browser.request("GET", "/api/v1/alerts/firing").json()
        assert "shop" in [one["key"] for one in fires if one["rule_id"] == rule_id]
        log = browser.request("GET", f"/api/v1/alerts/messages?alert={rule_id}").json()
        assert sorted(one["status"] for one in log) == ["sent", "shown"]
        muted = browser.request("POST", f"/api/v1/alerts/rules/{rule_id}/mute", json={"until": begin + 10 * DAY_MS})
        assert muted.json()["rule"]["muted_until"] == begin + 10 * DAY_MS
        assert browser.request("DELETE", f"/api/v1/alerts/rules/{rule_id}").status_code == 204
        port.access.close()


def test_a_measure_is_asked_of_the_store(store, tmp_path):
    end = now_of(store)
    start = end - HOUR_MS
    sessions = [
        {"session_id": f"s{n}", "unit": f"s{n}", "app_id": "shop", "person_id": f"p{n}", "start_tstamp": start + n,
         "end_tstamp": start + n, "views": 1, "source": "Google" if n % 2 else "Bing"}
        for n in range(5)
    ]  # fmt: skip
    fill(store, {"sessions": sessions})
    port = PrivatePort(tmp_path, store=store)
    sources = alert_sources(port.deployment)
    from snowgauge.alerts.watching.check import check

    question = {"metrics": ["visits"], "dimensions": ["visit:source"]}
    rule = Rule(id="m", name="M", condition=Measure(question=question, value=3, comparison="below"), apps=("shop",))
    found = {one.key: (one.value, one.bad) for one in check(rule, end, sources)}
    assert found == {"Bing": (3, False), "Google": (2, True)}
    wrong = Rule(id="m", name="M", condition=Measure(question={"metrics": ["no such"]}, value=3))
    assert [one.bad for one in check(wrong, end, sources)] == [None]
    port.access.close()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "x"}, "condition"),
        ({"name": "x", "condition": {"kind": "nothing"}}, "nothing"),
        ({"name": "x", "condition": {"kind": "no_events"}, "for_checks": 0}, "for_checks"),
        ({"name": "x\u0000", "condition": {"kind": "no_events"}}, "control characters"),
        ({"name": "x", "condition": {"kind": "measure", "question": {}, "value": 1}}, "one metric"),
        ({"name": "x", "condition": {"kind": "pipeline"}, "apps": ["shop"]}, "whole deployment"),
        ({"name": "x", "condition": {"kind": "no_events"}, "channels": ["none"]}, "no channel"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(clickhouse, tmp_path, body, said):
    with means() as made:
        port = PrivatePort(tmp_path, store=clickhouse, alert_means=lambda: made)
        answer = Browser(port.app).request("POST", "/api/v1/alerts", json=body)
        assert answer.status_code == 422
        assert said in answer.json()["detail"]
        port.access.close()


def test_rights(clickhouse, tmp_path):
    with means() as made:
        port = PrivatePort(tmp_path, store=clickhouse, alert_means=lambda: made)
        port.access.add_person("boss", "long enough 1", "admin")
        _, secret = port.access.add_key("reader", ["read:aggregates"], created_by="boss")
        browser = Browser(port.app, headers={"authorization": f"Bearer {secret}"})
        assert browser.request("GET", "/api/v1/alerts").status_code == 200
        assert browser.request("POST", "/api/v1/alerts", json={}).status_code == 403
        assert (
            browser.request("POST", "/api/v1/alerts/channels", json={"name": "x", "kind": "slack"}).status_code == 403
        )
        assert Browser(port.app).request("GET", "/api/v1/alerts/firing").status_code == 401
        port.access.close()


def test_the_plan_is_what_is_stored_and_what_people_said(store, tmp_path):
    """Over the API: a new event drifts until a person accepts it, and the alert sees the same."""
    now = tables(store).now()
    day = now - now % DAY_MS - DAY_MS
    schema = "com.acme/secret_sale/1-0-0"
    rows = [
        stats(day + HOUR_MS, event="secret_sale", schema=schema, tracker="js-4.6", app_version="2.0", events=300),
        stats(day + 2 * HOUR_MS, event="secret_sale", schema=schema, events=7, duplicates=200),
        stats(day - 3 * DAY_MS, event="gone", schema="com.acme/gone/1-0-0", events=5_000),
    ]
    fill(store, {"event_stats": rows})
    with means() as made:
        port = PrivatePort(tmp_path, store=store, alert_means=lambda: made)
        browser = Browser(port.app)
        plan = browser.request("GET", "/api/v1/plan").json()
        event = next(one for one in plan["events"] if one["event"] == "secret_sale")
        assert (event["first_seen"], event["last_seen"]) == (day + HOUR_MS, day + 2 * HOUR_MS)
        assert (event["trackers"], event["app_versions"], event["day"]) == (["js-4.6"], ["2.0"], 307)
        assert {(one["kind"], one["subject"]) for one in plan["drifts"]} == {
            ("unplanned", "secret_sale"), ("missing", "gone"), ("duplicates", "secret_sale"),
        }  # fmt: skip
        told = {one.summary for one in alert_sources(port.deployment).drifts()}
        assert told == {one["summary"] for one in plan["drifts"]}
        for one in plan["drifts"]:
            status = "ignored" if one["kind"] == "duplicates" else "accepted"
            answer = browser.request("PUT", f"/api/v1/plan/drift/{one['id']}", json={"status": status})
            assert answer.json()["status"] == status
        assert alert_sources(port.deployment).drifts() == []
        note = {"app": "shop", "event": "gone", "status": "deprecated", "owner": "Ann", "description": "was | once"}
        assert browser.request("PUT", "/api/v1/plan/event", json=note).status_code == 200
        assert browser.request("PUT", "/api/v1/plan/event", json={**note, "status": "x"}).status_code == 422
        text = browser.request("GET", "/api/v1/plan/markdown?app=shop").text
        assert "| secret_sale | planned |" in text
        assert "was \\| once" in text
        assert browser.request("GET", "/api/v1/plan/csv").text.count("\n") == 3
        port.access.close()
