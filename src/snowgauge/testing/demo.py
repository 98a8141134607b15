"""A store filled by the demo's visitors, for tests, screenshots and benchmarks."""

from __future__ import annotations

import time
from pathlib import Path

from snowgauge.actions.demo import seeding
from snowgauge.actions.demo.places import DocumentationAddresses
from snowgauge.pipeline.enriching import Enriching
from snowgauge.settings.load import load
from snowgauge.store.base import Store


def seed_demo(
    store: Store, folder: Path, *, visitors: int, days: int = 30, number: int = 1, until: int | None = None
) -> seeding.Totals:
    """What ``snowgauge demo seed`` does, with the default enrichments and no network. ``until``: ms, default now."""
    settings = load(flags=[f"common.data_dir={folder}", "iglu.iglu_central=false"], environment={}).settings
    enriching = Enriching(settings, {}, start=False, more=[DocumentationAddresses()])
    try:
        return seeding.seed(
            store, enriching.enricher, seeding.SeedBook(folder), number=number, days=days, visitors=visitors,
            now=time.time_ns() // 1_000_000 if until is None else until,
        )  # fmt: skip
    finally:
        enriching.close()
