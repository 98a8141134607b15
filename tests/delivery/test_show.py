"""Waiting entries as people and ``snowgauge enrich`` read them."""

from __future__ import annotations

import base64
import json

import pytest
from pydantic import ValidationError

from snowgauge.delivery.contract import LogStats
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.settings import EventLogSettings
from snowgauge.delivery.show import line, lines, stats_report
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import encode
from snowgauge.testing.eventlog.asking import entries


def test_a_payload_shows_the_fields_of_the_thrift_struct():
    payload = CollectorPayload(
        ip_address="1.2.3.4",
        timestamp=1_700_000_000_123,
        collector="c",
        path="/i",
        querystring="e=pv",
        headers=["Host: x"],
        network_user_id="n",
    )
    shown = json.loads(line(LogEntry(encode(payload), 5)))
    assert shown == {
        "schema": "iglu:com.snowplowanalytics.snowplow/CollectorPayload/thrift/1-0-0",
        "ipAddress": "1.2.3.4",
        "timestamp": 1_700_000_000_123,
        "encoding": "UTF-8",
        "collector": "c",
        "userAgent": None,
        "refererUri": None,
        "path": "/i",
        "querystring": "e=pv",
        "body": None,
        "headers": ["Host: x"],
        "contentType": None,
        "hostname": None,
        "networkUserId": "n",
    }


def test_a_bad_row_of_the_collector_is_a_line_with_bad_row():
    row = {"schema": "iglu:x/size_violation/jsonschema/1-0-0", "data": {"payload": "ü"}}
    assert json.loads(line(LogEntry(json.dumps(row).encode(), 5, "bad_row"))) == {"badRow": row}


@pytest.mark.parametrize("kind", ["payload", "bad_row"])
def test_what_is_neither_is_shown_as_its_bytes(kind):
    shown = json.loads(line(LogEntry(b"\xff{", 5, kind)))
    assert base64.b64decode(shown["record"]) == b"\xff{"
    assert shown["error"]


def test_one_line_for_each_entry():
    found = list(lines([LogEntry(b"{}", 1, "bad_row"), LogEntry(b'{"a":"\\n"}', 2, "bad_row")]))
    assert len(found) == 2
    assert all(b"\n" not in one for one in found)


def test_the_report_of_the_backlog():
    assert stats_report(LogStats(3, 900, 1.23456, 1000, unreadable=2)) == {
        "entries": 3,
        "bytes": 900,
        "oldestSeconds": 1.235,
        "capacityBytes": 1000,
        "unreadableEntries": 2,
    }


def test_the_default_is_a_spool_below_the_data_folder(tmp_path):
    log = EventLogSettings().open(tmp_path)
    writer = log.writer()
    writer.append(entries("a"))
    writer.close()
    assert list((tmp_path / "spool").glob("*.sqlite"))
    assert EventLogSettings().open(tmp_path).stats().entries == 1
    assert log.stats().capacity_bytes == 8 * 1024**3


def test_a_spool_in_a_folder_of_its_own(tmp_path):
    EventLogSettings(spool={"folder": tmp_path / "elsewhere"}).open(tmp_path / "data").writer().close()
    assert (tmp_path / "elsewhere").is_dir()
    assert not (tmp_path / "data").exists()


def test_a_log_in_memory(tmp_path):
    assert isinstance(EventLogSettings(url="memory://", memory={"max_bytes": "2 MiB"}).open(tmp_path), MemoryLog)


@pytest.mark.parametrize(
    "wrong",
    [
        {"spool": {"max_bytes": "1 KB"}},
        {"max_batch_entries": 0},
        {"linger": "-1 s"},
        {"url": "tape://x"},
        {"url": "kafka"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError):
        EventLogSettings(**wrong)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    from snowgauge.errors import LogUnavailable

    (tmp_path / "file").write_text("")
    with pytest.raises(LogUnavailable, match="file"):
        EventLogSettings(spool={"folder": tmp_path / "file" / "spool"}).open(tmp_path)
