"""The recoveries that a worker makes on its own: one that cannot be made now holds up no other."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from snowgauge.errors import ActionRefused
from snowgauge.pipeline import self_recovery
from snowgauge.settings.model import Settings
from snowgauge.store.memory import MemoryStore


@pytest.mark.parametrize("error", [ActionRefused("another recovery is under way"), ZeroDivisionError()])
def test_rules_are_applied_while_schemas_cannot_be_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception
) -> None:
    stop, applied = threading.Event(), threading.Event()

    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(self_recovery, "recover_unresolved", refused)
    monkeypatch.setattr(self_recovery, "recover_by_rules", lambda *_, **__: applied.set())
    settings = Settings.model_validate(
        {"common": {"data_dir": str(tmp_path)}, "pipeline": {"auto_recover_interval": timedelta(milliseconds=10)}}
    )
    self_recovery.keep_recovering(settings, {}, MemoryStore(), stop)
    try:
        assert applied.wait(60)
    finally:
        stop.set()
