"""An identity provider's discovery document, its keys, and whether a token is one of its own (RFC 7519, OIDC Core).

A token's own header chooses among the issuer's keys and among the allowed algorithms, and nothing else of it is
believed before the signature is checked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator

from snowgauge.part_settings import Duration
from snowgauge.telemetry.logs import logger

_log = logger("oidc")
_MOST_KEYS = 64
ASYMMETRIC = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Signature algorithms with a public key; those with a shared secret are never taken."""

Fetch = Callable[..., tuple[int, bytes]]


def public_key_algorithms(names: list[str]) -> list[str]:
    """The same names. Raises ``ValueError`` for one that is not of ``ASYMMETRIC``."""
    for name in names:
        if name not in ASYMMETRIC:
            raise ValueError(f"{name!r} is not one of {', '.join(sorted(ASYMMETRIC))}")
    return names


def _small(skew: timedelta) -> timedelta:
    if not timedelta(0) <= skew <= timedelta(minutes=1):
        raise ValueError(f"expected 0 to 60 seconds, found {skew.total_seconds():.0f} s")
    return skew


Algorithms = Annotated[list[str], AfterValidator(public_key_algorithms)]
ClockSkew = Annotated[Duration, AfterValidator(_small)]


class KeysUnavailable(Exception):
    """The issuer's keys have never been had."""


class TokenRefused(Exception):
    """The token is not a valid one of this issuer; the text says why."""


def discovery(issuer: str, fetch: Fetch) -> dict[str, Any]:
    """The issuer's description of itself. Raises ``OSError``, ``ValueError``, ``KeyError`` or ``TypeError``."""
    found = _json(issuer.rstrip("/") + "/.well-known/openid-configuration", fetch)
    if found["issuer"] != issuer:
        raise ValueError(f"the discovery document is of {found['issuer']!r}")
    return dict(found)


def _json(address: str, fetch: Fetch) -> Any:
    status, body = fetch("GET", address)
    if status != 200:
        raise OSError(f"{address} answered {status}")
    return orjson.loads(body)


class IssuerKeys:
    """The issuer's public keys by id, fetched when first needed and when they may have changed. Safe for threads.

    An unknown id has them fetched again, but not more often than the cool-down allows, so that made-up ids cannot make
    us a nuisance. While the issuer is unreachable the keys of before are used.
    """

    def __init__(
        self,
        issuer: str,
        fetch: Fetch,
        *,
        address: str = "",
        lifetime: float = 300,
        cooldown: float = 10,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``address`` of the keys; empty: where the discovery document says. Times in seconds."""
        self._issuer = issuer
        self._address = address
        self._lifetime = lifetime
        self._cooldown = cooldown
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
            address = self._address or str(discovery(self._issuer, self._fetch)["jwks_uri"])
            found = _json(address, self._fetch)
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


def verified_claims(
    token: str, keys: IssuerKeys, *, issuer: str, algorithms: Sequence[str], leeway: float
) -> dict[str, Any]:
    """What a token of ``issuer`` says, with signature, issuer and times checked; its audience is the caller's to judge.

    Raises :class:`TokenRefused` and :class:`KeysUnavailable`.
    """
    import jwt

    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise TokenRefused("not a JSON Web Token") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise TokenRefused("its algorithm is not allowed")
    if not isinstance(key_id, str):
        raise TokenRefused("it names no key")
    jwk = keys.find(key_id)
    if jwk is None:
        raise TokenRefused("its key is not the issuer's")
    if jwk.get("kty") == "oct" or jwk.get("alg", algorithm) != algorithm:
        raise TokenRefused("its key is for another algorithm")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(jwk, algorithm=algorithm).key,
            algorithms=[algorithm],
            issuer=issuer,
            leeway=leeway,
            options={"require": ["exp", "iat", "iss", "sub"], "verify_aud": False},
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused("it has expired") from None
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:  # the latter for a key that is none
        _log.debug("token_refused", reason=str(error))
        raise TokenRefused("it is not valid") from None
    return claims
