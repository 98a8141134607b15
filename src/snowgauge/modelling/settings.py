"""Settings of the modeller. What figures mean is set per application (``applications``)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from snowgauge.part_settings import Duration, PartSettings


class ModellingSettings(PartSettings):
    """Modelled tables: visits, page views, people and goals, made from the events that were stored."""

    enabled: bool = True
    """Keep the modelled tables up to date. `snowgauge serve` runs one process for it; of several machines with one
    store one does it at a time."""

    every: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    """How long to wait between two looks at what was stored."""

    applications: Path | None = None
    """File with the settings of each application (YAML or JSON): `default:` and, below `applications:`, one entry for
    each app id. With it the console and the API show them and change nothing. Empty: they are changed there."""
