"""Figures by e-mail: what the message says, that it comes once and when it is due, and how one gets off the list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from snowgauge.actions.access.roles import LOCAL
from snowgauge.actions.analytics.answering import dashboards, saved_reports
from snowgauge.actions.analytics.asking import saved
from snowgauge.actions.analytics.email_reports.book import EmailReports
from snowgauge.actions.analytics.email_reports.letter import Envelope, letter
from snowgauge.actions.analytics.email_reports.sending import send_due, try_out
from snowgauge.actions.analytics.email_reports.summary import Line, Section, Summary
from snowgauge.actions.analytics.saved.dashboards import DashboardChange
from snowgauge.actions.analytics.saved.reports import NewReport
from snowgauge.actions.analytics.saved.tiles import GivenTile
from snowgauge.actions.deployment import Deployment, Outbox
from snowgauge.errors import ActionRefused
from snowgauge.mail.send import MailRefused
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.testing.console import Browser, PrivatePort
from snowgauge.testing.figures.filling import fill

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


class Mailbox:
    """Takes messages, or fails as it is told to."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.fails: dict[str, Exception] = {}

    def __call__(self, message: EmailMessage) -> str:
        if (error := self.fails.get(message["To"])) is not None:
            raise error
        self.messages.append(message)
        return "taken by the mail server"

    def to(self) -> list[str]:
        return sorted(message["To"] for message in self.messages)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


def rows(until: datetime) -> dict[str, list[dict[str, object]]]:
    visits = [(MONDAY + timedelta(days=day), source) for day, source in ((0, "Google"), (3, "Google"), (-4, ""))]
    return {
        "sessions": [
            {
                "session_id": f"s{n}", "unit": f"s{n}", "app_id": "shop", "person_id": f"p{n}", "start_tstamp": ms(at),
                "end_tstamp": ms(at), "source": source, "views": 1, "duration_s": 75,
            }
            for n, (at, source) in enumerate(visits)
        ],
        "page_views": [
            {
                "view_id": f"v{n}", "event_id": f"00000000-0000-4000-8000-00000000000{n}", "unit": f"s{n}",
                "session_id": f"s{n}", "app_id": "shop", "person_id": f"p{n}", "start_tstamp": ms(at),
                "end_tstamp": ms(at), "page_path": "/<script>alert(1)</script>",
            }
            for n, (at, _) in enumerate(visits)
        ],
        "model_state": [{"table": "*", "modelled_until": ms(until), "updated_at": ms(until)}],
    }  # fmt: skip


@pytest.fixture
def deployment(tmp_path: Path, clickhouse: ClickHouseStore, mailbox: Mailbox) -> Iterator[Deployment]:
    fill(clickhouse, rows(MONDAY + timedelta(days=8)))
    port = PrivatePort(tmp_path, store=clickhouse)
    outbox = Outbox(mailbox, "snowgauge@example.com", "https://console.example.com")
    yield msgspec.structs.replace(port.deployment, outbox=outbox)
    port.access.close()


def book(deployment: Deployment, at: datetime = MONDAY) -> EmailReports:
    database = saved(deployment)
    database.clock = lambda: ms(at)
    return EmailReports(database)


def test_a_week_comes_once_to_each_on_the_morning_after(deployment: Deployment, mailbox: Mailbox) -> None:
    book(deployment).add("shop", "week", ["ann@example.com", "bob@example.com"], LOCAL)
    after = MONDAY + timedelta(days=7)
    assert send_due(deployment, ms(after + timedelta(hours=5))).sent == 0
    assert send_due(deployment, ms(after + timedelta(hours=7))).sent == 2
    assert send_due(deployment, ms(after + timedelta(hours=8))).sent == 0
    assert mailbox.to() == ["ann@example.com", "bob@example.com"]
    found = mailbox.messages[0]
    assert found["Subject"] == "shop: 2 visitors (+100 %), 9 March to 15 March 2026"
    text = found.get_body(("plain",))
    assert text is not None
    said = text.get_content()
    assert "Google" in said
    assert "1 min 15 s  Visit duration" in said
    assert "https://console.example.com/analytics?app=shop&period=2026-03-09~2026-03-15" in said


