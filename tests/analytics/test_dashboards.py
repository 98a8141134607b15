"""Saved reports and dashboards: whose they are, what they may hold, and what a scope does to a question."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.asking import saved
from snowgauge.actions.analytics.saved.database import SavedDatabase
from snowgauge.actions.analytics.saved.history import SqlHistory
from snowgauge.actions.analytics.saved.kinds import KINDS, Kind
from snowgauge.actions.analytics.saved.scope import fitted, laid_over
from snowgauge.analytics.reading import Surroundings
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.console import Browser, PrivatePort, listening
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.figures.filling import fill

BASE = "/api/v1/analytics"
PASSWORD = "correct horse battery"
NOON = 1_773_144_000_000  # 2026-03-10T12:00:00Z
VISITS = {"metrics": ["visits"], "date_range": ["2026-03-10", "2026-03-10"]}
SESSIONS = [
    {
        "session_id": f"s{n}", "unit": f"s{n}", "app_id": app, "person_id": f"p{n}", "start_tstamp": NOON,
        "end_tstamp": NOON, "source": "=Google",
    }
    for n, app in enumerate(["web", "web", "shop"])
]  # fmt: skip
QUESTIONS: dict[Kind, dict[str, Any]] = {
    "query": VISITS,
    "trends": {"series": [{"kind": "page"}], "date_range": "7d"},
    "funnel": {"steps": [{"kind": "page", "name": "/"}, {"kind": "goal", "name": "Order"}]},
    "retention": {"start": {"kind": "page"}},
    "lifecycle": {"event": {"kind": "page"}},
    "stickiness": {"event": {"kind": "page"}},
    "journeys": {},
    "attribution": {"goal": "Order"},
    "sql": {"sql": "SELECT 1"},
}


class Member(Browser):
    """A browser in which someone has logged in."""

    def __init__(self, port: PrivatePort, name: str) -> None:
        super().__init__(port.app)
        me = self.post("/api/v1/access/login", json={"name": name, "password": PASSWORD}).json()
        self._headers["X-CSRF-Token"] = me["csrf"]

    def report(self, name: str = "Visits", kind: str = "query", **more: Any) -> dict[str, Any]:
        question = {"question": VISITS, **more}
        answer = self.post(f"{BASE}/saved-reports", json={"name": name, "kind": kind, **question})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def dashboard(self, name: str = "Board", **more: Any) -> dict[str, Any]:
        answer = self.post(f"{BASE}/dashboards", json={"name": name, **more})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PrivatePort]:
    made = PrivatePort(tmp_path)
    for role, name in (("admin", "ada"), ("analyst", "ann"), ("viewer", "vic")):
        made.access.add_person(name, PASSWORD, role)  # type: ignore[arg-type]
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_of_every_kind_is_kept_and_what_it_cannot_answer_is_not(port: PrivatePort, kind: Kind) -> None:
    ann = Member(port, "ann")
    made = ann.report(kind=kind, question=QUESTIONS[kind], show="line")
    assert (made["kind"], made["question"], made["show"], made["mine"]) == (kind, QUESTIONS[kind], "line", True)
    wrong = {**QUESTIONS[kind], "sauce": 1}
    answer = ann.post(f"{BASE}/saved-reports", json={"name": "x", "kind": kind, "question": wrong})
    assert answer.status_code == 422
    assert "sauce" in answer.json()["detail"]
    assert ann.patch(f"{BASE}/saved-reports/{made['id']}", json={"question": wrong}).status_code == 422


def test_a_report_is_ones_own_until_it_is_shared(port: PrivatePort) -> None:
    ann, vic = Member(port, "ann"), Member(port, "vic")
    made = ann.report()
    address = f"{BASE}/saved-reports/{made['id']}"
    assert vic.get(f"{BASE}/saved-reports").json() == []
    assert [vic.get(address).status_code, vic.post(f"{address}/answer", json={}).status_code] == [404, 404]
    body = {"name": "x", "kind": "query", "question": VISITS, "shared": True}
    assert vic.post(f"{BASE}/saved-reports", json=body).status_code == 403
    ann.patch(address, json={"shared": True})
    assert [one["mine"] for one in vic.get(f"{BASE}/saved-reports").json()] == [False]
    assert vic.patch(address, json={"name": "mine now"}).status_code == 404
    assert Member(port, "ada").patch(address, json={"name": "Ours"}).json()["name"] == "Ours"
    assert ann.delete(address).status_code == 204
    assert vic.get(address).status_code == 404


def test_sql_is_kept_by_those_who_may_ask_it_and_shown_to_them_only(port: PrivatePort) -> None:
    ann, vic = Member(port, "ann"), Member(port, "vic")
    body = {"name": "x", "kind": "sql", "question": QUESTIONS["sql"]}
    assert vic.post(f"{BASE}/saved-reports", json=body).status_code == 403
    made = ann.report(kind="sql", question={"sql": "SELECT 'jane@example.com'"}, shared=True)
    assert vic.get(f"{BASE}/saved-reports/{made['id']}").json()["question"] == {}
    refused = vic.post(f"{BASE}/saved-reports/{made['id']}/answer", json={})
    assert refused.status_code == 403
    assert "query:sql" in refused.json()["detail"]


def test_a_dashboard_keeps_its_tiles_and_whoever_sees_it_sees_its_reports(port: PrivatePort) -> None:
    ann, vic = Member(port, "ann"), Member(port, "vic")
    report = ann.report()
    board = ann.dashboard()
    address = f"{BASE}/dashboards/{board['id']}"
    tiles = [
        {"x": 0, "y": 0, "w": 12, "h": 2, "text": "# Hello"},
        {"x": 6, "y": 2, "w": 6, "h": 5, "report": report["id"], "title": "This month"},
    ]
    made = ann.patch(address, json={"tiles": tiles, "scope": {"date_range": "28d"}, "refresh_s": 60}).json()
    assert [(one["x"], one["text"], one["title"]) for one in made["tiles"]] == [
        (0, "# Hello", ""),
        (6, "", "This month"),
    ]
    assert made["tiles"][1]["report"]["name"] == "Visits"
    assert vic.get(address).status_code == 404
    assert ann.patch(address, json={"shared": True}).json()["shared"]
    seen = vic.get(address).json()
    assert (seen["tiles"][1]["report"]["id"], seen["may_change"]) == (report["id"], False)
    assert vic.patch(address, json={"name": "x"}).status_code == 404
    # what others see of it cannot be taken from them by the way
    refused = ann.patch(f"{BASE}/saved-reports/{report['id']}", json={"shared": False})
    assert refused.status_code == 409
    assert "Board" in refused.json()["detail"]
    assert ann.delete(f"{BASE}/saved-reports/{report['id']}").status_code == 204
    assert [one["text"] for one in vic.get(address).json()["tiles"]] == ["# Hello"]


def test_what_a_dashboard_may_not_hold(port: PrivatePort) -> None:
    ann, ada = Member(port, "ann"), Member(port, "ada")
    mine, board = ann.report(), ada.dashboard(shared=True)
    address = f"{BASE}/dashboards/{board['id']}"
    place = {"x": 0, "y": 0, "w": 6, "h": 4}
    assert ada.patch(address, json={"tiles": [{**place, "report": mine["id"]}]}).status_code == 422
    for wrong in ({"x": 8}, {"w": 0}, {"y": -1}, {"h": 400}):
        assert ada.patch(address, json={"tiles": [{**place, **wrong}]}).status_code == 422, wrong
    assert ada.patch(address, json={"tiles": [place] * 61}).status_code == 422
    assert ada.patch(address, json={"scope": {"metrics": ["visits"]}}).status_code == 422
    assert ada.patch(address, json={"scope": {"date_range": "42y"}}).status_code == 422
    assert ada.patch(address, json={"refresh_s": 1}).status_code == 422
    # a report of someone else's that is on one's dashboard is not shared over their head
    with sqlite3.connect(port.deployment.data_dir / "console.sqlite") as db:
        db.execute("UPDATE dashboards SET shared = 0")
    ann.patch(f"{BASE}/saved-reports/{mine['id']}", json={"shared": True})
    ada.patch(address, json={"tiles": [{**place, "report": mine["id"]}]})
    with sqlite3.connect(port.deployment.data_dir / "console.sqlite") as db:
        db.execute("UPDATE saved_reports SET shared = 0")
    assert ada.patch(address, json={"shared": True}).status_code == 409


def test_two_who_change_a_dashboard_do_not_undo_each_other(port: PrivatePort) -> None:
    ann, ada = Member(port, "ann"), Member(port, "ada")
    board = ann.dashboard(shared=True)
    address = f"{BASE}/dashboards/{board['id']}"
    assert ada.patch(address, json={"name": "Hers", "changed_at": board["changed_at"]}).status_code == 200
    refused = ann.patch(address, json={"name": "Mine", "changed_at": board["changed_at"]})
    assert (refused.status_code, ann.get(address).json()["name"]) == (409, "Hers")


def test_reports_are_put_after_the_other_tiles_and_a_copy_is_ones_own(port: PrivatePort) -> None:
    ann = Member(port, "ann")
    report, board = ann.report(), ann.dashboard()
    address = f"{BASE}/dashboards/{board['id']}"
    for _ in range(3):
        made = ann.post(f"{address}/tiles", json={"report": report["id"]}).json()
    assert [(one["x"], one["y"]) for one in made["tiles"]] == [(0, 0), (6, 0), (0, 6)]
    assert ann.get(f"{BASE}/saved-reports").json()[0]["dashboards"] == 1
    ann.patch(address, json={"shared": True})
    vic = Member(port, "vic")
    copy = vic.dashboard("Copy", copy_of=board["id"])
    assert (len(copy["tiles"]), copy["mine"], copy["shared"]) == (3, True, False)
    assert vic.delete(f"{BASE}/dashboards/{copy['id']}").status_code == 204
    assert [one["name"] for one in vic.get(f"{BASE}/dashboards").json()] == ["Board"]


def test_a_database_of_an_earlier_version_gets_what_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "console.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE shares (id TEXT PRIMARY KEY, name TEXT NOT NULL)")
        db.execute("INSERT INTO shares VALUES ('1', 'kept')")
    db.close()
    with SavedDatabase(file).reading() as again:
        assert [(row["name"], row["dashboard"]) for row in again.execute("SELECT * FROM shares")] == [("kept", None)]


def test_a_scope_is_laid_over_a_question() -> None:
    around = Surroundings(NOON)
    question = {
        "metrics": ["visits"], "dimensions": ["time:hour"], "date_range": "day",
        "filters": [["is", "visit:country", ["DE"]]], "include": {"today": True, "time_labels": True},
    }  # fmt: skip
    more = [["is", "visit:source", ["Google"]]]
    scope = {
        "date_range": "12mo",
        "app": "web",
        "filters": more,
        "include": {"comparisons": {"mode": "previous_period"}},
    }
    made = fitted("query", laid_over("query", question, scope), around)
    assert made == {
        "metrics": ["visits"], "dimensions": ["time"], "date_range": "12mo", "app": "web",
        "filters": [*question["filters"], *more],
        "include": {"time_labels": True, "comparisons": {"mode": "previous_period"}},
    }  # fmt: skip
    assert laid_over("query", question, {}) == question
    trends = {"series": [{"kind": "page"}], "interval": "hour", "date_range": "day"}
    longer = fitted("trends", laid_over("trends", trends, scope), around)
    assert "interval" not in longer
    assert laid_over("sql", {"sql": "SELECT 1"}, scope) == {"sql": "SELECT 1"}


def test_a_tile_is_answered_in_the_scope_of_its_dashboard(tmp_path: Path, clickhouse: ClickHouseStore) -> None:
    fill(clickhouse, {"sessions": SESSIONS})
    port = PrivatePort(tmp_path, store=clickhouse)
    client = Browser(port.app)
    made = client.post(f"{BASE}/saved-reports", json={"name": "x", "kind": "query", "question": VISITS}).json()
    address = f"{BASE}/saved-reports/{made['id']}/answer"
    for scope, expected in (({}, 3), ({"app": "web"}, 2), ({"date_range": ["2026-03-01", "2026-03-02"]}, 0)):
        answer = client.post(address, json={"scope": scope}).json()
        assert (answer["answer"]["results"][0]["metrics"], answer["kind"]) == ([expected], "query")
    assert client.post(address, json={"scope": {"metrics": ["visits"]}}).status_code == 422
    lines = client.post(
        f"{BASE}/saved-reports", json={"name": "x", "kind": "lifecycle", "question": QUESTIONS["lifecycle"]}
    ).json()
    given = client.post(f"{BASE}/saved-reports/{lines['id']}/answer", json={"scope": {"date_range": "28d"}}).json()
    assert {"new", "dormant"} <= set(given["answer"]["results"][0])
    port.access.close()


def test_a_link_shows_one_dashboard_and_asks_nothing_else(tmp_path: Path, clickhouse: ClickHouseStore) -> None:
    fill(clickhouse, {"sessions": SESSIONS})
    port = PrivatePort(tmp_path, store=clickhouse)
    client = Browser(port.app)

    def report(kind: str, question: dict[str, Any], name: str = "Visits") -> str:
        answer = client.post(f"{BASE}/saved-reports", json={"name": name, "kind": kind, "question": question})
        return str(answer.json()["id"])

    terms = {**VISITS, "dimensions": ["visit:search_term"]}
    given = [report("query", VISITS), report("sql", {"sql": "SELECT 1"}), report("query", terms)]
    board = client.post(f"{BASE}/dashboards", json={"name": "Board"}).json()
    tiles = [{"x": 0, "y": 4 * at, "w": 6, "h": 4, "report": one} for at, one in enumerate(given)]
    tiles.append({"x": 6, "y": 0, "w": 6, "h": 4, "text": "Hello"})
    client.patch(f"{BASE}/dashboards/{board['id']}", json={"tiles": tiles})
    made = client.post(f"{BASE}/shares", json={"name": "Link", "dashboard": board["id"], "apps": ["web"]}).json()
    base = f"/api/v1/shared/{made['share']['id']}"
    opened = Browser(port.app).post(f"{base}/open", json={"secret": made["secret"]}).json()
    assert opened["view"]["dashboard"]
    guest = Browser(port.app, headers={"Authorization": f"Share {opened['ticket']}"})
    shown = guest.get(f"{base}/dashboard").json()
    assert [(one["title"], one["text"], one["shown"]) for one in shown["tiles"]] == [
        ("Visits", "", True), ("", "Hello", True), ("Visits", "", False), ("Visits", "", True),
    ]  # fmt: skip
    by_kind = {(one["kind"], one["y"]): f"{base}/tiles/{one['id']}" for one in shown["tiles"]}
    assert guest.post(by_kind["query", 0], json={}).json()["answer"]["results"][0]["metrics"] == [2]
    before = {"scope": {"date_range": ["2026-03-01", "2026-03-02"]}}
    assert guest.post(by_kind["query", 0], json=before).json()["answer"]["results"][0]["metrics"] == [0]
    for more in ({"app": "shop"}, {"filters": []}, {"traffic": "all"}, {"metrics": ["visitors"]}):
        assert guest.post(by_kind["query", 0], json={"scope": more}).status_code == 422, more
    assert guest.post(by_kind["sql", 4], json={}).status_code == 403
    assert guest.post(by_kind["query", 8], json={}).status_code == 422
    assert guest.post(f"{base}/tiles/other", json={}).status_code == 404
    assert guest.post(f"{base}/query", json=VISITS).status_code == 403
    for path in ("live", "values?dimension=visit:source", "csv?question={}"):
        assert guest.get(f"{base}/{path}").status_code == 403, path
    assert guest.get(f"{base}/definitions").status_code == 200
    assert client.post(f"{BASE}/shares", json={"name": "x", "dashboard": "other"}).status_code == 404
    # with the dashboard its links end
    client.delete(f"{BASE}/dashboards/{board['id']}")
    assert guest.get(f"{base}/dashboard").status_code == 401
    port.access.close()


def test_a_report_is_a_file(tmp_path: Path, clickhouse: ClickHouseStore) -> None:
    fill(clickhouse, {"sessions": SESSIONS})
    port = PrivatePort(tmp_path, store=clickhouse)
    client = Browser(port.app)
    for kind, question in QUESTIONS.items():
        asked = {**question, "dimensions": ["visit:source"]} if kind == "query" else question
        made = client.post(f"{BASE}/saved-reports", json={"name": "x", "kind": kind, "question": asked}).json()
        scope = {"scope": '{"date_range": ["2026-03-10", "2026-03-10"]}'}
        answer = client.get(f"{BASE}/saved-reports/{made['id']}/csv", params=scope)
        assert answer.status_code == 200, (kind, answer.text)
        lines = answer.text.splitlines()
        if kind == "query":
            assert lines == ["visit:source,visits", "'=Google,3"]
        if kind == "trends":
            assert lines[0] == "time,any page (count)"
        assert lines[0].split(",")[0] in {"visit:source", "time", "step", "began", "intervals", "value", "1"}, kind
    port.access.close()


def test_a_saved_query_has_parameters_which_never_become_sql(tmp_path: Path, clickhouse: ClickHouseStore) -> None:
    port = PrivatePort(tmp_path, store=clickhouse)
    client = Browser(port.app)
    text = "SELECT {word:String} AS word, {n:UInt8} + 1 AS n, toString({from:DateTime('UTC')}) AS first"
    hostile = "it's \\ {n:UInt8} %(n)s ') UNION SELECT 1"
    without = client.post("/api/v1/sql", json={"sql": text, "parameters": {"word": "x"}})
    assert without.status_code == 422
    assert "{n:UInt8}" in without.json()["detail"]
    values = {"word": hostile, "n": "4", "from": "2026-01-01 00:00:00"}
    answer = client.post("/api/v1/sql", json={"sql": text, "parameters": values}).json()
    assert answer["rows"] == [[hostile, 5, "2026-01-01 00:00:00"]]
    saved = {"name": "x", "kind": "sql", "question": {"sql": text, "parameters": {"word": hostile}}}
    assert client.post(f"{BASE}/saved-reports", json=saved).status_code == 422
    saved["question"] = {"sql": text, "parameters": {"word": hostile, "n": "4"}}
    made = client.post(f"{BASE}/saved-reports", json=saved).json()
    scope = {"date_range": ["2026-03-10", "2026-03-10"], "timezone": "Asia/Kathmandu"}
    tile = client.post(f"{BASE}/saved-reports/{made['id']}/answer", json={"scope": scope}).json()
    assert tile["answer"]["rows"] == [[hostile, 5, "2026-03-09 18:15:00"]]
    file = client.get("/api/v1/sql/export", params={"query": "SELECT {n:UInt8} AS n", "parameters": '{"n": "7"}'})
    assert file.text == '"n"\n7\n'
    refused = client.post("/api/v1/sql", json={"sql": "SELEC 1"}).json()["detail"]
    assert "FORMAT" not in refused
    assert "127.0.0.1" not in refused
    port.access.close()


def test_history_is_ones_own_and_bounded(port: PrivatePort) -> None:
    ann, ada = Member(port, "ann"), Member(port, "ada")
    for text in ("SELECT 1", "SELECT 2", "SELECT 1"):
        ann.post("/api/v1/sql", json={"sql": text})  # the store in memory refuses it; it was asked all the same
    assert [one["sql"] for one in ann.get("/api/v1/sql/history").json()] == ["SELECT 1", "SELECT 2"]
    assert ada.get("/api/v1/sql/history").json() == []
    book = SqlHistory(saved(port.deployment))
    someone = Principal("a key", "key", frozenset())
    for n in range(130):
        book.keep(f"SELECT {n}", someone)
    assert [one.sql for one in book.listed(someone)] == [f"SELECT {n}" for n in range(129, 29, -1)]
    assert ann.delete("/api/v1/sql/history").status_code == 204
    assert ann.get("/api/v1/sql/history").json() == []
    assert Member(port, "vic").get("/api/v1/sql/history").status_code == 403


def test_a_query_ends_in_the_store_when_its_connection_closes(tmp_path: Path, clickhouse: ClickHouseStore) -> None:
    long = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"

    def running() -> int:
        found = clickhouse.query(
            "SELECT count() FROM system.processes WHERE query LIKE 'SELECT count() FROM numbers(10000%'"
        )
        return int(found.rows[0][0])

    port = PrivatePort(tmp_path, store=clickhouse)
    with listening(port.app) as url, httpx.Client(base_url=url, headers={"Origin": url}) as client:
        with pytest.raises(httpx.ReadTimeout):  # as a page does that no longer waits: the connection is closed
            client.post("/api/v1/sql", json={"sql": long}, timeout=2)
        wait_until(lambda: running() == 0, "the query is over")
    port.access.close()
