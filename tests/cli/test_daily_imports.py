"""`snowgauge import` of daily figures, over a store in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from snowgauge.cli.main import app
from snowgauge.errors import ActionRefused
from snowgauge.modelling.store import ModelStore
from snowgauge.modelling.tables import IMPORTED_DAYS
from snowgauge.pipeline import modelling
from snowgauge.settings.model import Settings
from snowgauge.testing.model_store import MemoryModelStore


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryModelStore:
    made = MemoryModelStore()

    @contextmanager
    def opened(settings: Settings) -> Iterator[tuple[Settings, ModelStore]]:
        yield settings, made

    monkeypatch.setattr(modelling, "opened_model", opened)
    return made


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--set", f"common.data_dir={folder}", "import", *arguments])


def test_an_import_is_taken_listed_and_removed(store: MemoryModelStore, tmp_path: Path) -> None:
    file = tmp_path / "imported_pages_20260301_20260302.csv"
    file.write_text("date,page,pageviews\n2026-03-01,/,5\n2026-03-02,/a/,2\n")
    took = json.loads(run(tmp_path, "plausible", str(file), "--app-id", "web", "--json").stdout)
    assert not took["repeated"]
    assert [row["page_path"] for row in store.tables[IMPORTED_DAYS.name].values()] == ["/", "/a"]
    again = run(tmp_path, "plausible", str(file), "--app-id", "web")
    assert "nothing was done" in again.stderr
    (held,) = json.loads(run(tmp_path, "list", "--json").stdout)
    assert (held["id"], held["app_id"], held["rows"], held["views"]) == (took["imported"]["id"], "web", 2, 7)
    assert "2026-03-01 to 2026-03-02" in " ".join(run(tmp_path, "list").stdout.split())
    assert run(tmp_path, "remove", held["id"]).exit_code == 0
    assert store.tables[IMPORTED_DAYS.name] == {}


def test_what_is_wrong_with_a_file_is_said(store: MemoryModelStore, tmp_path: Path) -> None:
    file = tmp_path / "visits.csv"
    file.write_text("Date,Sessions\nsoon,1\n")
    result = run(tmp_path, "ga4", str(file), "--app-id", "web")
    assert isinstance(result.exception, ActionRefused)
    assert "visits.csv, line 2: 'soon' is no date" in str(result.exception)
    assert store.tables[IMPORTED_DAYS.name] == {}
