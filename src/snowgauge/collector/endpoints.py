"""The pages that keep nothing: health, robots.txt, crossdomain.xml, the root. No cookies and no CORS on them."""

from __future__ import annotations

from html import escape

from snowgauge.collector.request import Header
from snowgauge.collector.routing import Kind
from snowgauge.collector.settings import CollectorSettings, CrossDomainSettings

Answer = tuple[int, list[Header], bytes]
"""Status, headers, body."""

_TEXT: Header = (b"content-type", b"text/plain; charset=UTF-8")
_ROBOTS = b"User-agent: *\nDisallow: /\n\nUser-agent: Googlebot\nDisallow: /\n\nUser-agent: AdsBot-Google\nDisallow: /"


def text(status: int, body: bytes) -> Answer:
    return status, [_TEXT], body


SINK_HEALTHY = text(200, b"ok")
SINK_UNHEALTHY = text(503, b"Service Unavailable")


def pages(settings: CollectorSettings) -> dict[Kind, Answer]:
    """Every answer that is always the same, by kind of route."""
    root = settings.root_response
    return {
        "health": text(200, b"ok"),
        "robots": text(200, _ROBOTS),
        "not_found": text(404, b"Not found"),
        "redirects_disabled": text(404, b"redirects disabled"),
        "crossdomain": (200, [(b"content-type", b"text/xml")], _crossdomain(settings.cross_domain)),
        "root": (
            root.status_code,
            [(name.lower().encode(), value.encode("latin-1")) for name, value in root.headers.items()],
            root.body.encode(),
        ),
    }


def _crossdomain(settings: CrossDomainSettings) -> bytes:
    secure = "true" if settings.secure else "false"
    domains = [f'<allow-access-from domain="{escape(d)}" secure="{secure}" />' for d in settings.domains]
    return "\n".join(['<?xml version="1.0"?>', "<cross-domain-policy>", *domains, "</cross-domain-policy>"]).encode()
