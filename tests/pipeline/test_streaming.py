"""Workers that write no store: which settings they can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snowgauge.errors import SettingsError
from snowgauge.pipeline import deployment
from snowgauge.pipeline.roles.worker import run_pipeline
from snowgauge.pipeline.streaming import run_streaming
from snowgauge.settings.model import Settings


def settings(folder: Path, given: dict[str, Any]) -> Settings:
    return Settings.model_validate(
        {"common": {"data_dir": folder}, "iglu": {"iglu_central": False}, "pipeline": {"store": "none"}, **given}
    )


def test_events_have_to_go_somewhere(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"keeps no event anywhere: set one of sinks"):
        run_streaming(settings(tmp_path, {}), {})


def test_exactly_once_needs_kafkas_offsets(tmp_path: Path) -> None:
    sinks = {"sinks": {"kafka": {"exactly_once": True, "good": "good"}}}
    with pytest.raises(SettingsError, match=r"event log on Kafka"):
        run_streaming(settings(tmp_path, sinks), {})


def test_a_store_is_no_part_of_kafkas_transactions(tmp_path: Path) -> None:
    given = {"sinks": {"kafka": {"exactly_once": True, "good": "good"}}, "pipeline": {}}
    with pytest.raises(SettingsError, match=r"needs pipeline\.store = none"):
        run_pipeline(settings(tmp_path, given), {})


def test_serve_runs_what_reads_a_store(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"snowgauge collector"):
        deployment.start(settings(tmp_path, {}), {}, [])
