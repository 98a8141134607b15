"""`snowgauge sinks`, and that an erasure reaches what a destination refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from snowgauge.actions.lifetime.marks import Finder, person
from snowgauge.cli.main import app
from snowgauge.delivery.contract import Refusal
from snowgauge.delivery.dead_letters import DeadLetters
from snowgauge.pipeline import build
from snowgauge.pipeline.personal_places import JournalPlace
from snowgauge.settings.load import load
from snowgauge.store.base import StoreBatch
from snowgauge.testing.events import web_page_view

CRM = "http://127.0.0.1:1/nobody-listens-here"


@pytest.fixture
def letters(tmp_path: Path) -> DeadLetters:
    kept = DeadLetters(tmp_path / "sinks" / "dead-letters", most_bytes=2**20)
    batch = StoreBatch("0f3c", [web_page_view(1, user_id="ann"), web_page_view(2, user_id="bob")])
    kept.put("http.crm", Refusal(batch, "answered 422: customer"))
    return kept


def flags(folder: Path) -> list[str]:
    destination = {"crm": {"url": CRM, "allow_private_hosts": True}}
    return ["--set", f"common.data_dir={folder}", "--set", f"sinks.http.destinations={json.dumps(destination)}"]


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*flags(folder), "sinks", *arguments])
    return done.exit_code, done.output


def test_it_lists_shows_replays_and_discards(tmp_path: Path, letters: DeadLetters) -> None:
    code, shown = run(tmp_path, "list", "--json")
    assert code == 0, shown
    (state,) = json.loads(shown)
    assert (state["name"], state["dead_letters"], state["ok"]) == ("http.crm", 1, True)
    code, shown = run(tmp_path, "show", "http.crm")
    assert code == 0
    assert "0f3c" in shown
    assert "answered 422: customer" in shown
    code, shown = run(tmp_path, "replay", "http.crm")
    assert code == 1, "nobody is there"
    assert "0 delivered, 0 refused again, 1 left" in shown
    assert "nobody-listens-here" not in shown, "an address can be a secret"
    assert run(tmp_path, "discard", "http.crm", "--id", "0f3c") == (0, "1 deleted\n")
    assert list(letters.letters("http.crm")) == []


def test_a_person_who_is_erased_is_in_no_dead_letter(tmp_path: Path, letters: DeadLetters) -> None:
    settings = load(flags=flags(tmp_path)[1::2]).settings
    finder = Finder(person([("user_id", "ann")]))
    place = JournalPlace(build.sinks_folder(settings), "sinks")
    assert [found.by for found in place.find(finder)] == ["user_id"]
    place.take_out(finder, lambda _where, _count: None)
    assert [event.user_id for event in letters.rows("http.crm", "0f3c").events] == ["bob"]
