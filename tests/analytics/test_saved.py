"""Segments, annotations and share links: whose they are, what a link shows, and how it ends."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snowgauge.actions.analytics.asking import saved
from snowgauge.actions.analytics.saved.shares import Shares
from snowgauge.console.site import Console
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.figures.filling import fill

PASSWORD = "correct horse battery"
NOON = 1_773_144_000_000  # 2026-03-10T12:00:00Z
DAY = {"date_range": ["2026-03-10", "2026-03-10"], "metrics": ["visits"]}
BASE = "/api/v1/analytics"
ROWS = {
    "sessions": [
        {
            "session_id": f"s{n}", "unit": f"s{n}", "app_id": app, "person_id": f"p{n}", "start_tstamp": NOON,
            "end_tstamp": NOON, "source": source,
        }
        for n, (app, source) in enumerate([("web", "Google"), ("web", ""), ("shop", "Google")])
    ],
}  # fmt: skip


class Clock:
    """A clock that a test sets."""

    now = NOON + 3_600_000

    def __call__(self) -> int:
        return self.now


class Member(Browser):
    """A browser in which someone has logged in."""

    def __init__(self, port: PrivatePort, name: str) -> None:
        super().__init__(port.app)
        me = self.post("/api/v1/access/login", json={"name": name, "password": PASSWORD}).json()
        self._headers["X-CSRF-Token"] = me["csrf"]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PrivatePort]:
    made = PrivatePort(tmp_path)
    for role, name in (("admin", "ada"), ("analyst", "ann"), ("viewer", "vic")):
        made.access.add_person(name, PASSWORD, role)  # type: ignore[arg-type]
    yield made
    made.close()


GOOGLE = [["is", "visit:source", ["Google"]]]


def test_a_segment_is_ones_own_until_it_is_shared(port: PrivatePort) -> None:
    ann, vic = Member(port, "ann"), Member(port, "vic")
    made = ann.post(f"{BASE}/segments", json={"name": "From Google", "filters": GOOGLE}).json()
    assert made["mine"]
    assert [one["name"] for one in ann.get(f"{BASE}/segments").json()] == ["From Google"]
    assert vic.get(f"{BASE}/segments").json() == []
    assert vic.delete(f"{BASE}/segments/{made['id']}").status_code == 404
    assert ann.patch(f"{BASE}/segments/{made['id']}", json={"shared": True}).json()["shared"]
    assert [one["mine"] for one in vic.get(f"{BASE}/segments").json()] == [False]
    assert vic.delete(f"{BASE}/segments/{made['id']}").status_code == 404
    assert ann.delete(f"{BASE}/segments/{made['id']}").status_code == 204
    assert vic.get(f"{BASE}/segments").json() == []


def test_a_viewer_keeps_segments_and_shares_none(port: PrivatePort) -> None:
    vic = Member(port, "vic")
    assert vic.post(f"{BASE}/segments", json={"name": "x", "filters": GOOGLE}).status_code == 201
    assert vic.post(f"{BASE}/segments", json={"name": "x", "filters": GOOGLE, "shared": True}).status_code == 403
    assert vic.get(f"{BASE}/shares").status_code == 403


def test_a_segment_must_make_sense(port: PrivatePort) -> None:
    ann = Member(port, "ann")
    answer = ann.post(f"{BASE}/segments", json={"name": "x", "filters": [["is", "visit:sauce", ["a"]]]})
    assert answer.status_code == 422
    assert "visit:source" in answer.json()["detail"]
    assert ann.post(f"{BASE}/segments", json={"name": " ", "filters": GOOGLE}).status_code == 422
    assert ann.post(f"{BASE}/segments", json={"name": "x", "filters": []}).status_code == 422
    made = ann.post(f"{BASE}/segments", json={"name": "x", "filters": GOOGLE}).json()
    itself = ann.patch(f"{BASE}/segments/{made['id']}", json={"filters": [["is", "segment", [made["id"]]]]})
    assert itself.status_code == 422
    assert "contains itself" in itself.json()["detail"]


def test_a_personal_segment_goes_with_its_person(port: PrivatePort) -> None:
    Member(port, "vic").post(f"{BASE}/segments", json={"name": "x", "filters": GOOGLE})
    person = next(one for one in port.access.people() if one.name == "vic")
    port.access.remove_person(person.id)
    with saved(port.deployment).reading() as db:
        assert db.execute("SELECT count(*) FROM segments").fetchone()[0] == 0


def test_annotations_lie_on_the_charts_of_their_application(port: PrivatePort) -> None:
    ann, vic = Member(port, "ann"), Member(port, "vic")
    for app, at, text in (("web", NOON, "Release 2"), ("", NOON + 1, "Outage"), ("shop", NOON + 2, "Sale")):
        given = {"app": app, "at": at, "text": text, "shared": True}
        assert ann.post(f"{BASE}/annotations", json=given).status_code == 201
    ann.post(f"{BASE}/annotations", json={"app": "web", "at": NOON, "text": "mine"})
    assert [one["text"] for one in vic.get(f"{BASE}/annotations?app=web").json()] == ["Release 2", "Outage"]
    assert [one["text"] for one in vic.get(f"{BASE}/annotations?since={NOON + 2}").json()] == ["Sale"]
    assert len(ann.get(f"{BASE}/annotations?app=web").json()) == 3
    assert ann.post(f"{BASE}/annotations", json={"at": -1, "text": "x"}).status_code == 422


@pytest.fixture
def sharing(tmp_path: Path, clickhouse: ClickHouseStore) -> Iterator[PrivatePort]:
    fill(clickhouse, ROWS)
    made = PrivatePort(tmp_path, store=clickhouse)
    yield made
    made.access.close()


def link(port: PrivatePort, **given: Any) -> tuple[str, str]:
    answer = Browser(port.app).post(f"{BASE}/shares", json={"name": "Board", **given})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["path"] == f"/share/{made['share']['id']}#{made['secret']}"
    return made["share"]["id"], made["secret"]


def opened(port: PrivatePort, share_id: str, secret: str, password: str = "") -> Any:
    given = {"secret": secret, "password": password}
    return Browser(port.app).post(f"/api/v1/shared/{share_id}/open", json=given)


def ask(port: PrivatePort, share_id: str, ticket: str, **asked: Any) -> Any:
    client = Browser(port.app, headers={"Authorization": f"Share {ticket}"})
    return client.post(f"/api/v1/shared/{share_id}/query", json={**DAY, **asked})


def test_a_link_shows_its_applications_and_filters_and_no_more(sharing: PrivatePort) -> None:
    port = sharing
    share_id, secret = link(port, apps=["web"], filters=GOOGLE, dimensions=["visit:source"])
    ticket = opened(port, share_id, secret).json()["ticket"]
    assert ask(port, share_id, ticket).json()["results"][0]["metrics"] == [1]
    assert ask(port, share_id, ticket, app="web").status_code == 200
    for more in (
        {"app": "shop"}, {"dimensions": ["visit:country"]}, {"dimensions": ["event:props:contexts/a/b/1/c"]},
        {"filters": [["is", "visit:country", ["DE"]]]}, {"filters": [["not", ["is", "event:query", ["a"]]]]},
        {"filters": [["is", "segment", ["x"]]]}, {"explain": True}, {"traffic": "all"},
    ):  # fmt: skip
        assert ask(port, share_id, ticket, **more).status_code == 422, more
    assert ask(port, share_id, ticket, filters=[["is_not", "visit:source", ["Google"]]]).json()["results"][0][
        "metrics"
    ] == [0]


def test_files_of_a_link_hold_what_it_shows_and_no_more(sharing: PrivatePort) -> None:
    port = sharing
    share_id, secret = link(port, apps=["web"], filters=GOOGLE, dimensions=["visit:source"])
    ticket = opened(port, share_id, secret).json()["ticket"]
    client = Browser(port.app, headers={"Authorization": f"Share {ticket}"})
    by_source = {"name": "sources", "question": {**DAY, "dimensions": ["visit:source"]}}
    nonsense = {"name": "depth", "question": {**DAY, "metrics": ["exit_rate"]}}
    answer = client.post(f"/api/v1/shared/{share_id}/files", json={"files": [by_source, nonsense]})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert sorted(packed.namelist()) == ["left-out.txt", "sources.csv"]
        assert packed.read("sources.csv").decode().splitlines() == ["visit:source,visits", "Google,1"]
        assert packed.read("left-out.txt").decode().startswith("depth: metrics[0]: ")
    alone = client.get(f"/api/v1/shared/{share_id}/csv", params={"question": json.dumps(by_source["question"])})
    assert alone.text.splitlines() == ["visit:source,visits", "Google,1"]
    for more in ({"app": "shop"}, {"dimensions": ["visit:country"]}, {"explain": True}, {"traffic": "all"}):
        files = [by_source, {"name": "more", "question": {**DAY, **more}}]
        assert client.post(f"/api/v1/shared/{share_id}/files", json={"files": files}).status_code == 422, more
    for files in ([], [{"name": "../../etc/passwd", "question": DAY}], [by_source] * 101):
        assert client.post(f"/api/v1/shared/{share_id}/files", json={"files": files}).status_code == 422
    assert Browser(port.app).post(f"/api/v1/shared/{share_id}/files", json={"files": [by_source]}).status_code == 401
    assert Browser(port.app).delete(f"{BASE}/shares/{share_id}").status_code == 204
    assert client.post(f"/api/v1/shared/{share_id}/files", json={"files": [by_source]}).status_code == 401


def test_nothing_but_its_own_link_opens_with_a_ticket(sharing: PrivatePort) -> None:
    port = sharing
    share_id, secret = link(port)
    other, _ = link(port)
    ticket = opened(port, share_id, secret).json()["ticket"]
    assert ask(port, other, ticket).status_code == 401
    assert ask(port, share_id, secret).status_code == 401
    assert opened(port, share_id, "wrong").status_code == 401
    assert opened(port, other, secret).status_code == 401
    client = Browser(port.app, headers={"Authorization": f"Share {ticket}"})
    port.access.add_person("ada", PASSWORD, "admin")
    assert client.post(f"{BASE}/query", json=DAY).status_code == 401
    assert client.get(f"/api/v1/shared/{share_id}/live").status_code == 200


def test_a_revoked_link_ends_at_once(sharing: PrivatePort) -> None:
    port = sharing
    share_id, secret = link(port)
    ticket = opened(port, share_id, secret).json()["ticket"]
    assert Browser(port.app).delete(f"{BASE}/shares/{share_id}").status_code == 204
    assert ask(port, share_id, ticket).status_code == 401
    assert opened(port, share_id, secret).status_code == 401


def test_a_link_ends_when_it_was_told_to(port: PrivatePort) -> None:
    clock = Clock()
    database = saved(port.deployment)
    database.clock = clock
    shares = Shares(database)
    from snowgauge.actions.access.roles import LOCAL
    from snowgauge.actions.analytics.saved.shares import NewShare
    from snowgauge.errors import AccessRefused

    share, secret = shares.add(
        NewShare("x", expires_at=clock.now + 1000, frame_ancestors=("https://a.example",)), LOCAL
    )
    _, ticket = shares.open(share.id, secret, "", ip="")
    assert shares.by_ticket(share.id, ticket).id == share.id
    assert shares.frame_ancestors(share.id) == ["https://a.example"]
    clock.now += 1000
    with pytest.raises(AccessRefused):
        shares.by_ticket(share.id, ticket)
    with pytest.raises(AccessRefused):
        shares.open(share.id, secret, "", ip="")
    assert shares.frame_ancestors(share.id) == []


def test_a_password_is_asked_for_and_guesses_are_slowed_down(sharing: PrivatePort) -> None:
    port = sharing
    share_id, secret = link(port, password="open sesame 1")
    assert opened(port, share_id, secret).status_code == 403
    assert opened(port, share_id, secret, "open sesame 1").status_code == 200
    tried = [opened(port, share_id, secret, f"wrong {n}").status_code for n in range(12)]
    assert tried[0] == 403
    assert tried[-1] == 429
    database = (port.deployment.data_dir / "console.sqlite").read_bytes()
    assert b"open sesame" not in database
    assert secret.encode() not in database


def test_a_shared_page_is_embedded_by_its_origins_only(tmp_path: Path) -> None:
    static = tmp_path / "static"
    static.mkdir()
    (static / "index.html").write_text("<html>")
    port = PrivatePort(tmp_path, site=None)
    shares = Shares(saved(port.deployment))
    framed = PrivatePort(tmp_path / "framed", site=Console(static, frames=shares.frame_ancestors))
    share_id, _ = link(port, frame_ancestors=["https://intranet.example"])
    client = Browser(framed.app)
    page = client.get(f"/share/{share_id}")
    assert "frame-ancestors https://intranet.example" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    for other in ("/", "/share/unknown", "/share/"):
        answer = client.get(other)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
    bad = Browser(port.app).post(f"{BASE}/shares", json={"name": "x", "frame_ancestors": ["https://a.example; *"]})
    assert bad.status_code == 422
    port.close()
    framed.close()
