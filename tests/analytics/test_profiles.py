"""One person's page over HTTP, on both stores: who that is by any ID, export, and erasure."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snowgauge.actions.lifetime.erasing import Erasing
from snowgauge.actions.lifetime.gate import Gate
from snowgauge.actions.lifetime.places import store_places
from snowgauge.actions.lifetime.tombstones import Tombstones
from snowgauge.pipeline.personal_places import CohortsPlace, ModelledPlace
from snowgauge.state.documents import FolderDocuments
from snowgauge.store.base import Store
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.deployment import wait_until
from snowgauge.testing.events import web_page_view
from snowgauge.testing.figures.filling import fill

NOON = 1_773_144_000_000  # 2026-03-10T12:00:00Z
HOUR = 3_600_000
BASE = "/api/v1"
PASSWORD = "correct horse battery"


def session(number: int, person: str, visitor: str, user: str) -> dict[str, Any]:
    at = NOON + number * HOUR
    return {"session_id": f"s{number}", "unit": f"s{number}", "app_id": "web", "person_id": person,
            "visitor_id": visitor, "user_id": user, "start_tstamp": at, "end_tstamp": at + 60_000}  # fmt: skip


SESSIONS = [session(0, "ann", "v1", "ann"), session(1, "ann", "v1", "ann"), session(2, "ann", "v2", "ann"),
            session(3, "bob", "v1", "bob"), session(4, "v3", "v3", "")]  # fmt: skip
USERS = [
    {"person_id": "ann", "user_id": "ann", "first_seen": NOON, "last_seen": NOON + 2 * HOUR + 60_000, "sessions": 3,
     "views": 9, "events": 12, "active_days": 1, "conversions": 2, "revenue": 12.5, "orders": 1,
     "first_source": "Google", "first_channel": "Organic Search", "last_country": "DE"},
    {"person_id": "bob", "user_id": "bob", "first_seen": NOON + 3 * HOUR, "last_seen": NOON + 3 * HOUR, "sessions": 1},
    {"person_id": "v3", "first_seen": NOON + 4 * HOUR, "last_seen": NOON + 4 * HOUR, "sessions": 1},
]  # fmt: skip


@pytest.fixture
def port(store: Store, tmp_path: Path) -> Iterator[PrivatePort]:
    stored = [
        web_page_view(number, user_id=one["user_id"] or None, domain_userid=one["visitor_id"], network_userid=None,
                      domain_sessionid=one["session_id"], collector_tstamp=one["start_tstamp"])
        for number, one in enumerate(SESSIONS)
    ]  # fmt: skip
    fill(store, {"sessions": SESSIONS, "users": USERS}, stored)
    model = store.modelling()  # type: ignore[attr-defined]
    places = [*store_places(store.lifetime()), ModelledPlace(model), CohortsPlace(model)]  # type: ignore[attr-defined]
    erasing = Erasing(places, Tombstones(FolderDocuments(tmp_path / "privacy")), Gate(tmp_path))
    made = PrivatePort(tmp_path, store=store, erasing=lambda: erasing)
    yield made
    made.access.close()


def profile(port: PrivatePort, any_id: str) -> Any:
    return Browser(port.app).get(f"{BASE}/analytics/profiles/{any_id}").json()


def test_a_person_by_any_of_their_ids(port: PrivatePort) -> None:
    found = profile(port, "ann")
    assert found["others"] == []
    ann = found["profile"]
    assert (ann["visits"], ann["views"], ann["revenue"], ann["country"]) == (3, 9, 12.5, "DE")
    assert (ann["first_source"], ann["first_seen"]) == ("Google", NOON)
    assert [(one["visitor_id"], one["user_id"], one["visits"]) for one in ann["identities"]] == [
        ("v2", "ann", 1), ("v1", "ann", 2),
    ]  # fmt: skip
    assert profile(port, "v2")["profile"] == ann
    # of several at one browser the one seen last, and who else there is
    shared = profile(port, "v1")
    assert (shared["profile"]["person_id"], shared["others"]) == ("bob", ["ann"])
    assert profile(port, "v3")["profile"]["person_id"] == "v3"
    assert Browser(port.app).get(f"{BASE}/analytics/profiles/nobody").status_code == 404


ANN = {"identifiers": [{"kind": "user_id", "value": "ann"}, {"kind": "domain_userid", "value": "v2"}]}


def test_export_plan_and_erase(port: PrivatePort) -> None:
    browser = Browser(port.app)
    plan = browser.post(f"{BASE}/privacy/plan", json=ANN).json()
    assert {one["place"]: one["items"] for one in plan["places"]} == {"events": 3, "modelled": 3}
    packed = browser.post(f"{BASE}/privacy/export", json=ANN)
    with zipfile.ZipFile(io.BytesIO(packed.content)) as files:
        assert {"events.json", "events.csv"} <= set(files.namelist())
        assert {one["user_id"] for one in json.loads(files.read("events.json"))} == {"ann"}
    begun = browser.post(f"{BASE}/privacy/erasures", json={**ANN, "reason": "ticket 7"})
    assert begun.status_code == 202, begun.text
    erasure = begun.json()["id"]

    def done() -> bool:
        return bool(browser.get(f"{BASE}/privacy/erasures/{erasure}").json()["state"] == "done")

    wait_until(done, "the erasure is done", within=120)
    assert browser.get(f"{BASE}/privacy/erasures/{erasure}").json()["removed"] >= 3
    assert browser.post(f"{BASE}/privacy/plan", json=ANN).json() == {"places": [], "items": 0}
    assert browser.get(f"{BASE}/analytics/profiles/ann").status_code == 404
    assert profile(port, "bob")["profile"]["visits"] == 1
    assert browser.get(f"{BASE}/privacy/erasures/unknown").status_code == 404
    audit = browser.get(f"{BASE}/access/audit").text
    assert "erase person" in audit
    assert "ann" not in audit.replace("v1", "").split("erase person")[1][:300]


def test_only_who_may(port: PrivatePort) -> None:
    for role, name in (("admin", "ada"), ("analyst", "ana"), ("viewer", "vic")):
        port.access.add_person(name, PASSWORD, role)  # type: ignore[arg-type]
    for name, seen, managed in (("ana", 200, 403), ("vic", 403, 403)):
        browser = Browser(port.app)
        me = browser.post(f"{BASE}/access/login", json={"name": name, "password": PASSWORD}).json()
        headers = {"X-CSRF-Token": me["csrf"]}
        assert browser.get(f"{BASE}/analytics/profiles/bob").status_code == seen
        for path in ("plan", "export", "erasures"):
            assert browser.post(f"{BASE}/privacy/{path}", json=ANN, headers=headers).status_code == managed


@pytest.mark.parametrize(
    "given",
    [{"identifiers": []}, {"identifiers": [{"kind": "word", "value": "a"}]},
     {"identifiers": [{"kind": "user_id", "value": ""}]}],
)  # fmt: skip
def test_whom_nobody_is_meant_by(port: PrivatePort, given: Any) -> None:
    assert Browser(port.app).post(f"{BASE}/privacy/erasures", json=given).status_code == 422
