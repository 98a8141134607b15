"""Settings of applications: checked, kept with their history, or read from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowgauge.errors import ActionRefused, SettingsError
from snowgauge.modelling.application_book import ApplicationBook, cautious
from snowgauge.modelling.applications import Application, read_application
from snowgauge.modelling.lease import LASTS_MS, Lease
from snowgauge.modelling.modeller import Modeller
from snowgauge.testing.model_store import MemoryModelStore
from snowgauge.testing.modelling import event


def test_every_change_stays_in_the_history() -> None:
    book = ApplicationBook(MemoryModelStore())
    assert book.applications() == {}
    book.put("shop", {"heartbeat": 15}, "ann")
    book.put("shop", {"heartbeat": 20}, "ben", expected=1)
    assert book.applications()["shop"].heartbeat == 20
    assert [(one.version, one.changed_by) for one in book.history("shop")] == [(2, "ben"), (1, "ann")]
    with pytest.raises(ActionRefused, match="version 2 holds by now"):
        book.put("shop", {}, "cat", expected=1)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"heartbeat": 0}, "heartbeat: Input should be greater than or equal to 1, found 0"),
        ({"hartbeat": 5}, "hartbeat: Extra inputs are not permitted"),
        ({"zone": "Mars/Olympus"}, "'Mars/Olympus' is no time zone"),
        ({"goals": [{"name": "a", "kind": "event"}]}, "needs `event`"),
        ({"goals": [{"name": "a", "kind": "scroll"}]}, "needs `at_least`"),
        ({"goals": [{"name": "transaction", "kind": "page"}]}, "two goals are called 'transaction'"),
        ({"channels": [{"channel": "TV"}]}, "has no condition"),
        ({"own_traffic": {"networks": ["10.0.0.0/99"]}}, "'10.0.0.0/99' is no address or network"),
        ([], "Input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_named(values: Any, told: str) -> None:
    with pytest.raises(SettingsError, match="application 'shop'") as raised:
        read_application(values, "shop")
    assert told in str(raised.value)


def test_a_file_is_where_they_are_changed_then(tmp_path: Path) -> None:
    file = tmp_path / "applications.yaml"
    file.write_text("default:\n  zone: Europe/Berlin\napplications:\n  shop:\n    heartbeat: 15\n")
    book = ApplicationBook(MemoryModelStore(), file)
    assert (book.applications()[""].zone, book.applications()["shop"].heartbeat) == ("Europe/Berlin", 15)
    with pytest.raises(ActionRefused, match=r"applications\.yaml"):
        book.put("shop", {}, "ann")
    file.write_text("applications:\n  shop:\n    heartbeat: 20\n")
    assert book.applications()["shop"].heartbeat == 20
    assert [one.settings for one in book.history("shop")] == [{"heartbeat": 20}, {"heartbeat": 15}]
    told: list[str] = []
    careful = cautious(book, told.append)
    assert careful()["shop"].heartbeat == 20
    for wrong in ("shops: 1", "{", "applications: 5", "applications:\n  shop:\n    heartbeat: x\n"):
        file.write_text(wrong)
        assert careful()["shop"].heartbeat == 20
    assert len(told) == 4


def test_the_guides_example_is_a_file_that_is_taken(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "guide" / "modelled-tables.md").read_text()
    file = tmp_path / "applications.yaml"
    file.write_text(page.split("```yaml\n")[1].split("```")[0])
    found = ApplicationBook(MemoryModelStore(), file).applications()
    assert [goal.name for goal in found["shop"].goals] == ["Signed up", "Read to the end", "Pricing seen"]


def test_one_of_two_machines_models_and_the_other_takes_over() -> None:
    store = MemoryModelStore()
    first, second = Lease(store, "a"), Lease(store, "b")
    assert not first.held()
    assert not second.held()
    assert (first.held(), second.held()) == (True, False)
    store.clock += LASTS_MS - 1
    assert (first.held(), second.held()) == (True, False)
    store.clock += LASTS_MS + 1  # the first has died
    assert not second.held()
    assert second.held()
    second.release()
    assert not first.held()
    assert first.held()


def test_a_changed_rule_holds_for_the_whole_history() -> None:
    store = MemoryModelStore()
    settings = {"": Application()}
    modeller = Modeller(store, lambda: settings)
    store.write(
        [event("e1", "page_view", "2026-03-10 10:00:00", domain_sessionid="s1", view="v1", page_urlpath="/u/1/")]
    )
    modeller.run()
    while modeller.rebuild_next():
        pass
    (row,) = store.tables["page_views"].values()
    assert (row["page_path"], row["content_group"]) == ("/u/1", "")
    settings = {
        "shop": read_application(
            {
                "paths": {"patterns": ["/u/:id"]},
                "content_groups": [{"name": "People", "pattern": "/u/*"}],
                "goals": [{"name": "profile", "kind": "page", "pattern": "/u/*"}],
            },
            "shop",
        )
    }
    modeller.run()
    assert modeller.state.read().rebuild_day is not None
    while modeller.rebuild_next():
        pass
    (row,) = store.tables["page_views"].values()
    assert (row["page_path"], row["content_group"]) == ("/u/:id", "People")
    assert [one["goal"] for one in store.tables["conversions"].values()] == ["profile"]
    assert next(iter(store.tables["sessions"].values()))["goals"] == ["profile"]
