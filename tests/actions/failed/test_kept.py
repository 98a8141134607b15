"""What is kept about failed events is the same on every machine, and one machine recovers at a time."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from snowgauge.actions.failed import kept as kept_module
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.kept import Kept
from snowgauge.actions.failed.repair.causes import CauseWord, CauseWords
from snowgauge.actions.failed.repair.rules import Rules
from snowgauge.actions.failed.runs import Plan, Runs
from snowgauge.actions.failed.where import Choice
from snowgauge.errors import ActionRefused
from snowgauge.state.documents import FolderDocuments
from snowgauge.testing.deployment import wait_until

CAUSE = "3f2a9c01d7"
EDITS = EditOptions(cast=["event.data.quantity=integer"])


@pytest.fixture
def machines(tmp_path: Path) -> tuple[Kept, Kept]:
    """Two, with a data folder each and documents between them."""
    shared = FolderDocuments(tmp_path / "shared")
    return Kept(tmp_path / "a", shared), Kept(tmp_path / "b", shared)


def test_rules_words_and_runs_of_one_machine_are_the_others_too(machines: tuple[Kept, Kept]) -> None:
    here, there = machines
    rule = Rules(here).keep(CAUSE, "quantity is text", EDITS, by="ann", at=5)
    CauseWords(here).put(CauseWord(CAUSE, "muted", "until Friday", "ann", 5))
    Runs(here).save(Plan("20260101-000000-abcdef", 5, Choice(group=[CAUSE])))
    assert Rules(there).all() == [rule]
    assert CauseWords(there).of(CAUSE).note == "until Friday"
    assert [plan.run for plan in Runs(there).all()] == ["20260101-000000-abcdef"]
    assert Rules(there).remove(rule.id) == rule
    assert Rules(here).all() == []
    CauseWords(there).put(CauseWord(CAUSE))
    assert CauseWords(here).all() == {}


def test_what_a_folder_has_from_before_is_moved_once_and_the_newer_counts(tmp_path: Path) -> None:
    shared = FolderDocuments(tmp_path / "shared")
    for name, at in (("a", 5), ("b", 9), ("c", 7)):
        before = Kept(tmp_path / name)
        CauseWords(before).put(CauseWord(CAUSE, note=f"of {name}", at=at))
        Rules(before).keep(CAUSE, f"of {name}", EDITS, by=name, at=at)
    for name in ("a", "b", "c"):
        assert CauseWords(Kept(tmp_path / name, shared)).all()
        assert not list((tmp_path / name).rglob("*.json"))
    kept = Kept(tmp_path / "d", shared)
    assert CauseWords(kept).of(CAUSE).note == "of b"
    assert [rule.headline for rule in Rules(kept).all()] == ["of b", "of c", "of a"]
    Rules(kept).remove(Rules(kept).all()[0].id)
    assert len(Rules(Kept(tmp_path / "b", shared)).all()) == 2


def test_one_machine_recovers_at_a_time(machines: tuple[Kept, Kept]) -> None:
    here, there = machines
    with here.alone("run-1"):
        assert there.under_way() == "run-1"
        with pytest.raises(ActionRefused, match="on another machine"), there.alone("run-2"):
            pass
    assert there.under_way() == ""
    with there.alone("run-2"):
        pass


def test_a_lease_is_taken_when_something_is_stored_and_then_held(machines: tuple[Kept, Kept]) -> None:
    here, there = machines
    with here.alone(at_once=False) as first, there.alone(at_once=False) as second:
        with first.storing(nullcontext)():
            pass
        with pytest.raises(ActionRefused, match="another machine"), second.storing(nullcontext)():
            raise AssertionError("two store at once")


def test_a_machine_that_died_holds_up_the_others_for_a_time(
    machines: tuple[Kept, Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = machines
    monkeypatch.setattr(kept_module, "_RENEWED", 3600)
    never_left = here.alone("run-1")
    turn = never_left.__enter__()
    with pytest.raises(ActionRefused), there.alone():
        pass
    left = here.documents.read("lease")
    assert left is not None
    over = msgspec.json.encode({**msgspec.json.decode(left), "until": 0})
    assert here.documents.put("lease", over, left)
    with there.alone("run-2"):
        turn._sure_until = 0
        with pytest.raises(ActionRefused, match="lost"), turn.storing(nullcontext)():
            raise AssertionError("two store at once")


def test_a_lease_is_renewed_and_its_loss_is_noticed(
    machines: tuple[Kept, Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = machines
    monkeypatch.setattr(kept_module, "_RENEWED", 0.01)
    with here.alone("run-1") as turn:
        first = here.documents.read("lease")
        wait_until(lambda: here.documents.read("lease") != first, "it was renewed")

        def robbed() -> bool:
            there = here.documents.read("lease")
            other = msgspec.json.encode({"holder": "x", "run": "run-2", "until": 2e10})
            return here.documents.put("lease", other, there)

        wait_until(robbed, "another holder took it")

        def lost() -> bool:
            try:
                turn.take()
            except ActionRefused:
                return True
            return False

        wait_until(lost, "the holder noticed")
    assert here.under_way() == "run-2"


def test_one_machine_needs_no_lease(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with kept.alone("run-1") as turn, turn.storing(nullcontext)():
        assert kept.under_way() == ""
        assert not (tmp_path / "recoveries" / "lease").exists()
