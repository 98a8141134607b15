"""Importing access logs: every line in one sum, every request once ever, nothing lost in between."""

import gzip
import json
import random

import msgspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from snowgauge.actions.imports.ledger import Ledger
from snowgauge.errors import LogUnavailable, SnowgaugeError
from snowgauge.events.payload_record import decode
from snowgauge.store.base import StoreBatch
from snowgauge.testing.cloudfront import log_line, write_log
from snowgauge.testing.events import web_page_view


def eid(number):
    return f"00000000-0000-4000-8000-{number:012d}"


def hit(number, **more):
    return log_line(f"e=pv&p=web&eid={eid(number)}", request_id=f"request-{number}", **more)


def sums(totals):
    return (totals.lines, totals.events, totals.repeated, totals.not_ours, totals.unreadable)


def test_each_line_is_in_exactly_one_sum(place, tmp_path):
    lines = [hit(1), hit(2), log_line("", path="/sp.js"), hit(3, method="HEAD"), "nonsense", hit(2)]
    write_log(tmp_path / "a.log", lines)
    totals = place.run(tmp_path / "a.log")
    assert sums(totals) == (6, 2, 1, 1, 2)
    assert (totals.files, totals.files_failed) == (1, 0)
    assert [entry.kind for entry in place.entries()].count("bad_row") == 2


def test_an_unreadable_line_is_kept_as_a_failed_event(place, tmp_path):
    write_log(tmp_path / "a.log", [hit(3, method="POST")])
    place.run(tmp_path / "a.log")
    row = json.loads(place.entries()[0].body)
    assert (
        row["schema"]
        == "iglu:com.snowplowanalytics.snowplow.badrows/collector_payload_format_violation/jsonschema/1-0-0"
    )
    assert row["data"]["failure"]["loader"] == "cloudfront"
    assert row["data"]["failure"]["message"] == {
        "payloadField": "verb",
        "value": "POST",
        "expectation": "operation must be GET",
    }
    assert row["data"]["payload"] == hit(3, method="POST")


def test_running_again_adds_nothing(place, tmp_path):
    write_log(tmp_path / "a.gz", [hit(n) for n in range(10)])
    assert place.run(tmp_path / "a.gz").events == 10
    again = place.run(tmp_path / "a.gz")
    assert (again.files_known, again.lines) == (1, 0)
    assert len(place.entries()) == 10


def test_copies_and_overlaps_add_nothing(place, tmp_path):
    write_log(tmp_path / "a.gz", [hit(n) for n in range(10)])
    write_log(tmp_path / "copy.log", [hit(n) for n in range(10)])
    write_log(tmp_path / "overlap.gz", [hit(n) for n in range(5, 15)])
    assert place.run(tmp_path / "a.gz").events == 10
    assert sums(place.run(tmp_path / "copy.log")) == (10, 0, 10, 0, 0)
    assert sums(place.run(tmp_path / "overlap.gz")) == (10, 5, 5, 0, 0)


def test_the_same_request_in_another_format_is_the_same(place, tmp_path):
    write_log(tmp_path / "a.log", [hit(1)])
    query = f"e=pv&p=web&eid={eid(1)}"
    values = {"date": "2024-05-01", "time": "10:00:00", "cs-uri-stem": "/i", "cs-uri-query": query}
    (tmp_path / "b.json").write_text(json.dumps({**values, "x-edge-request-id": "request-1"}) + "\n")
    table = pa.Table.from_pylist([
        {name.replace("-", "_"): value for name, value in {**values, "x-edge-request-id": f"request-{n}"}.items()}
        for n in (1, 2)
    ])  # fmt: skip
    parquet.write_table(table, tmp_path / "c.parquet")
    assert place.run(tmp_path / "a.log").events == 1
    assert sums(place.run(tmp_path / "b.json")) == (1, 0, 1, 0, 0)
    assert sums(place.run(tmp_path / "c.parquet")) == (2, 1, 1, 0, 0)


