"""Access tokens: is a request someone's who may ask? (RFC 6750, RFC 7519; AWS Cognito and any OIDC issuer.)

What a signature cannot show is revocation: a token is good until it expires.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from snowgauge.api.agent.settings import AgentSettings
from snowgauge.api.oidc.issuer import Fetch, IssuerKeys, KeysUnavailable, TokenRefused, verified_claims
from snowgauge.outgoing import HttpClient

_LONGEST_TOKEN = 8192


class NotAuthorized(Exception):
    """The request is not answered. ``status`` 401: no good token; 403: another user's; 503: it cannot be told."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description

    @property
    def challenge(self) -> str:
        """The value of ``WWW-Authenticate``."""
        if not self.error:
            return 'Bearer realm="snowgauge"'
        return f'Bearer realm="snowgauge", error="{self.error}", error_description="{self.description}"'


class Asker(msgspec.Struct, frozen=True):
    """Who asks: the ``sub`` of a token, or ``static token``."""

    subject: str


def issuer_keys(
    settings: AgentSettings, fetch: Fetch, *, monotonic: Callable[[], float] = time.monotonic
) -> IssuerKeys:
    """The keys of the issuer that the settings name."""
    return IssuerKeys(
        settings.issuer,
        fetch,
        address=settings.jwks_url,
        lifetime=settings.keys_lifetime.total_seconds(),
        cooldown=settings.keys_cooldown.total_seconds(),
        monotonic=monotonic,
    )


class TokenChecker:
    """Decides about ``Authorization`` headers. Blocks while keys are fetched."""

    def __init__(self, settings: AgentSettings, keys: IssuerKeys | None = None) -> None:
        self._settings = settings
        self._static = _digest(settings.static_token.get_secret_value()) if settings.static_token else b""
        self._keys = keys
        if settings.issuer and keys is None:
            self._keys = issuer_keys(settings, _fetch)

    def check(self, headers: Sequence[str]) -> Asker:
        """``headers``: every ``Authorization`` of the request. Raises :class:`NotAuthorized`."""
        token = _bearer(headers)
        if self._static and hmac.compare_digest(_digest(token), self._static):
            return Asker("static token")
        if self._keys is None:
            raise _invalid("the token is not known")
        return self._checked(token, self._keys)

    def _checked(self, token: str, keys: IssuerKeys) -> Asker:
        settings = self._settings
        try:
            claims = verified_claims(
                token,
                keys,
                issuer=settings.issuer,
                algorithms=settings.algorithms,
                leeway=settings.clock_skew.total_seconds(),
            )
        except KeysUnavailable:
            raise NotAuthorized(503, "", "the issuer's keys cannot be had at present") from None
        except TokenRefused as refused:
            raise _invalid(str(refused)) from None
        self._check_claims(claims)
        return Asker(str(claims["sub"]))

    def _check_claims(self, claims: dict[str, Any]) -> None:
        settings = self._settings
        use = settings.wanted_token_use
        if use and claims.get("token_use") != use:
            raise _invalid(f"it is not an {use} token")
        if settings.client_ids:
            client = next((claims[name] for name in settings.client_id_claims if name in claims), None)
            if client not in settings.client_ids:
                raise _invalid("it is another client's")
        if settings.audiences:
            found = claims.get("aud")
            if not set(found if isinstance(found, list) else [found]) & set(settings.audiences):
                raise _invalid("it is for another audience")
        if claims["sub"] not in settings.subjects:
            raise NotAuthorized(403, "insufficient_scope", "this user may not ask")
        granted = str(claims.get("scope", "")).split()
        if not set(settings.scopes) <= set(granted):
            raise NotAuthorized(403, "insufficient_scope", "the token lacks a scope")


def _fetch(method: str, address: str) -> tuple[int, bytes]:
    """Once in minutes, so no connection is kept. The operator named the issuer: it may be inside the network."""
    http = HttpClient(timeout=5, retries=1, allow_private_hosts=True)
    try:
        return http(method, address)
    finally:
        http.close()


def _bearer(headers: Sequence[str]) -> str:
    if not headers:
        raise NotAuthorized(401, "", "an access token is needed")
    scheme, space, token = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer" or not space or not token or " " in token:
        raise NotAuthorized(401, "invalid_request", "expected one header: Authorization: Bearer <token>")
    if len(token) > _LONGEST_TOKEN:
        raise NotAuthorized(401, "invalid_request", "the token is too long")
    return token


def _invalid(why: str) -> NotAuthorized:
    return NotAuthorized(401, "invalid_token", why)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
