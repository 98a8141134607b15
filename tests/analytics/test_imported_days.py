"""Days that another product left behind: beside one's own, marked, and never counted twice."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from snowgauge.actions.imports.daily.book import DailyImports, Took
from snowgauge.analytics.answer import AnalyticsAnswer
from snowgauge.analytics.engine import Engine
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.errors import ActionRefused
from snowgauge.modelling.applications import Application
from snowgauge.modelling.store import HasModelling
from snowgauge.store.base import Store
from snowgauge.testing.figures.filling import fill

NOW = int(datetime(2026, 3, 12, 8, tzinfo=UTC).timestamp() * 1000)
BERLIN = Application(zone="Europe/Berlin")
PLAUSIBLE = {
    "imported_visitors_20260308_20260310.csv": """\
"date","visitors","pageviews","bounces","visits","visit_duration"
"2026-03-08",10,30,4,12,600
"2026-03-09",20,50,5,25,1000
"2026-03-10",99,99,99,99,99
""",
    "imported_sources_20260308_20260310.csv": """\
"date","source","referrer","utm_source","utm_medium","utm_campaign","utm_content","utm_term","pageviews","visitors","visits","visit_duration","bounces"
"2026-03-08","Google","google.com","","","","","",20,6,8,400,2
"2026-03-08","","","newsletter","email","spring","","",10,4,4,200,2
"2026-03-09","Google","google.com/search","","","","","",50,20,25,1000,5
""",
    "imported_pages_20260308_20260310.csv": """\
"date","hostname","page","visits","visitors","pageviews"
"2026-03-08","shop.example.com","/",8,7,20
"2026-03-08","shop.example.com","/old/",4,4,10
"2026-03-09","shop.example.com","/",25,20,50
""",
    "imported_locations_20260308_20260310.csv": """\
"date","country","region","city","visitors","visits","visit_duration","bounces","pageviews"
"2026-03-08","DE","DE-BE",2950159,10,12,600,4,30
"2026-03-09","FR","FR-PAC",3027647,20,25,1000,5,50
""",
    "imported_custom_events_20260308_20260310.csv": """\
