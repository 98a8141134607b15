"""Settings of the pipeline itself and of the deployment as a whole."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from snowgauge.part_settings import Duration, PartSettings


class PipelineSettings(PartSettings):
    """How payloads are taken from the event log, enriched and stored."""

    workers: int = Field(default=1, ge=1, le=256)
    """Worker processes. Each takes its share of the event log; one per spare core is a good number."""

    collectors: int = Field(default=1, ge=1, le=256)
    """Collector processes. They share the port; the kernel spreads connections over them."""

    registry_patience: Duration = timedelta(minutes=2)
    """How long events wait for a schema registry that is away before they fail (and can be recovered later)."""

    drain_timeout: Duration = timedelta(seconds=20)
    """How long a stop waits for what has been received to be stored. What is left waits safely in the event log."""


class CommonSettings(PartSettings):
    """What concerns the whole deployment."""

    data_dir: Path = Path("snowgauge-data")
    """Folder of everything that is kept: event log, embedded database, schemas, assets. Relative to where it is run."""