def test_html_loads_nothing_and_runs_nothing(deployment: Deployment, mailbox: Mailbox) -> None:
    book(deployment).add("shop", "week", ["ann@example.com"], LOCAL)
    send_due(deployment, ms(MONDAY + timedelta(days=8)))
    html = mailbox.messages[0].get_body(("html",))
    assert html is not None
    content = html.get_content()
    assert "&lt;script&gt;" in content
    for loading in ("<script", "<img", "src=", "url(", "<link", "@import"):
        assert loading not in content


def test_what_is_not_modelled_yet_waits(deployment: Deployment, mailbox: Mailbox, clickhouse: ClickHouseStore) -> None:
    fill(clickhouse, rows(MONDAY + timedelta(days=6)))
    book(deployment).add("shop", "week", ["ann@example.com"], LOCAL)
    sent = send_due(deployment, ms(MONDAY + timedelta(days=8)))
    assert (sent.sent, sent.waiting) == (0, 1)
    assert mailbox.messages == []


def test_a_report_begins_with_the_period_in_which_it_was_made(deployment: Deployment, mailbox: Mailbox) -> None:
    book(deployment, MONDAY + timedelta(days=8)).add("shop", "week", ["ann@example.com"], LOCAL)
    assert send_due(deployment, ms(MONDAY + timedelta(days=8))).sent == 0


def test_one_that_fails_holds_up_none_and_is_tried_again(deployment: Deployment, mailbox: Mailbox) -> None:
    made = book(deployment).add("shop", "week", ["ann@example.com", "bob@example.com", "eve@example.com"], LOCAL)
    mailbox.fails = {"bob@example.com": OSError("busy"), "eve@example.com": MailRefused("550 no such user")}
    now = ms(MONDAY + timedelta(days=8))
    first = send_due(deployment, now)
    assert (first.sent, first.again, first.failed) == (1, 1, 1)
    mailbox.fails = {}
    second = send_due(deployment, now)
    assert (second.sent, second.again, second.failed) == (1, 0, 0)
    assert mailbox.to() == ["ann@example.com", "bob@example.com"]
    assert [one.id for one in EmailReports(saved(deployment)).listed() if one.last_sent_at] == [made.id]


def test_one_that_was_cut_off_is_sent_again_with_the_same_id(deployment: Deployment, mailbox: Mailbox) -> None:
    made = book(deployment).add("shop", "week", ["ann@example.com"], LOCAL)
    now = MONDAY + timedelta(days=8)
    # its process ended after the server took it and before that was written down
    assert book(deployment, now).begin(made.id, "2026-03-09/2026-03-15", "ann@example.com")
    assert not book(deployment, now + timedelta(minutes=5)).begin(made.id, "2026-03-09/2026-03-15", "ann@example.com")
    assert book(deployment, now + timedelta(minutes=10)).begin(made.id, "2026-03-09/2026-03-15", "ann@example.com")
    line = Summary("shop", "t", "2026-03-09/2026-03-15", [Line("Visitors", "1")], [Section("x", [])], True)
    assert (
        letter(line, Envelope("a", "s@e", "t@e", 0))["Message-ID"]
        == letter(line, Envelope("a", "s@e", "t@e", 9))["Message-ID"]
    )


def test_a_month_is_the_last_one(deployment: Deployment, mailbox: Mailbox) -> None:
    book(deployment).add("shop", "month", ["ann@example.com"], LOCAL)
    assert send_due(deployment, ms(datetime(2026, 4, 1, 7, tzinfo=UTC))).waiting == 1
    said = try_out(deployment, EmailReports(saved(deployment)).listed()[0].id, "eve@example.com")
    assert said == "taken by the mail server"
    assert "List-Unsubscribe" not in mailbox.messages[0]


