"""Sinks beside the store: each at its own pace, in order, at least once, and none at the cost of another."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from snowgauge.delivery import place
from snowgauge.delivery.contract import Processed, Refusal
from snowgauge.delivery.dead_letters import DeadLetters
from snowgauge.delivery.followers import Followers
from snowgauge.delivery.sinks.json_lines.settings import JsonLinesSettings
from snowgauge.errors import SinkUnavailable
from snowgauge.events.outcome import Tally
from snowgauge.store.base import StoreBatch
from snowgauge.testing.events import NOON, schema_violation, web_page_view


class Sink:
    """Takes what it is given, once ``open`` is set; ``trouble`` times it does not."""

    def __init__(self, *, opened: bool = True, trouble: int = 0, refuses: str | None = None) -> None:
        self.refuses = refuses
        self.taken: list[str] = []
        self.opened = threading.Event()
        self.asked = threading.Event()
        self.closed = False
        self.trouble = trouble
        if opened:
            self.opened.set()

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        self.asked.set()
        assert self.opened.wait(30)
        if self.trouble:
            self.trouble -= 1
            raise SinkUnavailable("nobody there") if self.trouble % 2 else ZeroDivisionError("a bug")
        self.taken.append(batch.id)
        return [] if self.refuses is None else [Refusal(StoreBatch(f"r{batch.id}", batch.events), self.refuses)]

    def close(self) -> None:
        self.closed = True


def processed(name: str, user: str = "ann") -> Processed:
    return Processed(StoreBatch(name, [web_page_view(1, user_id=user)]), Tally(1, 1))


def letters(folder: Path, most_bytes: int = 2**30) -> DeadLetters:
    return DeadLetters(folder / "dead-letters", most_bytes=most_bytes)


def following(folder: Path, backlog: int = 2**30, **sinks: Sink) -> Followers:
    made = Followers(folder, sinks, backlog_bytes=backlog, dead_letters=letters(folder))
    made.start()
    return made


def test_a_slow_sink_holds_up_nobody_and_misses_nothing(tmp_path: Path) -> None:
    quick, slow = Sink(), Sink(opened=False)
    followers = following(tmp_path, quick=quick, slow=slow)
    names = [f"b{number}" for number in range(20)]
    for name in names:
        followers.put(processed(name))
    while len(quick.taken) < 20:
        pass
    assert slow.taken == []
    assert len(list(tmp_path.glob("*.batch"))) == 20
    slow.opened.set()
    assert followers.wait(30)
    assert quick.taken == slow.taken == names
    assert not list(tmp_path.glob("*.batch")), "what all have taken is gone"
    followers.close()
    assert quick.closed
    assert slow.closed


def test_what_a_sink_did_not_take_waits_for_the_next_start(tmp_path: Path) -> None:
    sink, other = Sink(opened=False), Sink()
    followers = following(tmp_path, sink=sink, other=other)
    followers.put(processed("a"))
    followers.put(processed("b"))
    assert sink.asked.wait(30)
    while len(other.taken) < 2:
        pass
    followers.close(timeout=0)
    sink.trouble = 1
    sink.opened.set()  # it fails, and is told to stop
    again, others = Sink(trouble=3), Sink()
    followers = following(tmp_path, sink=again, other=others)
    followers.put(processed("c"))
    assert followers.wait(60)
    assert again.taken == ["a", "b", "c"]
    assert others.taken == ["c"]
    followers.close()


def test_a_batch_that_comes_again_is_handed_on_once(tmp_path: Path) -> None:
    sink = Sink(opened=False)
    followers = following(tmp_path, sink=sink)
    followers.put(processed("a"))
    followers.close(timeout=0)
    sink.trouble = 1
    sink.opened.set()
    again = Sink()
    followers = following(tmp_path, sink=again)
    followers.put(processed("a"))  # its commit was lost in a crash
    followers.put(processed("b"))
    assert followers.wait(30)
    followers.close()
    assert again.taken == ["a", "b"]


def test_a_new_sink_begins_with_what_comes(tmp_path: Path) -> None:
    first, second = Sink(opened=False), Sink()
    followers = following(tmp_path, first=first)
    followers.put(processed("before"))
    followers.close(timeout=0)
    first.trouble = 1
    first.opened.set()
    followers = following(tmp_path, first=Sink(), second=second)
    followers.put(processed("after"))
    assert followers.wait(30)
    followers.close()
    assert second.taken == ["after"]


def test_what_exceeds_the_backlog_passes_the_slowest_by(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick, slow = Sink(), Sink(opened=False)
    followers = following(tmp_path, backlog=1, quick=quick, slow=slow)
    for name in "abcd":
        followers.put(processed(name))
        while quick.taken[-1:] != [name]:
            pass
    assert len(list(tmp_path.glob("*.batch"))) == 1
    slow.opened.set()
    assert followers.wait(30)
    followers.close()
    assert slow.taken[-1] == "d"
    assert quick.taken == ["a", "b", "c", "d"]
    assert "sink_passed_by" in capsys.readouterr().out
    noted = place.read(tmp_path / "slow.cursor")
    assert 2 <= noted.passed_by <= 3
    assert noted.passed_at > 0


def test_a_file_that_cannot_be_read_costs_itself(tmp_path: Path) -> None:
    sink = Sink(opened=False)
    followers = following(tmp_path, sink=sink)
    for name in "abc":
        followers.put(processed(name))
    second = sorted(tmp_path.glob("*.batch"))[1]
    second.write_bytes(b"damaged")
    sink.opened.set()
    assert followers.wait(30)
    followers.close()
    assert sink.taken == ["a", "c"]


def test_who_was_erased_meanwhile_does_not_leave(tmp_path: Path) -> None:
    seen: list[int] = []

    class Counting(Sink):
        def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
            seen.append(len(batch.events))
            return ()

    def keep(batch: StoreBatch) -> StoreBatch:
        return StoreBatch(batch.id, [event for event in batch.events if event.user_id != "ann"])

    followers = Followers(
        tmp_path, {"sink": Counting()}, backlog_bytes=2**30, dead_letters=letters(tmp_path), keep=keep
    )
    followers.start()
    followers.put(processed("a", "ann"))
    followers.put(processed("b", "bob"))
    assert followers.wait(30)
    followers.close()
    assert seen == [0, 1]


def test_what_a_destination_refuses_is_kept_and_the_rest_goes_on(tmp_path: Path) -> None:
    sink = Sink(refuses="no such field")
    followers = following(tmp_path, sink=sink)
    followers.put(processed("a"))
    followers.put(processed("b"))
    assert followers.wait(30)
    followers.close()
    found = list(letters(tmp_path).letters("sink"))
    assert [(letter.id, letter.events, letter.reason) for letter in found] == [
        ("ra", 1, "no such field"),
        ("rb", 1, "no such field"),
    ]
    assert letters(tmp_path).rows("sink", "ra").events == processed("a").batch.events


def test_a_sink_waits_where_there_is_no_room_for_what_is_refused(tmp_path: Path) -> None:
    kept = letters(tmp_path, most_bytes=1)
    followers = Followers(tmp_path, {"sink": Sink(refuses="no")}, backlog_bytes=2**30, dead_letters=kept)
    followers.start()
    followers.put(processed("a"))
    assert followers.wait(30), "the first one finds room"
    followers.put(processed("b"))
    while "sinks.dead_letter_bytes" not in trouble(tmp_path):
        pass
    assert kept.discard("sink") == 1
    assert followers.wait(90), "there is room again"
    followers.close()
    assert [letter.id for letter in kept.letters("sink")] == ["rb"]


def trouble(folder: Path) -> str:
    return place.read(folder / "sink.cursor").trouble


def test_others_can_see_how_a_sink_stands(tmp_path: Path) -> None:
    worker = tmp_path / "worker-0"
    quick, slow = Sink(), Sink(opened=False)
    made = Followers(worker, {"quick": quick, "slow": slow}, backlog_bytes=2**30, dead_letters=letters(tmp_path))
    made.start()
    for name in "abc":
        made.put(processed(name))
    while len(quick.taken) < 3:
        pass
    found = {one.sink: one for one in place.standings(tmp_path, ["idle"])}
    assert sorted(found) == ["idle", "quick", "slow"]
    assert found["slow"].batches == 3
    assert found["slow"].bytes > 0
    assert found["slow"].oldest > 0
    assert found["idle"] == place.Standing("idle")
    slow.trouble = 2
    slow.opened.set()
    assert made.wait(60)
    made.close()
    after = {one.sink: one for one in place.standings(tmp_path)}
    assert (after["slow"].batches, after["slow"].trouble) == (0, "")


def test_a_place_that_an_older_version_noted_is_read(tmp_path: Path) -> None:
    sink = Sink(opened=False)
    followers = following(tmp_path, sink=sink)
    for name in "ab":
        followers.put(processed(name))
    followers.close(timeout=0)
    sink.trouble = 1
    sink.opened.set()
    (tmp_path / "sink.cursor").write_text("1")
    again = Sink()
    followers = following(tmp_path, sink=again)
    assert followers.wait(30)
    followers.close()
    assert again.taken == ["b"]


def test_json_lines_by_kind_and_day_each_batch_once(tmp_path: Path) -> None:
    day = 86_400_000
    batch = StoreBatch(
        "p/0-1",
        [web_page_view(1), web_page_view(2), web_page_view(3, collector_tstamp=NOON + day)],
        [schema_violation(1)],
        [web_page_view(4)],
    )
    (sink,) = JsonLinesSettings(folder=Path("out")).open("json_lines", tmp_path).values()
    sink.deliver(batch)
    sink.deliver(batch)
    found = {
        str(path.relative_to(tmp_path / "out")): path.read_text().splitlines() for path in tmp_path.rglob("*.jsonl")
    }
    assert {name: len(lines) for name, lines in found.items()} == {
        "good/2024-05-01/p_0-1.jsonl": 2,
        "good/2024-05-02/p_0-1.jsonl": 1,
        "failed/2024-05-01/p_0-1.jsonl": 1,
    }
    event = json.loads(found["good/2024-05-01/p_0-1.jsonl"][0])
    assert event["event_id"] == batch.events[0].event_id
    assert event["collector_tstamp"].startswith("2024-05-01T")
    assert json.loads(found["failed/2024-05-01/p_0-1.jsonl"][0]) == batch.failed[0].bad_row()


def test_json_lines_that_cannot_be_written_come_again(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file is in the way")
    (sink,) = JsonLinesSettings(folder=Path("out")).open("json_lines", tmp_path).values()
    with pytest.raises(SinkUnavailable, match="out"):
        sink.deliver(StoreBatch("b", [web_page_view(1)]))
    assert JsonLinesSettings().open("json_lines", tmp_path) == {}


def test_without_a_store_nothing_passes_a_slow_sink_by(tmp_path: Path) -> None:
    slow = Sink(opened=False)
    followers = Followers(tmp_path, {"slow": slow}, backlog_bytes=1, dead_letters=letters(tmp_path), pass_by=False)
    followers.start()
    followers.put(processed("a"))
    with pytest.raises(SinkUnavailable, match=r"sinks\.backlog_bytes = 1"):
        followers.put(processed("b"))
    slow.opened.set()
    assert followers.wait(30)
    followers.put(processed("b"))
    assert followers.wait(30)
    assert slow.taken == ["a", "b"]
    followers.close()
