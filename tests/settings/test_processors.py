"""How many processes a machine runs unless told otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snowgauge.settings import deployment
from snowgauge.settings.deployment import PipelineSettings
from snowgauge.settings.processors import processors


@pytest.mark.parametrize(
    ("quota", "able"), [("max 100000", 16), ("200000 100000", 2), ("50000 100000", 1), ("150000 100000", 1), ("?", 16)]
)
def test_a_containers_quota_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, able: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    assert processors(file) == able
    assert processors(tmp_path / "missing") == 16


@pytest.mark.parametrize(("able", "number"), [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8), (64, 8)])
def test_as_many_as_the_machine_can_use(monkeypatch: pytest.MonkeyPatch, able: int, number: int) -> None:
    monkeypatch.setattr(deployment, "processors", lambda: able)
    counted = PipelineSettings().counted()
    assert counted.worker_count() == counted.collector_count() == number
    assert PipelineSettings.model_validate({"workers": "3"}).counted().worker_count() == 3


def test_a_role_alone_shares_with_nobody() -> None:
    assert PipelineSettings().worker_count() == 1


@pytest.mark.parametrize("value", ["0", "257", "many"])
def test_other_values_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="workers"):
        PipelineSettings.model_validate({"workers": value})