def test_a_recipient_gets_off_the_list_alone(deployment: Deployment, mailbox: Mailbox, tmp_path: Path) -> None:
    book(deployment).add("shop", "week", ["ann@example.com", "bob@example.com"], LOCAL)
    send_due(deployment, ms(MONDAY + timedelta(days=8)))
    message = next(one for one in mailbox.messages if one["To"] == "ann@example.com")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = urlsplit(message["List-Unsubscribe"].strip("<>"))
    port = PrivatePort(tmp_path, store=deployment.store)
    client = Browser(port.app)
    page = client.get(f"{link.path}?{link.query}")
    assert page.status_code == 200
    assert "Unsubscribe" in page.text
    assert len(EmailReports(saved(deployment)).listed()[0].recipients) == 2
    other = link.query.replace("ann", "bob")
    assert client.post(f"{link.path}?{other}").status_code == 404
    assert client.post(f"{link.path}?{link.query}").status_code == 200
    assert EmailReports(saved(deployment)).listed()[0].recipients == ["bob@example.com"]
    port.access.close()


@pytest.mark.parametrize(
    "address",
    ["", "x", "a@b@c", "ann@example.com\nBcc: eve@example.com", "<ann@example.com>", "a" * 300 + "@example.com"],
)
def test_what_is_no_address_is_refused(deployment: Deployment, address: str) -> None:
    with pytest.raises(ActionRefused):
        book(deployment).add("shop", "week", [address], LOCAL)


def test_without_a_mail_server_the_api_says_so(tmp_path: Path) -> None:
    port = PrivatePort(tmp_path)
    client = Browser(port.app)
    given = {"app": "shop", "every": "week", "recipients": ["ann@example.com"]}
    made = client.post("/api/v1/analytics/email-reports", json=given).json()
    assert client.get("/api/v1/analytics/email-reports").json()["mail"] is False
    tried = client.post(f"/api/v1/analytics/email-reports/{made['id']}/try", json={"to": "ann@example.com"})
    assert tried.status_code in (400, 409)
    assert client.delete(f"/api/v1/analytics/email-reports/{made['id']}").status_code == 204
    port.close()


def test_a_dashboard_comes_with_the_rows_of_its_tiles(deployment: Deployment, mailbox: Mailbox) -> None:
    boards, kept = dashboards(deployment), saved_reports(deployment)
    board = boards.add("Weekly board", shared=False, who=LOCAL)
    sources = {"metrics": ["visits", "visitors"], "dimensions": ["visit:source"]}
    reports = [
        NewReport("Sources", "query", sources),
        NewReport("Total", "query", {"metrics": ["visits"], "filters": [["is", "visit:source", ["Google"]]]}),
        NewReport("Pages", "trends", {"series": [{"kind": "page"}], "interval": "hour", "date_range": "day"}),
        NewReport("Rows", "sql", {"sql": "SELECT 'jane@example.com'"}),
    ]
    tiles = [GivenTile(0, 4 * at, 6, 4, kept.add(one, LOCAL).id) for at, one in enumerate(reports)]
    boards.change(board.id, LOCAL, DashboardChange(tiles=[*tiles, GivenTile(6, 0, 6, 4, text="Hello")]))
    made = book(deployment).add("", "week", ["ann@example.com"], LOCAL, dashboard=board.id)
    assert made.dashboard_name == "Weekly board"
    assert send_due(deployment, ms(MONDAY + timedelta(days=7, hours=7))).sent == 1
    message = mailbox.messages[0]
    assert message["Subject"] == "Weekly board, 9 March to 15 March 2026"
    text = message.get_body(("plain",))
    assert text is not None
    said = text.get_content()
    assert "visits 2 · visitors 2  Google" in said
    assert " 2  Visits" in said
    assert "1  2026-03-09" in said
    assert "not sent by e-mail" in said
    assert "jane" not in said
    assert f"https://console.example.com/dashboards?id={board.id}&period=2026-03-09~2026-03-15" in said
    boards.remove(board.id, LOCAL)
    assert book(deployment).listed() == []