"date","name","link_url","path","visitors","events"
"2026-03-08","Signup","","",3,3
""",
}


def view(name: str, day: int, path: str, **more: Any) -> dict[str, Any]:
    at = int(datetime(2026, 3, day, 10, tzinfo=UTC).timestamp() * 1000)
    return {
        "view_id": name, "event_id": f"00000000-0000-4000-8000-0000000000{day}", "app_id": "shop",
        "session_id": f"s{day}", "person_id": f"p{day}", "unit": f"s{day}", "page_path": path, "start_tstamp": at,
        "end_tstamp": at, "view_type": "page", **more,
    }  # fmt: skip


def visit(day: int, **more: Any) -> dict[str, Any]:
    at = int(datetime(2026, 3, day, 10, tzinfo=UTC).timestamp() * 1000)
    return {
        "session_id": f"s{day}", "unit": f"s{day}", "app_id": "shop", "person_id": f"p{day}", "start_tstamp": at,
        "end_tstamp": at + 60_000, "duration_s": 60, "views": 1, "source": "Google", "channel": "Organic Search",
        "entry_path": "/", "exit_path": "/", **more,
    }  # fmt: skip


OWN = {
    "sessions": [visit(10), visit(11, source="", channel="Direct")],
    "page_views": [view("v10", 10, "/"), view("v11", 11, "/new")],
}


def packed(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"export/{name}", text)
    return path


def take(store: Store, path: Path, product: Any = "plausible", application: Application = BERLIN) -> Took:
    assert isinstance(store, HasModelling)
    return DailyImports(store.modelling()).take(product, [path], "shop", application)


def ask(store: Store, *metrics: str, **asked: Any) -> AnalyticsAnswer:
    question = {"date_range": ["2026-03-07", "2026-03-11"], "app": "shop", "timezone": "Europe/Berlin",
                "metrics": list(metrics), "include": {"imports": True}, **asked}  # fmt: skip
    return Engine(store.figures, clock=lambda: NOW).ask(read(question, Surroundings(NOW)), question)


def rows(answer: AnalyticsAnswer) -> list[tuple[Any, ...]]:
    return [(*row.dimensions, row.metrics, row.imported) for row in answer.results]


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Store:
    fill(store, OWN)
    take(store, packed(tmp_path, PLAUSIBLE))
    return store


def test_imported_days_are_told_beside_ones_own_and_a_day_of_ones_own_is_never_among_them(shop: Store) -> None:
    answer = ask(shop, "visitors", "visits", "pageviews", "bounce_rate", "visit_duration", "views_per_visit", "exits")
    row = answer.results[0]
    assert row.metrics[:3] == [2, 2, 2]
    assert row.imported == [30, 37, 80, 24.3, 43, 2.16, None]  # the 10th is one's own
    told = answer.meta.imports
    assert told is not None
    assert (told.products, told.first, told.last, told.left_out) == (["plausible"], "2026-03-08", "2026-03-10", "")
    assert told.metrics == ["visitors", "visits", "pageviews", "bounce_rate", "visit_duration", "views_per_visit"]


def test_without_being_asked_for_nothing_is_imported(shop: Store) -> None:
    answer = ask(shop, "visitors", include={})
    assert (answer.results[0].metrics, answer.results[0].imported, answer.meta.imports) == ([2], None, None)


def test_along_time_each_day_has_what_was_imported_of_it(shop: Store) -> None:
    answer = ask(shop, "visits", dimensions=["time:day"])
    assert rows(answer) == [
        ("2026-03-07", [0], [None]), ("2026-03-08", [0], [12]), ("2026-03-09", [0], [25]), ("2026-03-10", [1], [None]),
        ("2026-03-11", [1], [None]),
    ]  # fmt: skip


def test_rows_are_in_the_order_of_both_together(shop: Store) -> None:
    by_source = ask(shop, "visits", dimensions=["visit:source"])
    assert rows(by_source) == [("Google", [1], [33]), ("newsletter", [0], [4]), (None, [1], [None])]
    by_channel = ask(shop, "visitors", "bounce_rate", dimensions=["visit:channel"])
    assert rows(by_channel)[:2] == [("Organic Search", [1, 0], [26, 21.2]), ("Email", [0, None], [4, 50])]
    by_page = ask(shop, "pageviews", "visitors", dimensions=["event:page"])
    assert rows(by_page) == [("/", [1, 1], [70, 27]), ("/old", [0, 0], [10, 4]), ("/new", [1, 1], [None, None])]
    by_region = ask(shop, "visits", dimensions=["visit:region"], filters=[["is", "visit:country", ["DE"]]])
    assert rows(by_region) == [("DE-BE", [0], [12])]
    events = ask(shop, "events", dimensions=["event:name"])
    assert rows(events) == [("Signup", [0], [3])]


def test_a_page_of_rows_and_their_number_count_both(shop: Store) -> None:
    answer = ask(shop, "visits", dimensions=["visit:source"], pagination={"limit": 1, "offset": 1},
                 include={"imports": True, "total_rows": True})  # fmt: skip
    assert rows(answer) == [("newsletter", [0], [4])]
    assert answer.meta.total_rows == 3


def test_the_period_that_is_compared_with_has_its_imported_days(shop: Store) -> None:
    compared = {"imports": True, "comparisons": {"mode": "custom", "date_range": ["2026-03-07", "2026-03-08"]}}
    answer = ask(shop, "visits", date_range=["2026-03-09", "2026-03-10"], include=compared)
    row = answer.results[0]
    assert (row.metrics, row.imported) == ([1], [25])
    assert row.comparison is not None
    assert (row.comparison.metrics, row.comparison.imported) == ([0], [12])


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"dimensions": ["visit:source"], "filters": [["is", "event:page", ["/"]]]},
         "no imported report has visit:source, event:page together"),
        ({"dimensions": ["time:hour"]}, "imported days have no hours"),
        ({"dimensions": ["time:hour_of_day"]}, "imported days have no hours"),
        ({"traffic": "bots"}, "imported days do not tell bots and own traffic"),
        ({"date_range": ["2026-03-08T12:00:00Z", "2026-03-09T12:00:00Z"]},
         "imported days are whole days, and the period is not made of them"),
        ({"filters": [["has_done", ["is", "event:goal", ["x"]]]]},
         "imported days have nothing that the filters ask for"),
        ({"dimensions": ["event:hostname"]}, "imported days have none of these figures"),
    ],
)  # fmt: skip
def test_what_imported_days_cannot_answer_is_left_out_and_says_why(
    shop: Store, asked: dict[str, Any], why: str
) -> None:
    answer = ask(shop, "visits", **asked)
    assert answer.meta.imports is not None
    assert answer.meta.imports.left_out == why
    assert {row.imported for row in answer.results} <= {None}


def test_the_same_again_changes_nothing_and_other_figures_of_the_same_days_are_refused(
    shop: Store, tmp_path: Path
) -> None:
    assert take(shop, packed(tmp_path, PLAUSIBLE)).repeated
    other = {"imported_visitors.csv": "date,visitors\n2026-03-09,1\n"}
    with pytest.raises(ActionRefused, match=r"visits from 2026-03-09 to 2026-03-09: import .* and a day counts once"):
        take(shop, packed(tmp_path, other))
    later = {"imported_visitors.csv": "date,visitors\n2026-03-07,5\n"}
    take(shop, packed(tmp_path, later))
    assert ask(shop, "visitors").results[0].imported == [35]


def test_an_import_that_is_removed_counts_no_more(shop: Store) -> None:
    assert isinstance(shop, HasModelling)
    book = DailyImports(shop.modelling())
    (held,) = book.all()
    assert (held.product, held.first_day, held.last_day, held.views) == ("plausible", "2026-03-08", "2026-03-10", 179)
    book.remove(held.id)
    assert book.all() == []
    assert ask(shop, "visitors").meta.imports is None
    assert shop.query("SELECT count(*) FROM derived.imported_days").rows == [[0]]
    with pytest.raises(ActionRefused, match="there is no import"):
        book.remove(held.id)


def test_the_sql_that_is_shown_answers_with_imported_days(shop: Store) -> None:
    answer = ask(shop, "visits", explain=True)
    assert answer.meta.sql is not None
    assert "imported_days" in answer.meta.sql
    assert [int(value) for value in shop.query(answer.meta.sql).rows[0][:2]] == [2, 37]


UMAMI = """\
website_id,session_id,visit_id,event_id,hostname,browser,os,device,country,region,url_path,utm_source,referrer_domain,event_type,event_name,created_at
w,a,v1,e1,shop.example.com,firefox,Linux,desktop,DE,DE-BE,/,,www.google.com,1,,2026-03-08 23:30:00
w,a,v1,e2,shop.example.com,firefox,Linux,desktop,DE,DE-BE,/thanks,,,1,,2026-03-08 23:31:30
w,a,v1,e2,shop.example.com,firefox,Linux,desktop,DE,DE-BE,/thanks,,,1,,2026-03-08 23:31:30
w,a,v1,e3,shop.example.com,firefox,Linux,desktop,DE,DE-BE,/thanks,,,2,Signup,2026-03-08 23:32:00
w,b,v2,e4,shop.example.com,chrome,iOS,mobile,FR,,/,spring,,1,,2026-03-08 10:00:00
"""


def test_umamis_events_become_days_of_the_applications_zone(store: Store, tmp_path: Path) -> None:
    fill(store, OWN)
    take(store, packed(tmp_path, {"website_event.csv": UMAMI, "event_data.csv": "x\n"}), "umami")
    days = ask(store, "visitors", "visits", "pageviews", "bounce_rate", "visit_duration", dimensions=["time:day"])
    assert [row[2] for row in rows(days)][1:3] == [[1, 1, 1, 100, 0], [1, 1, 2, 0, 90]]
    assert rows(ask(store, "visits", dimensions=["visit:exit_page"]))[:3] == [
        ("/", [2], [1]), ("/thanks", [0], [1])][:3]  # fmt: skip
    assert rows(ask(store, "events", dimensions=["event:name"])) == [("Signup", [0], [1])]
    assert rows(ask(store, "visits", dimensions=["visit:device"], order_by=[["visit:device", "asc"]])) == [
        (None, [2], [None]), ("Desktop", [0], [1]), ("Phone", [0], [1])]  # fmt: skip


GOOGLE = """\
# ----------------------------------------
# Traffic acquisition
# Start date: 20260308
# End date: 20260309
# ----------------------------------------

