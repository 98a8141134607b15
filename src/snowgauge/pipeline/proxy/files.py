"""The routing as files for those who run a proxy of their own."""

from __future__ import annotations

from snowgauge.pipeline.proxy import caddy, nginx, traefik
from snowgauge.pipeline.proxy.certificates import read_own
from snowgauge.pipeline.proxy.routing import routing
from snowgauge.settings.model import Settings

_TRAEFIK_FOLDER = "/etc/traefik"


def for_people(settings: Settings, program: str) -> dict[str, str]:
    """File name -> text. Certificates of your own are named by their paths, never copied."""
    tls = settings.tls
    routes = routing(settings)
    own = None
    if tls.certificate is not None and tls.private_key is not None:
        read_own(tls.certificate, tls.private_key)
        own = (tls.certificate.expanduser().absolute(), tls.private_key.expanduser().absolute())
    if program == "caddy":
        return {caddy.FILE: caddy.caddyfile(routes, tls, certificate=own)}
    if program == "nginx":
        largest = settings.collector.networking.drop_payload_size + 65_536
        return {nginx.FILE: nginx.conf(routes, tls, largest_body=largest, certificate=own)}
    watched = traefik.dynamic(routes, tls, order=() if own else routes.hosts)
    if own:
        watched["tls"]["certificates"] = [{"certFile": str(own[0]), "keyFile": str(own[1])}]
    return {
        traefik.STATIC: traefik.text(traefik.static(tls, _TRAEFIK_FOLDER)),
        traefik.DYNAMIC: traefik.text(watched),
    }
