"""Access tokens: is a request somebody's who may ask? (RFC 6750, RFC 7519; AWS Cognito and any OIDC issuer.)

A token's own header chooses among the issuer's keys and among the allowed algorithms, and nothing else of it is
believed before the signature is checked. What a signature cannot show is revocation: a token is good until it expires.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson

from snowgauge.api.agent.settings import AgentSettings
from snowgauge.outgoing import HttpClient
from snowgauge.telemetry.logs import logger

_log = logger("agent")
_LONGEST_TOKEN = 8192
_MOST_KEYS = 64


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


class KeysUnavailable(Exception):
    """The issuer's keys have never been had."""


class IssuerKeys:
    """The issuer's public keys by id, fetched when first needed and when they may have changed. Safe for threads.

    An unknown id has them fetched again, but not more often than the cool-down allows, so that made-up ids cannot make
    us a nuisance. While the issuer is away the keys of before are used.
    """

    def __init__(
        self,
        settings: AgentSettings,
        fetch: Callable[..., tuple[int, bytes]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = settings.issuer
        self._address = settings.jwks_url
        self._lifetime = settings.keys_lifetime.total_seconds()
        self._cooldown = settings.keys_cooldown.total_seconds()
        self._fetch = fetch
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._keys: dict[str, dict[str, Any]] | None = None
        self._fetched = self._tried = float("-inf")

    def find(self, key_id: str) -> dict[str, Any] | None:
        """The key as JWK. Raises :class:`KeysUnavailable`."""
        with self._lock:
            now = self._monotonic()
            stale = now - self._fetched >= self._lifetime
            unknown = self._keys is None or key_id not in self._keys
            if (stale or unknown) and now - self._tried >= self._cooldown:
                self._tried = now
                self._refresh()
            if self._keys is None:
                raise KeysUnavailable
            return self._keys.get(key_id)

    def _refresh(self) -> None:
        try:
            address = self._address or self._discovered()
            found = self._json(address)
            keys = {
                key["kid"]: key
                for key in found["keys"][:_MOST_KEYS]
                if isinstance(key, dict) and isinstance(key.get("kid"), str) and key.get("use", "sig") == "sig"
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("issuer_keys_not_fetched", issuer=self._issuer, reason=str(error)[:300])
            return
        self._keys = keys
        self._fetched = self._monotonic()

    def _discovered(self) -> str:
        found = self._json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found["issuer"] != self._issuer:
            raise ValueError(f"the discovery document is of {found['issuer']!r}")
        return str(found["jwks_uri"])

    def _json(self, address: str) -> Any:
        status, body = self._fetch("GET", address)
        if status != 200:
            raise OSError(f"{address} answered {status}")
        return orjson.loads(body)


class Asker(msgspec.Struct, frozen=True):
    """Who asks: the ``sub`` of a token, or ``static token``."""

    subject: str


class TokenChecker:
    """Decides about ``Authorization`` headers. Blocks while keys are fetched."""

    def __init__(self, settings: AgentSettings, keys: IssuerKeys | None = None) -> None:
        self._settings = settings
        self._static = _digest(settings.static_token.get_secret_value()) if settings.static_token else b""
        self._keys = keys
        if settings.issuer and keys is None:
            self._keys = IssuerKeys(settings, _fetch)

    def check(self, headers: Sequence[str]) -> Asker:
        """``headers``: every ``Authorization`` of the request. Raises :class:`NotAuthorized`."""
        token = _bearer(headers)
        if self._static and hmac.compare_digest(_digest(token), self._static):
            return Asker("static token")
        if self._keys is None:
            raise _invalid("the token is not known")
        return self._checked(token, self._keys)

    def _checked(self, token: str, keys: IssuerKeys) -> Asker:
        import jwt

        settings = self._settings
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise _invalid("not a JSON Web Token") from None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in settings.algorithms:
            raise _invalid("its algorithm is not allowed")
        if not isinstance(key_id, str):
            raise _invalid("it names no key")
        try:
            jwk = keys.find(key_id)
        except KeysUnavailable:
            raise NotAuthorized(503, "", "the issuer's keys cannot be had at present") from None
        if jwk is None:
            raise _invalid("its key is not the issuer's")
        try:
            if jwk.get("kty") == "oct" or jwk.get("alg", algorithm) != algorithm:
                raise _invalid("its key is for another algorithm")
            claims = jwt.decode(
                token,
                jwt.PyJWK(jwk, algorithm=algorithm).key,
                algorithms=[algorithm],
                issuer=settings.issuer,
                leeway=settings.clock_skew.total_seconds(),
                options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError:
            raise _invalid("it has expired") from None
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:  # the latter for a key that is none
            _log.debug("token_refused", reason=str(error))
            raise _invalid("it is not valid") from None
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