def test_an_id_on_every_line_is_no_id(place, tmp_path):
    queries = [f"e=pv&p=web&aid={n}" for n in range(3)]
    write_log(tmp_path / "a.log", [log_line(query, request_id="GHc1") for query in queries])
    assert place.run(tmp_path / "a.log").events == 3
    assert len({decode(entry.body).querystring for entry in place.entries()}) == 3


def test_equal_lines_without_a_request_id_are_different_requests_of_one_file(place, tmp_path):
    line = log_line("e=pv", count=12)
    write_log(tmp_path / "a.log", [line, line, line], header=False)
    write_log(tmp_path / "copy.log", [line, line, line, line], header=False)
    assert place.run(tmp_path / "a.log").events == 3
    assert sums(place.run(tmp_path / "copy.log")) == (4, 1, 3, 0, 0)


def test_a_folder_is_read_whole_but_for_hidden_files(place, tmp_path):
    (tmp_path / "logs" / "2024").mkdir(parents=True)
    write_log(tmp_path / "logs" / "a.gz", [hit(1)])
    write_log(tmp_path / "logs" / "2024" / "b.gz", [hit(2)])
    write_log(tmp_path / "logs" / ".c.gz", [hit(3)])
    assert place.run(tmp_path / "logs").events == 2


def test_a_damaged_file_gives_what_it_has_and_is_tried_again(place, tmp_path):
    random.seed(1)
    whole = gzip.compress("".join(hit(n, agent=str(random.random())) + "\n" for n in range(2000)).encode())
    (tmp_path / "a.gz").write_bytes(whole[: len(whole) // 2])
    totals = place.run(tmp_path / "a.gz")
    assert totals.files_failed == 1
    assert 0 < totals.events < 2000
    assert "damaged gzip" in place.told[0]
    (tmp_path / "a.gz").write_bytes(whole)
    second = place.run(tmp_path / "a.gz")
    assert second.files == 1
    assert totals.events + second.events + second.unreadable == 2000 + totals.unreadable + second.unreadable


def test_a_file_without_a_needed_column_is_told_and_the_next_one_read(place, tmp_path):
    write_log(tmp_path / "a.log", ["x"], fields="date time c-ip")
    write_log(tmp_path / "b.log", [hit(1)])
    totals = place.run(tmp_path / "a.log", tmp_path / "b.log")
    assert (totals.events, totals.files_failed, totals.files) == (1, 1, 1)
    assert "cs-uri-stem" in place.told[0]


def test_a_growing_file_is_read_as_it_grows(place, tmp_path):
    file = tmp_path / "a.log"
    half = hit(2)[:40]
    file.write_text(hit(1) + "\n" + half)
    first = place.run(file, growing=True)
    assert sums(first) == (1, 1, 0, 0, 0)
    file.write_text(hit(1) + "\n" + hit(2) + "\n")
    assert sums(place.run(file, growing=True)) == (2, 1, 1, 0, 0)
    assert place.run(file, growing=True).files_known == 1


def test_a_file_without_line_ends_does_not_fill_the_memory(place, tmp_path):
    (tmp_path / "a.log").write_bytes(b"x" * (3 * 1024**2))
    totals = place.run(tmp_path / "a.log")
    assert (totals.lines, totals.unreadable) == (3, 3)


def test_a_place_that_is_not_there(place, tmp_path):
    with pytest.raises(SnowgaugeError, match="no such file or folder"):
        place.run(tmp_path / "nothing")


def test_one_import_at_a_time(tmp_path):
    with Ledger(tmp_path), pytest.raises(SnowgaugeError, match="another import is running"):
        Ledger(tmp_path)


class Killed(BaseException):
    """The end of a process, at a chosen place."""


class Log:
    """The event log, whose writer dies at the ``at``-th append, before or after it kept the entries."""

    def __init__(self, log, at, kept):
        self._log, self._left, self._kept = log, at, kept
        self._writer = None
        self.peek = log.peek

    def writer(self):
        self._writer = self._log.writer()
        return self

    def append(self, entries):
        self._left -= 1
        if self._left == 0:
            if self._kept:
                self._writer.append(entries)
            raise Killed
        self._writer.append(entries)

    def close(self):
        self._writer.close()


@pytest.mark.parametrize("consumed", [False, True], ids=["waiting", "stored"])
@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [1, 3])
def test_a_kill_around_an_append_neither_loses_nor_doubles(place, tmp_path, at, kept, consumed):
    write_log(tmp_path / "a.log", [hit(n) for n in range(40)])
    with pytest.raises(Killed):
        place.run(tmp_path / "a.log", chunk=10, log=Log(place.log, at, kept))
    taken = store(place) if consumed else []
    place.run(tmp_path / "a.log", chunk=10)
    everything = [decode(entry.body).querystring for entry in [*taken, *place.entries()]]
    assert sorted(everything) == sorted(f"e=pv&p=web&eid={eid(n)}" for n in range(40))


def store(place):
    taken = place.consume()
    events = [
        web_page_view(event_id=decode(entry.body).querystring[-36:], v_collector=decode(entry.body).collector)
        for entry in taken
    ]
    place.store.write(StoreBatch("taken", events=events))
    return taken


def test_an_event_that_a_live_collector_stored_does_not_hide_a_lost_chunk(place, tmp_path):
    write_log(tmp_path / "a.log", [hit(n) for n in range(4)])
    place.store.write(StoreBatch("live", events=[web_page_view(event_id=eid(n)) for n in range(4)]))
    with pytest.raises(Killed):
        place.run(tmp_path / "a.log", log=Log(place.log, 1, False))
    assert place.run(tmp_path / "a.log").events == 4


@pytest.mark.parametrize("kept", [False, True])
def test_a_kill_around_failed_lines_only(place, tmp_path, kept):
    write_log(tmp_path / "a.log", [f"nonsense {n}" for n in range(4)])
    with pytest.raises(Killed):
        place.run(tmp_path / "a.log", log=Log(place.log, 1, kept))
    place.run(tmp_path / "a.log")
    rows = [msgspec.json.decode(entry.body) for entry in place.entries()]
    assert sorted(row["data"]["payload"] for row in rows) == [f"nonsense {n}" for n in range(4)]
    assert len({row["id"] for row in rows}) == 4


class Full:
    """An event log that has no room for the first few times."""

    def __init__(self, log, times):
        self._log, self.left = log, times
        self.peek = log.peek

    def writer(self):
        self._writer = self._log.writer()
        return self

    def append(self, entries):
        if self.left:
            self.left -= 1
            raise LogUnavailable("the event log is full")
        self._writer.append(entries)

    def close(self):
        self._writer.close()


def test_a_full_log_is_waited_for(place, tmp_path):
    write_log(tmp_path / "a.log", [hit(n) for n in range(4)])
    told = []
    assert place.run(tmp_path / "a.log", log=Full(place.log, 2), waiting=told.append).events == 4
    assert told == ["the event log is full"] * 2
    assert len(place.entries()) == 4


def test_a_large_log_has_exact_totals(place, tmp_path):
    """The benchmark does the same with a million lines."""
    count = 100_000

    def lines():
        template = hit(0)
        for n in range(count):
            if n % 10 == 3:
                yield template.replace("\t/i\t", "\t/sp.js\t").replace("request-0", f"request-{n}")
            elif n % 1000 == 7:
                yield f"garbage {n}"
            elif n % 100 == 9:
                yield template.replace("request-0", f"request-{n - 1}").replace(eid(0), eid(n - 1))
            else:
                yield template.replace("request-0", f"request-{n}").replace(eid(0), eid(n))

    write_log(tmp_path / "a.gz", lines())
    totals = place.run(tmp_path / "a.gz", chunk=5000)
    not_ours, unreadable, repeated = count // 10, count // 1000, count // 100
    assert sums(totals) == (count, count - not_ours - unreadable - repeated, repeated, not_ours, unreadable)
    assert place.log.stats().entries == totals.events + totals.unreadable
