"""The first way Snowplow ever ran: a pixel on a static host, its access log, an import; rows as those of live hits."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
import requests
from snowplow_tracker import Emitter, PageView, SelfDescribing, SelfDescribingJson, StructuredEvent, Subject, Tracker

from snowgauge.actions.pixel import export
from snowgauge.events.timestamps import parse_ms
from snowgauge.testing.cloudfront import PixelHost, write_log

pytestmark = pytest.mark.e2e

OF_THE_WAY = {"v_collector", "network_userid", "collector_tstamp", "etl_tstamp", "load_tstamp", "derived_tstamp"}
"""Columns that tell how and when an event came in."""
OF_THE_APPLICATION = {"app_id", "event_fingerprint"}
"""Columns made of the application's id, in which the two ways are told apart here."""

TIMING = "iglu:com.snowplowanalytics.snowplow/timing/jsonschema/1-0-0"
APPLICATION = "iglu:com.snowplowanalytics.snowplow/application/jsonschema/1-0-0"


class Twice(requests.Session):
    """Sends each request to a second address as well, byte for byte."""

    def __init__(self, second):
        super().__init__()
        self.second, self.refused = second, []

    def get(self, url, **more):
        first = super().get(url, **more)
        path = url.partition("/i")[2]
        copy = super().get(f"{self.second}/i{path}", **more)
        self.refused += [answer for answer in (first, copy) if answer.status_code != 200]
        return first


def track(port, second, app_id):
    with Twice(second) as session:
        session.headers.update({"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
                                "Referer": "http://shop.example/a%20b?q=50%25;x=1"})  # fmt: skip
        refused = []
        emitter = Emitter("127.0.0.1", protocol="http", port=port, method="get", batch_size=1, session=session,
                          on_failure=lambda count, events: refused.append(events))  # fmt: skip
        for base64 in (True, False):
            subject = Subject().set_user_id("näme 'x' ~").set_lang("de")
            tracker = Tracker(namespace="py", emitters=emitter, app_id=app_id, subject=subject, encode_base64=base64)
            entity = SelfDescribingJson(APPLICATION, {"version": "100% %25 %2588"})
            page = PageView(
                page_url="http://shop.example/a?x=%20y&z=50%25#f",
                page_title="Tüte & <more> 70% off",
                referrer="http://other.example/?u=http%3A%2F%2Fa%2Fb%2520c",
                context=[entity],
            )
            tracker.track(page)
            tracker.track(StructuredEvent(category="c;d", action="a+b", label="ü|^`", property_="p\tq", value=2.25))
            tracker.track(SelfDescribing(SelfDescribingJson(TIMING, {"category": "c", "variable": "v", "timing": 12})))
            tracker.flush()
        assert refused == session.refused == []
    return 6


def comparable(row):
    return {name: value for name, value in row.items() if name not in OF_THE_WAY | OF_THE_APPLICATION}


def test_an_imported_log_gives_the_rows_of_live_hits(deployment, tmp_path):
    """Both are sent the same requests; apart from the way they came, the rows are equal."""
    export(tmp_path / "bucket")
    with PixelHost(tmp_path / "bucket" / "objects") as host:
        count = track(deployment.port, f"http://127.0.0.1:{host.port}", "seed-live")
        requests.get(f"http://127.0.0.1:{host.port}/favicon.ico", timeout=5)
        lines = list(host.lines)
    live = {row["event_id"]: row for row in deployment.events("seed-live", count)}
    # the same requests under another application, so that the rows of both ways stand side by side
    hosted = [line.replace("seed-live", "seed-hosted") for line in lines]
    logs = tmp_path / "logs"
    logs.mkdir()
    write_log(logs / "E1.2024-05-01-10.aaaa.gz", hosted[:4])
    write_log(logs / "E1.2024-05-01-11.bbbb.gz", hosted[3:])
    totals = json.loads(deployment.command("import", "cloudfront", str(logs), "--json"))
    assert (totals["lines"], totals["events"], totals["repeated"]) == (8, count, 1)
    assert (totals["not_ours"], totals["unreadable"]) == (1, 0)
    rows = deployment.events("seed-hosted", count)
    assert {row["event_id"] for row in rows} == live.keys()
    for row in rows:
        assert comparable(row) == comparable(live[row["event_id"]])
        assert row["v_collector"] == "cloudfront"
        assert not row["network_userid"]
    logged = {parse_ms("T".join(line.split("\t")[:2])) for line in hosted}
    assert {parse_ms(row["collector_tstamp"]) for row in rows} <= logged

    again = json.loads(deployment.command("import", "cloudfront", str(logs), "--json"))
    assert (again["files_known"], again["lines"]) == (2, 0)
    write_log(logs / "copy.gz", hosted)
    assert json.loads(deployment.command("import", "cloudfront", str(logs), "--json"))["repeated"] == count
    time.sleep(1)
    assert deployment.stored("app_id = 'seed-hosted'")[0] == count


def test_an_unreadable_line_becomes_a_failed_event(deployment, tmp_path):
    mark = f"nonsense at {datetime.now(UTC)}"
    write_log(tmp_path / "a.log", [mark])
    deployment.command("import", "cloudfront", str(tmp_path / "a.log"))
    where = f"WHERE position(bad_row, '{mark}') > 0"
    for _ in range(200):
        if found := deployment.sql(f"SELECT failure_type, message FROM atomic.failed_events {where}"):
            break
        time.sleep(0.1)
    [row] = found
    assert row == {
        "failure_type": "collector_payload_format_violation",
        "message": "does not match header or data row formats",
    }
