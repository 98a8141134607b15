"""What the collector's port serves beside tracking: scripts, and where they are on the demo and the analytics proxy."""

from __future__ import annotations

from snowgauge.actions.scripts.door import STATIC, script_names
from snowgauge.collector import demo
from snowgauge.collector.proxy.app import AnalyticsProxy
from snowgauge.collector.request import ASGIApp
from snowgauge.collector.static import StaticFiles
from snowgauge.outgoing import HttpClient
from snowgauge.pipeline.build import scripts_folder
from snowgauge.settings.model import Settings


def public_apps(settings: Settings) -> dict[str, ASGIApp]:
    """Applications by the path they own, for the collector's ``more``."""
    apps: dict[str, ASGIApp] = {}
    scripts = settings.scripts
    if scripts.enabled:
        names = script_names(scripts)
        files = StaticFiles(scripts_folder(settings), prefix=STATIC, names=names, max_age=scripts.max_age)
        apps |= {STATIC: files} | dict.fromkeys(names, files)
    if settings.common.demo:
        apps[demo.PREFIX] = demo.demo()
    if settings.proxy.enabled:
        prefix = settings.common.snowplow.endpoints.proxy_endpoint
        apps[prefix] = AnalyticsProxy(
            settings.proxy, proxy_client(settings), prefix=prefix, public_url=public_url(settings)
        )
    return apps


def public_url(settings: Settings) -> str:
    """The collector's address as the world knows it, if that was set."""
    known_as = settings.common.hostname
    return "" if known_as == type(settings.common).model_fields["hostname"].default else str(known_as)


def proxy_client(settings: Settings) -> HttpClient:
    """HTTP of the analytics proxy: its addresses come from visitors."""
    proxy = settings.proxy
    return HttpClient(
        timeout=proxy.timeout.total_seconds(),
        max_bytes=proxy.max_bytes,
        retries=0,
        connections=proxy.max_requests,
        allow_private_hosts=proxy.allow_private_hosts,
        private_hosts_cure="set proxy.allow_private_hosts to true if this host of proxy.domains is yours",
    )
