"""Settings of the private door: console and APIs."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, field_validator

from snowgauge.actions.access.second_factor import Demand
from snowgauge.actions.elsewhere.settings import OtherDeployment, checked_names
from snowgauge.api.oidc.settings import OidcSettings
from snowgauge.part_settings import Duration, PartSettings


class ConsoleSettings(PartSettings):
    """The private port: console, APIs, metrics and health. Never meant for the open internet."""

    enabled: bool = True
    """Whether `snowgauge serve` starts it."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback unless told otherwise; anything else needs an admin first
    (`snowgauge access add-admin`)."""

    port: int = Field(default=8001, ge=0, le=65535)
    """Port to listen on."""

    max_connections: int = Field(default=256, ge=1)
    """Open connections; further ones wait to be accepted. Where all places are taken, the connections that are silent
    longest are closed to make room."""

    idle_timeout: Duration = Field(default=timedelta(seconds=30), gt=timedelta())
    """A connection on which no request is made, or none whose head ends, is closed after this time."""

    behind_proxy: bool = False
    """A proxy of your own on this machine passes requests from elsewhere on to this port: nobody is then admitted for
    coming from loopback, and an admin is needed first. `tls.console_domain` and `tls.agent` switch it on
    automatically."""

    collector_url: str = ""
    """Public address of the collector, shown in the snippets to copy. Empty: where the collector listens."""

    allowed_hosts: list[str] = []
    """Names under which the console is reached, beside loopback's own; a request for another name is refused while it
    listens on loopback only, so that no web page can reach it by pointing a name of its own at this machine."""

    session_lifetime: Duration = timedelta(hours=12)
    """How long a login lasts."""

    second_factor_required_for: Demand = "nobody"
    """Who has to log in with a code of an authenticator app: `nobody`, `admins` or `everyone`. Someone without one sets
    it up at the next login and sees nothing before. Of those who log in through an identity provider, the provider asks
    for a second factor."""

    secure_cookies: bool = True
    """Send the login's cookie over HTTPS only (off loopback). Switch off only for a trusted network without TLS."""

    oidc: OidcSettings = OidcSettings()
    """Logging in through an identity provider, beside the accounts of the console's own."""

    deployments: dict[str, OtherDeployment] = {}
    """Other deployments, by name, that the page Deployments shows through their agent APIs, such as
    `[console.deployments.shop]` with `url` and `token`."""

    sql_max_rows: int = Field(default=10_000, ge=1, le=1_000_000)
    """Most rows of one query in the SQL page and its API."""

    sql_timeout: Duration = timedelta(seconds=30)
    """How long one query of the SQL page may take."""

    mcp: bool = True
    """Let assistants with an API key ask this deployment at `/mcp` (MCP over streamable HTTP). Needs the extra
    `mcp`."""

    @field_validator("deployments")
    @classmethod
    def _names(cls, deployments: dict[str, OtherDeployment]) -> dict[str, OtherDeployment]:
        return checked_names(deployments)
