"""Settings of the agent API: who may ask, and from where."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from snowgauge.api.oidc.issuer import Algorithms, ClockSkew
from snowgauge.part_settings import Duration, PartSettings, Secret


class AgentSettings(PartSettings):
    """The agent API at `/agent/v1` of the private port: health and counts, never contents, for a console elsewhere.

    It is served as soon as there is an ``issuer`` or a ``static_token``.
    """

    issuer: str = ""
    """Issuer of access tokens, exactly as in their ``iss``: ``https://cognito-idp.<region>.amazonaws.com/<pool>``, or
    that of any OpenID Connect provider."""

    jwks_url: str = ""
    """Where the issuer's keys are. Empty: where its discovery document says."""

    subjects: list[str] = []
    """Users who may ask, by the ``sub`` of their tokens. With an issuer there must be one."""

    client_ids: list[str] = []
    """Clients whose tokens are taken. With an issuer there must be one here or in ``audiences``."""

    client_id_claims: list[str] = ["client_id", "azp", "appid"]
    """Claims that may name the client; the first one a token has counts."""

    audiences: list[str] = []
    """Values of ``aud`` that are taken; empty: it is not looked at (Cognito's access tokens have none)."""

    token_use: str | None = None
    """What ``token_use`` must say. Unset: ``access`` for Cognito's tokens, nothing for others'. Empty: not checked."""

    scopes: list[str] = []
    """Scopes that a token must have, all of them."""

    algorithms: Algorithms = ["RS256"]
    """Signature algorithms that are taken. Those with a shared secret never are."""

    clock_skew: ClockSkew = timedelta(seconds=30)
    """By how much the issuer's clock may differ, at most one minute."""

    keys_lifetime: Duration = timedelta(minutes=5)
    """How long the issuer's keys are used before they are fetched again."""

    keys_cooldown: Duration = timedelta(seconds=10)
    """Shortest time between two fetches that tokens with unknown keys cause."""

    static_token: Secret = Secret("")
    """A token for people without an identity provider, of 32 characters or more: `openssl rand -hex 32` makes one."""

    allowed_origin: str = ""
    """The one web origin whose pages may ask, such as ``https://console.example.com``. Empty: none."""

    smallest_count: int = Field(default=10, ge=1)
    """Application ids, tracker namespaces and tracker versions are shown from this number of events on; rarer ones are
    summed without their names. The sender of an event chooses them, so that one may be an e-mail address."""

    requests_per_minute: int = Field(default=120, ge=1)
    """Requests that one address may make in a minute."""

    @property
    def configured(self) -> bool:
        return bool(self.issuer or self.static_token.get_secret_value())

    @property
    def wanted_token_use(self) -> str:
        """What ``token_use`` has to be; empty: anything."""
        if self.token_use is not None:
            return self.token_use
        host = urlsplit(self.issuer).hostname or ""
        cognito = host.startswith("cognito-idp.") and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        return "access" if cognito else ""

    @field_validator("static_token")
    @classmethod
    def _long(cls, token: Secret) -> Secret:
        if 0 < len(token.get_secret_value()) < 32:
            raise ValueError("expected 32 characters or more; found fewer")
        return token

    @field_validator("issuer", "jwks_url")
    @classmethod
    def _address(cls, address: str) -> str:
        if address and urlsplit(address).scheme not in ("https", "http"):
            raise ValueError(f"expected an https address, found {address!r}")
        return address

    @field_validator("allowed_origin")
    @classmethod
    def _origin(cls, origin: str) -> str:
        parts = urlsplit(origin)
        if origin and (parts.scheme not in ("https", "http") or parts.path or not parts.hostname):
            raise ValueError(f"expected an origin such as 'https://console.example.com', found {origin!r}")
        return origin

    @model_validator(mode="after")
    def _narrow(self) -> AgentSettings:
        if self.issuer and not (self.client_ids or self.audiences):
            raise ValueError("agent.issuer needs agent.client_ids or agent.audiences: whose tokens are meant")
        if self.issuer and not self.subjects:
            raise ValueError("agent.issuer needs agent.subjects: the `sub` of each user who may ask")
        return self
