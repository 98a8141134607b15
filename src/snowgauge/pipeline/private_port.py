"""Who may use the private port: people, keys, and the doors that they pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snowgauge.errors import SettingsError, StateUnavailable
from snowgauge.pipeline.build import data_dir, open_console
from snowgauge.settings.model import Settings

if TYPE_CHECKING:
    from snowgauge.actions.access.book import AccessBook
    from snowgauge.api.doors import Doors


def open_access(settings: Settings) -> AccessBook:
    """People and keys of the private port."""
    from snowgauge.actions.access.book import AccessBook

    console = settings.console
    return AccessBook(
        open_console(settings) or data_dir(settings) / "console.sqlite",
        session_seconds=console.session_lifetime.total_seconds(),
        demand=console.second_factor_required_for,
    )


def console_url(settings: Settings) -> str:
    """Where people reach the console, as far as the settings say."""
    if settings.alerts.console_url:
        return settings.alerts.console_url
    if settings.tls.console_domain:
        return f"https://{settings.tls.console_domain}"
    host = settings.console.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.console.port}"


def open_doors(settings: Settings) -> Doors:
    """Raises ``SettingsError`` where a port that others can reach would be open to everyone."""
    from snowgauge.api.doors import Doors  # FastAPI, which most roles do without

    tls = settings.tls
    doors = Doors(
        settings.console,
        open_access(settings),
        proxied=tls.opens_private_port,
        proxies=settings.security.trusted_proxies if settings.security.trust_proxy_headers else (),
    )
    if not doors.loopback and _nobody_inside(doors.access) and not settings.console.oidc.makes_admins:
        doors.access.close()
        what, cure = f"console.host: {settings.console.host!r}", "leave console.host at 127.0.0.1"
        if tls.opens_private_port:
            what, cure = "tls.console_domain: the private port", "leave tls.console_domain empty"
            if not tls.console_domain:
                what, cure = "tls.agent: the private port", "leave tls.agent off"
        elif settings.console.behind_proxy:
            what, cure = "console.behind_proxy: the private port", "leave it off"
        raise SettingsError(
            f"{what} can be reached by others, and there is no admin yet; run "
            f"`snowgauge access add-admin NAME` first, or {cure}"
        )
    return doors


def _nobody_inside(access: AccessBook) -> bool:
    """Is it known that there is no admin? Off loopback a port is shut while that is unknown, so it may be opened."""
    try:
        return not access.has_admin()
    except StateUnavailable:
        return False
