"""A table of Simple Snowplow's own making is taken over, and its queries give the same answers from the view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from snowgauge.actions.simple_snowplow.rows import Rows
from snowgauge.actions.simple_snowplow.take_over import Notes, plan, take_over
from snowgauge.errors import ActionRefused, QueryRefused
from snowgauge.store.base import Selection
from snowgauge.store.clickhouse.foreign_table import ForeignTable
from snowgauge.store.clickhouse.store import ClickHouseStore
from snowgauge.store.settings import SimpleSnowplowSchemas


def uuid(number: int) -> str:
    return f"{number:08x}-1111-4111-8111-111111111111"


def page_view(number: int, **columns: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "app_id": "shop", "platform": "web", "app_info": {"version": "1.2", "build": "34"},
        "page": f"https://example.com/café?n={number}#top", "referer": "https://www.google.com/", "event_type": "pv",
        "event_id": uuid(number), "view_id": uuid(1000 + number), "session_id": uuid(2000), "visit_count": 3,
        "session": {"event_index": 7, "previous_session_id": uuid(1999), "first_event_id": uuid(1),
                    "first_event_time": "2026-03-01 09:00:00.000", "storage_mechanism": "COOKIE_1",
                    "unstructured": {"more": "here"}},
        "amp": {"ampClientId": "amp-1"}, "device_id": uuid(3000), "user_id": "jane",
        "time": f"2026-03-0{1 + number % 3} 10:00:00.{number:03d}",
        "time_extra": {"received": "2026-03-04 10:00:01.000", "sent": "2026-03-04 10:00:00.500"},
        "timezone": "Europe/Berlin", "title": "Coffee", "screen": {}, "page_data": {"id": "qwe123", "type": "main"},
        "user_data": {"name": "John", "type": "contributor"}, "user_ip": "203.0.113.9",
        "geolocation": {"latitude": 52.5, "longitude": 13.4},
        "user_agent": "Mozilla/5.0", "browser": {"family": "Firefox", "version": "128.0.1", "extra": {"tabId": "t1"}},
        "os": {"family": "Linux", "version": "6.1", "language": "de-DE"},
        "device": {"brand": "", "model": "Other", "extra": {}},
        "device_is": {"mobile": False, "tablet": False, "touch": False, "pc": True, "bot": False},
        "resolution": {"browser": "1920x1080", "viewport": "1280x720", "page": "1265x3200"},
        "event": {"action": "", "category": "", "label": "", "property": {}, "value": 0, "unstructured": {}},
        "extra": {"performance_timing": {"fetchStart": 5}, "client_hints": {"isMobile": False},
                  "ga_cookies": {"_ga": "GA1.2"}, "campaign": "spring"},
        "tracker": {"version": "js-4.6.9", "namespace": "sp1"},
    }  # fmt: skip
    return {**row, **columns}


ROWS = [
    *(page_view(number) for number in range(1, 8)),
    page_view(
        20, event_type="se",
        event={"action": "play", "category": "video", "label": "intro", "property": {"ex-property": "hd"},
               "value": 2.5, "unstructured": {}},
    ),
    page_view(
        21, event_type="ue",
        event={"action": "", "category": "", "label": "", "property": {}, "value": 0,
               "unstructured": {"link_click": {"targetUrl": "https://example.org/"}}},
    ),
    page_view(
        22, event_type="pp",
        event={"action": "", "category": "", "label": "", "property": {}, "value": 0,
               "unstructured": {"page_ping": {"min_x": 0, "max_x": 10, "min_y": 5, "max_y": 400}}},
    ),
    page_view(
        23, platform="mob", page="Home", referer="", screen={"type": "feed"}, page_data={}, user_data={}, extra={},
        amp={}, browser={"family": "", "version": "", "extra": {}},
        device={"brand": "Apple", "model": "iPhone15,2", "extra": {"carrier": "x"}},
        os={"family": "ios", "version": "17.4", "language": "en"},
        device_is={"mobile": True, "tablet": False, "touch": True, "pc": False, "bot": False},
        tracker={"version": "ios-6.0", "namespace": "app1"},
    ),
    page_view(24, event_type="ue", event={
        "action": "", "category": "", "label": "", "property": {}, "value": 0,
        "unstructured": {"ticket_sold": {"price": 12}, "ad_data": {"slot": "top"}}}),
]  # fmt: skip


def fill(store: ClickHouseStore, table: str, rows: list[dict[str, Any]], token: str = "rows") -> None:
    lines = b"\n".join(msgspec.json.encode(row) for row in rows)
    store.connection.insert(table, list(rows[0]), lines, token, {})


def copy(store: ClickHouseStore, table: str, notes: Path, **more: Any) -> Any:
    rows = Rows(table, SimpleSnowplowSchemas(), "com.acme")
    return take_over(ForeignTable(store.connection, table), rows, store, Notes(notes), **more)


COLUMNS = """
    app_id, toString(platform), app_info.version, app_info.build, page, referer, toString(event_id),
    toString(view_id), toString(session_id), visit_count, session.event_index, toString(session.previous_session_id),
    toString(session.first_event_id), toString(session.first_event_time), session.storage_mechanism,
    toString(session.unstructured.more), toString(amp.ampClientId), toString(device_id), user_id, toString(time),
    toString(time_extra.received), toString(time_extra.sent), timezone, title, toString(screen.type),
    toString(page_data.id), toString(user_data.name), toString(user_ip), toString(geolocation.latitude), user_agent,
    browser.family, browser.version, toString(browser.extra.tabId), os.family, os.version, os.language, device.brand,
    device.model, toString(device.extra.carrier), device_is.mobile, device_is.tablet, device_is.touch, device_is.pc,
    device_is.bot, resolution.browser, resolution.viewport, resolution.page, event.action, event.category, event.label,
    toString(event.property), event.value, toString(event.unstructured.link_click.targetUrl),
    toString(event.unstructured.ticket_sold.price), toString(event.unstructured.ad_data.slot),
    toString(event.unstructured.page_ping.max_y),
    toString(extra.performance_timing.fetchStart), toString(extra.client_hints.isMobile),
    toString(extra.ga_cookies._ga), toString(extra.campaign), tracker.version, tracker.namespace, app
