"""The sums of the soak: what lies in a file that was taken out of the event log is found there, whatever it is."""

from __future__ import annotations

from pathlib import Path

from benchmarks._clients import AGENT
from benchmarks._sums import in_deleted

from snowgauge.collector.app import create_app
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.spool import SpoolLog
from snowgauge.testing.asgi import Client


def test_requests_in_a_deleted_file_are_found_also_those_that_became_bad_rows_at_once(tmp_path: Path) -> None:
    log = SpoolLog(tmp_path / "spool", min_free_bytes=0)
    writer = log.writer()
    bodies = (b'{"page": "plain"}', b'{"page": "broken \xe6\x97"}')
    with Client(create_app(CollectorSettings(), writer)) as client:
        for number, body in enumerate(bodies, start=7):
            headers = [("user-agent", f"{AGENT}{number}"), ("content-type", "application/json; charset=utf-8")]
            answer = client.request("POST", b"/com.snowplowanalytics.snowplow/tp2", headers, body)
            assert answer.status == 200
    writer.close()
    kinds = [entry.kind for entry in log.peek()]
    assert kinds == ["payload", "bad_row"]
    segments = list((tmp_path / "spool").glob("0*-*.sqlite"))
    assert in_deleted(segments) == (set(), {7, 8})
