"""Builds what enrichments are given at start from the settings of a deployment."""

from __future__ import annotations

from pathlib import Path

from snowgauge.enrich.assets import AssetCache
from snowgauge.enrich.enrichments.base import Means
from snowgauge.enrich.enrichments.settings import EnrichmentsSettings
from snowgauge.outgoing import HttpClient


def build(settings: EnrichmentsSettings, data_dir: Path) -> tuple[Means, AssetCache, HttpClient]:
    """The means, and the two parts whose life the caller ends: ``AssetCache.start/stop`` and ``HttpClient.close``."""
    http = HttpClient(
        timeout=settings.outgoing_timeout.total_seconds(),
        max_bytes=settings.outgoing_max_bytes,
        retries=settings.outgoing_retries,
        connections=settings.outgoing_connections,
        allow_private_hosts=settings.allow_private_hosts,
        private_hosts_cure="set enrichments.allow_private_hosts to true to let enrichments reach it",
    )
    assets = AssetCache(
        data_dir / "assets",
        http,
        period=settings.assets_update_period,
        timeout=settings.asset_timeout,
        max_bytes=settings.asset_max_bytes,
    )
    means = Means(
        assets=assets,
        http=http,
        folder=settings.folder,
        allow_private_hosts=settings.allow_private_hosts,
        max_json_depth=settings.max_json_depth,
        script_seconds=settings.script_time_limit.total_seconds(),
        script_memory=settings.script_memory_limit,
        exit_on_compile_error=settings.exit_on_js_compile_error,
    )
    return means, assets, http