Date,Session source / medium,Total users,Sessions,Engaged sessions,Average session duration
,,30,"1,037",20,10
20260308,google / organic,10,"1,012",1000,50.5
20260309,(direct) / (none),20,25,20,40

Nth day,Device category,Total users,Sessions
0000,mobile,10,12
0001,desktop,20,25
"""


def test_reports_of_google_analytics_by_day(store: Store, tmp_path: Path) -> None:
    fill(store, OWN)
    file = tmp_path / "acquisition.csv"
    file.write_text(GOOGLE)
    take(store, file, "ga4")
    by_channel = ask(store, "visits", "bounce_rate", "visit_duration", dimensions=["visit:channel"])
    assert rows(by_channel) == [
        ("Organic Search", [1, 0, 60], [1012, 1.2, 50]), ("Direct", [1, 0, 60], [25, 20, 40]),
    ]  # fmt: skip
    devices = ask(store, "visits", dimensions=["visit:device"], filters=[["is_not", "visit:device", [""]]])
    assert rows(devices) == [("Desktop", [0], [25]), ("Phone", [0], [12])]


@pytest.mark.parametrize(
    ("product", "name", "text", "why"),
    [
        ("plausible", "imported_visitors.csv", "date,visitors\n2026-02-30,1\n",
         "imported_visitors.csv, line 2: '2026-02-30' is no date"),
        ("plausible", "imported_visitors.csv", "date,visitors\n2026-03-01,-4\n", "line 2, visitors: '-4' is no figure"),
        ("plausible", "imported_visitors.csv", "date,visitors\n2026-03-01,nan\n", "'nan' is no figure"),
        ("plausible", "imported_visitors.csv", "date,visitors\n2026-03-01,1e99\n", "'1e99' is no figure"),
        ("plausible", "imported_visitors.csv", "date,visitors\n2026-03-01\n", "line 2: 1 cells, and the header has 2"),
        ("plausible", "imported_visitors.csv", "day,visitors\n", "there is no column date"),
        ("plausible", "imported_visitors.csv", "date,visitors\n", "there are no rows in it"),
        ("plausible", "imported_visitors.csv", 'date,visitors\n"2026-03-01"x,1\n', "line 2: no CSV"),
        ("plausible", "imported_pages.csv", "date,page\n2026-03-01," + "x" * 200_000 + "\n", "no CSV: field larger"),
        ("plausible", "pages.csv", "a\n", "is no table of Plausible's export"),
        ("umami", "website_event.csv", "session_id,url_path,created_at\na,/,soon\n", "line 2: 'soon' is no time"),
        ("umami", "event_data.csv", "a\n", "there is no website_event.csv in it"),
        ("ga4", "r.csv", "Page path,Views\n/,1\n", "line 1: there is no column Date"),
        ("ga4", "r.csv", "Date,Page path,Browser,Views\n20260301,/,x,1\n", "divided by pages and by browsers at once"),
        ("ga4", "r.csv", "Date,Country,Sessions\n20260301,Germany,1\n", "add Country ID"),
        ("ga4", "r.csv", "Date,Colour\n20260301,red\n", "there is no metric that is known here"),
        ("ga4", "r.csv", "Nth day,Sessions\n0001,1\n", "no line says '# Start date:'"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_says_where(
    clickhouse: Store, tmp_path: Path, product: str, name: str, text: str, why: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(ActionRefused, match=_exactly(why)):
        take(clickhouse, file, product)


def test_a_file_that_is_not_text_or_no_zip_is_refused(clickhouse: Store, tmp_path: Path) -> None:
    binary = tmp_path / "imported_pages.csv"
    binary.write_bytes(b"date,page\n2026-03-01,\xff\xfe\n")
    with pytest.raises(ActionRefused, match="is no UTF-8"):
        take(clickhouse, binary)
    broken = tmp_path / "export.zip"
    broken.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ActionRefused, match="is no readable ZIP"):
        take(clickhouse, broken)
    packed_text = io.BytesIO()
    with zipfile.ZipFile(packed_text, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("imported_visitors.csv", "date,visitors\n" + "2026-03-01,1\n" * 5_000)
    whole = packed_text.getvalue()
    broken.write_bytes(whole[:60] + bytes(20) + whole[80:])
    with pytest.raises(ActionRefused, match=r"damaged|readable ZIP|no CSV|UTF-8"):
        take(clickhouse, broken)


def _exactly(text: str) -> str:
    import re

    return re.escape(text)
