"""Settings of logging in to the console through an OpenID Connect provider."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import field_validator, model_validator

from snowgauge.actions.access.roles import Role
from snowgauge.api.oidc.issuer import Algorithms, ClockSkew
from snowgauge.part_settings import Duration, PartSettings, Secret


class OidcSettings(PartSettings):
    """Logging in to the console through an OpenID Connect provider: Keycloak, Google, Microsoft Entra ID, Okta, …

    It is offered as soon as there is an ``issuer``. The redirect address to register with the provider is
    ``https://<console>/api/v1/access/oidc/callback``.
    """

    issuer: str = ""
    """The provider, exactly as in the ``issuer`` of its discovery document, such as ``https://accounts.google.com``."""

    client_id: str = ""
    """Snowgauge's name at the provider."""

    client_secret: Secret = Secret("")
    """Snowgauge's secret at the provider. Empty for a public client; the exchange is protected by PKCE anyway."""

    name: str = "single sign-on"
    """What the login page calls the provider: the button says `Log in with <name>`."""

    scopes: list[str] = ["openid", "email", "profile"]
    """Scopes to ask for. ``openid`` has to be among them."""

    redirect_url: str = ""
    """The redirect address as registered with the provider. Empty: `/api/v1/access/oidc/callback` of the address that
    the console was opened with, over HTTPS unless it listens on loopback or `console.secure_cookies` is off."""

    allowed_emails: list[str] = []
    """People who may log in, by e-mail address. Only addresses count that the provider says it has verified."""

    allowed_domains: list[str] = []
    """Domains of e-mail addresses whose people may log in. Only verified addresses count."""

    allowed_subjects: list[str] = []
    """People who may log in, by the ``sub`` of their tokens; ``["*"]``: anyone the provider lets log in."""

    role_claim: str = ""
    """The claim that holds a person's groups or roles, such as ``groups`` or ``realm_access.roles``."""

    roles: dict[str, Role] = {}
    """Value of ``role_claim`` to role: ``{"snowgauge-admins": "admin"}``. The highest role that fits counts, and is
    set again at each login."""

    default_role: Role | Literal["none"] = "viewer"
    """Role of people whose claims give them none; ``none``: they may not log in. Without a ``role_claim`` it is given
    at the first login, and an admin can change it."""

    algorithms: Algorithms = ["RS256"]
    """Signature algorithms that are taken. Those with a shared secret never are."""

    clock_skew: ClockSkew = timedelta(seconds=30)
    """By how much the provider's clock may differ, at most one minute."""

    timeout: Duration = timedelta(seconds=5)
    """How long the provider may take for an answer."""

    allow_private_hosts: bool = False
    """Whether the provider may be inside your network. Plain ``http`` is taken only then."""

    @property
    def configured(self) -> bool:
        return bool(self.issuer)

    @property
    def makes_admins(self) -> bool:
        """Someone can become an admin by logging in."""
        return self.configured and (self.default_role == "admin" or "admin" in self.roles.values())

    @field_validator("timeout")
    @classmethod
    def _positive(cls, timeout: timedelta) -> timedelta:
        if not timedelta(0) < timeout <= timedelta(minutes=1):
            raise ValueError(f"expected more than 0 and at most 60 seconds, found {timeout.total_seconds():.0f} s")
        return timeout

    @field_validator("issuer", "redirect_url")
    @classmethod
    def _address(cls, address: str) -> str:
        if address and (urlsplit(address).scheme not in ("https", "http") or not urlsplit(address).hostname):
            raise ValueError(f"expected an https address, found {address!r}")
        return address

    @field_validator("allowed_emails", "allowed_domains")
    @classmethod
    def _lower(cls, names: list[str]) -> list[str]:
        return [name.strip().lower().removeprefix("@") for name in names]

    @model_validator(mode="after")
    def _whole(self) -> OidcSettings:
        if not self.issuer:
            if self.client_id:
                raise ValueError("console.oidc.client_id needs console.oidc.issuer: the provider")
            return self
        if not self.client_id:
            raise ValueError("console.oidc.issuer needs console.oidc.client_id: Snowgauge's name at the provider")
        if urlsplit(self.issuer).scheme == "http" and not self.allow_private_hosts:
            raise ValueError(
                "console.oidc.issuer: plain http is for providers inside your network only; use https, or set "
                "console.oidc.allow_private_hosts"
            )
        if "openid" not in self.scopes:
            raise ValueError("console.oidc.scopes has to hold openid")
        if bool(self.role_claim) != bool(self.roles):
            raise ValueError("console.oidc.role_claim and console.oidc.roles belong together")
        narrowed = self.allowed_emails or self.allowed_domains or self.allowed_subjects
        if not narrowed and not (self.roles and self.default_role == "none"):
            raise ValueError(
                "console.oidc has to say who may log in: allowed_emails, allowed_domains, allowed_subjects "
                '(["*"] for everyone), or roles with default_role none'
            )
        return self
