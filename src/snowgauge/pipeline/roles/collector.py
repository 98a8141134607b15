"""The collector: requests into the event log."""

from __future__ import annotations

from snowgauge.actions.scripts.door import with_neutral_names
from snowgauge.pipeline import build, public_door
from snowgauge.pipeline.public_paths import public_apps
from snowgauge.pipeline.reporters import reported
from snowgauge.pipeline.roles.process import mark_ready
from snowgauge.settings.model import Settings


@reported("collector")
def run_collector(settings: Settings, *, index: int = 0) -> None:
    """One collector process: requests into the event log."""
    from snowgauge.collector.serve import run

    writer = build.open_eventlog(settings).writer()
    run(
        with_neutral_names(public_door.collector_settings(settings), settings.scripts),
        writer,
        more={**public_door.pages(settings, writer), **public_apps(settings)},
        security=settings.security,
        ready=lambda: mark_ready(settings, f"collector-{index}"),
    )