"""


def test_every_column_reads_from_the_view_as_from_the_table(
    store: ClickHouseStore, reference_table: str, tmp_path: Path
) -> None:
    fill(store, reference_table, ROWS)
    done = copy(store, reference_table, tmp_path / "notes.json")
    assert (done.rows, done.distinct, done.written, done.found, done.complete) == (12, 12, 12, 12, True)
    views = store.layout.settings.views_database
    before = store.query(f"SELECT {COLUMNS} FROM {reference_table} ORDER BY event_id").rows
    for view in ("local", "distributed"):
        assert store.query(f"SELECT {COLUMNS} FROM {views}.{view} ORDER BY event_id").rows == before
    kinds = store.query(f"SELECT event_code, count() FROM {views}.local GROUP BY 1 ORDER BY 1").rows
    assert (
        kinds == store.query(f"SELECT toString(event_type), count() FROM {reference_table} GROUP BY 1 ORDER BY 1").rows
    )
    types = dict(store.query(f"SELECT event_code, event_type FROM {views}.local").rows)
    assert types == {"pv": "page_view", "pp": "page_ping", "se": "struct", "ue": "unstruct"}


def test_every_column_of_the_table_is_one_of_the_view(store: ClickHouseStore, reference_table: str) -> None:
    database, _, table = reference_table.partition(".")
    query = "SELECT name FROM system.columns WHERE database = '{}' AND table = '{}'"
    wanted = {row[0] for row in store.query(query.format(database, table)).rows}
    found = {row[0] for row in store.query(query.format(store.layout.settings.views_database, "local")).rows}
    assert wanted <= found
    assert {"refr", "event_code", "device_id_text", "session_id_text", "user_ip_text"} <= found


def test_events_are_laid_out_as_snowplow_does(store: ClickHouseStore, reference_table: str, tmp_path: Path) -> None:
    fill(store, reference_table, ROWS)
    copy(store, reference_table, tmp_path / "notes.json")
    event = store.event(uuid(21))
    assert event is not None
    assert (
        event["unstruct_event"]["data"]["schema"] == "iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-0"
    )
    assert (event["event_vendor"], event["event_name"]) == ("com.snowplowanalytics.snowplow", "link_click")
    assert (event["page_urlhost"], event["page_urlpath"], event["page_urlfragment"]) == (
        "example.com", event["page_urlpath"], "top")  # fmt: skip
    assert (event["dvce_screenwidth"], event["dvce_screenheight"]) == (1920, 1080)
    own = store.event(uuid(24))
    assert own is not None
    assert own["unstruct_event"]["data"]["schema"] == "iglu:com.acme/ticket_sold/jsonschema/1-0-0"
    ping = store.event(uuid(22))
    assert ping is not None
    assert (ping["pp_xoffset_max"], ping["pp_yoffset_max"]) == (10, 400)


def test_a_second_run_changes_nothing_and_a_grown_table_is_caught_up(
    store: ClickHouseStore, reference_table: str, tmp_path: Path
) -> None:
    fill(store, reference_table, ROWS)
    copy(store, reference_table, tmp_path / "notes.json")
    again = copy(store, reference_table, tmp_path / "notes.json")
    assert (again.written, again.known, again.found) == (0, 12, 12)
    without_notes = copy(store, reference_table, tmp_path / "other.json")
    assert (without_notes.written, without_notes.known, without_notes.found) == (0, 12, 12)
    fill(store, reference_table, [page_view(90), page_view(91)], "more")
    grown = copy(store, reference_table, tmp_path / "notes.json")
    assert (grown.distinct, grown.found, grown.complete) == (14, 14, True)
    assert store.count("good", Selection()) == 14


def test_a_copy_that_broke_off_goes_on(store: ClickHouseStore, reference_table: str, tmp_path: Path) -> None:
    fill(store, reference_table, ROWS)
    seen = 0

    def break_off(number: int) -> None:
        nonlocal seen
        seen += number
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(store, reference_table, tmp_path / "notes.json", progress=break_off)
    assert 0 < seen < 12
    done = copy(store, reference_table, tmp_path / "notes.json")
    assert (done.known, done.written, done.found) == (seen, 12 - seen, 12)


def test_rows_without_an_id_get_one_that_depends_on_the_row(store: ClickHouseStore, reference_table: str) -> None:
    zero = "00000000-0000-0000-0000-000000000000"
    rows = Rows(reference_table, SimpleSnowplowSchemas(), "com.acme")
    first, second = rows.event(page_view(1, event_id=zero)), rows.event(page_view(2, event_id=zero))
    assert first.event_id == rows.event(page_view(1, event_id=zero)).event_id
    assert first.event_id not in (second.event_id, zero)


def test_what_is_no_table_of_simple_snowplow_is_refused(store: ClickHouseStore, reference_table: str) -> None:
    database = reference_table.partition(".")[0]
    store.connection.command(f"CREATE TABLE {database}.other (time DateTime) ENGINE = Memory")
    with pytest.raises(ActionRefused, match="lacks the columns event_id, event_type, page, platform"):
        plan(ForeignTable(store.connection, f"{database}.other"))
    with pytest.raises(QueryRefused, match="has no table"):
        plan(ForeignTable(store.connection, f"{database}.nothing"))
    with pytest.raises(QueryRefused, match="names no database"):
        ForeignTable(store.connection, "local")
    with pytest.raises(ActionRefused, match="own view"):
        plan(ForeignTable(store.connection, f"{store.layout.settings.views_database}.local"))


def test_a_table_in_the_views_place_is_left_alone_until_it_steps_aside(
    store: ClickHouseStore, reference_table: str
) -> None:
    views = store.layout.settings.views_database
    store.connection.command(f"DROP VIEW {views}.local")
    store.connection.command(f"CREATE TABLE {views}.local AS {reference_table}")
    fill(store, f"{views}.local", ROWS)
    store.migrate()
    assert store.query(f"SELECT count() FROM {views}.local").rows == [[12]]
    assert ForeignTable(store.connection, f"{views}.local").step_aside() == f"{views}.local_before_snowgauge"
    store.migrate()
    assert store.query(f"SELECT count() FROM {views}.local_before_snowgauge").rows == [[12]]
    assert store.query(f"SELECT count() FROM {views}.local").rows == [[0]]
