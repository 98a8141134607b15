"""What goes where: names and paths of the public address to the ports behind it."""

from __future__ import annotations

import msgspec

from snowgauge.errors import SettingsError
from snowgauge.settings.model import Settings

_BEHIND = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound


class Backend(msgspec.Struct, frozen=True):
    """A port behind the proxy."""

    name: str
    host: str
    port: int

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"


class Route(msgspec.Struct, frozen=True):
    """Requests for ``host``, below ``path`` where one is given, to ``backend``. Longer paths win."""

    name: str
    host: str
    backend: Backend
    path: str = ""


class Routing(msgspec.Struct, frozen=True):
    """All routes, those with a path first."""

    routes: list[Route]

    @property
    def backends(self) -> list[Backend]:
        return list({route.backend.name: route.backend for route in self.routes}.values())

    def of(self, host: str) -> list[Route]:
        return [route for route in self.routes if route.host == host]

    @property
    def hosts(self) -> list[str]:
        return list(dict.fromkeys(route.host for route in self.routes))


def routing(settings: Settings) -> Routing:
    """Raises ``SettingsError`` where no name is given or the private port is routed to and not run."""
    tls = settings.tls
    if not tls.enabled:
        raise SettingsError("tls.domains: no name is given; use --domain collector.example.com, or set tls.domains")
    if tls.opens_private_port and not settings.console.enabled:
        asked = "tls.console_domain" if tls.console_domain else "tls.agent"
        raise SettingsError(f"{asked}: needs the private port, which console.enabled=false leaves out")
    if settings.collector.ssl.enable:
        raise SettingsError("collector.ssl.enable: the proxy of tls.domains ends HTTPS in front of it; use one of them")
    collector = Backend("collector", _behind(settings.collector.interface), settings.collector.port)
    private = Backend("console", _behind(settings.console.host), settings.console.port)
    routes = []
    if tls.agent:
        routes += [Route(f"agent-{index}", name, private, "/agent") for index, name in enumerate(tls.domains)]
    routes += [Route(f"collector-{index}", name, collector) for index, name in enumerate(tls.domains)]
    if tls.console_domain:
        routes.append(Route("console", tls.console_domain, private))
    return Routing(routes)


def _behind(host: str) -> str:
    return _BEHIND.get(host, host)
