"""The tracker's script is there from the first start on, where anything it comes from can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from snowgauge.actions.scripts import download
from snowgauge.actions.scripts.first_start import fetch_in_background, fetch_tracker
from snowgauge.actions.scripts.settings import ScriptsSettings
from snowgauge.testing.web import Web, serving


@pytest.fixture
def releases() -> Iterator[Web]:
    with serving() as made:
        made.answers = {"/4.6.8/sp.js": (200, b"//")}
        yield made


@pytest.fixture
def settings(releases: Web, monkeypatch: pytest.MonkeyPatch) -> ScriptsSettings:
    monkeypatch.setattr(download.shutil, "which", lambda _: None)
    return ScriptsSettings(release_url=releases.url + "/{version}/{file}", npm_registry=releases.url + "/npm")


def test_what_npm_does_not_have_comes_from_the_releases(settings: ScriptsSettings, tmp_path: Path) -> None:
    assert fetch_tracker(settings, tmp_path)
    assert (tmp_path / "sp.js").read_bytes() == b"//"


def test_a_script_that_is_there_is_left_alone(settings: ScriptsSettings, tmp_path: Path, releases: Web) -> None:
    (tmp_path / "sp.js").write_text("mine")
    assert fetch_tracker(settings, tmp_path)
    assert (tmp_path / "sp.js").read_text() == "mine"
    assert not releases.asked


def test_where_nothing_can_be_reached_the_log_says_what_to_run(
    settings: ScriptsSettings, tmp_path: Path, releases: Web
) -> None:
    releases.answers.clear()
    with structlog.testing.capture_logs() as logged:
        assert not fetch_tracker(settings, tmp_path)
    assert [(line["event"], line["cure"]) for line in logged] == [
        ("tracker_not_downloaded", "run `snowgauge scripts download`")
    ]
    assert len(logged[0]["reasons"]) == 2


def test_manual_asks_nobody(settings: ScriptsSettings, tmp_path: Path, releases: Web) -> None:
    fetch_in_background(settings.model_copy(update={"download": "manual"}), tmp_path)
    assert not releases.asked
