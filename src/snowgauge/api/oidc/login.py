"""Logging in through an OpenID Connect provider: authorization code with PKCE, state and nonce.

Between the two steps nothing is kept here: what belongs together (state, nonce, PKCE verifier, where to go afterwards)
lies in a short-lived cookie of the browser that began, which scripts cannot read. A code that comes back to any other
browser is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from contextlib import closing
from typing import Any, Literal
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec
import orjson

from snowgauge.actions.access.book import AccessBook
from snowgauge.actions.access.records import Session
from snowgauge.actions.access.roles import Principal
from snowgauge.api.oidc.issuer import IssuerKeys, KeysUnavailable, TokenRefused, discovery, verified_claims
from snowgauge.api.oidc.people import NotAllowed, admitted, lacks
from snowgauge.api.oidc.settings import OidcSettings
from snowgauge.outgoing import HttpClient
from snowgauge.telemetry.logs import logger

_log = logger("oidc")
_DESCRIPTION_SECONDS = 300
_PAUSE_SECONDS = 5
_CURE = "set console.oidc.allow_private_hosts to true if the provider is inside your network"

Reason = Literal["unavailable", "declined", "mismatch", "invalid", "not_allowed"]


class LoginFailed(Exception):
    """Nobody is logged in. ``reason`` is for the login page, the text for the log, ``target`` the page wanted."""

    def __init__(self, reason: Reason, why: str, target: str = "/") -> None:
        super().__init__(why)
        self.reason = reason
        self.target = target


class Attempt(msgspec.Struct):
    """What the browser keeps between the two steps."""

    state: str
    nonce: str
    verifier: str
    redirect_url: str
    target: str

    def text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()

    @classmethod
    def read(cls, text: str) -> Attempt | None:
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(text), type=cls)
        except (ValueError, msgspec.DecodeError):
            return None


class Returned(msgspec.Struct):
    """The parameters with which the provider sent the browser back."""

    state: str = ""
    code: str = ""
    error: str = ""
    iss: str = ""


class OidcLogin:
    """The provider of one deployment. Blocks while it is asked; safe for threads."""

    def __init__(self, settings: OidcSettings, access: AccessBook) -> None:
        self._settings = settings
        self._access = access
        self._keys = IssuerKeys(settings.issuer, self._fetch)
        self._lock = threading.Lock()
        self._described: tuple[float, dict[str, Any]] | None = None
        self._failed = float("-inf")

    def begin(self, target: str, redirect_url: str) -> tuple[str, Attempt]:
        """Where to send the browser, and what it has to keep. Raises :class:`LoginFailed`."""
        target = local_path(target)
        attempt = Attempt(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48),
            self._settings.redirect_url or redirect_url, target,
        )  # fmt: skip
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self._settings.client_id, "redirect_uri": attempt.redirect_url,
            "scope": " ".join(self._settings.scopes), "state": attempt.state, "nonce": attempt.nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        address = self._endpoint("authorization_endpoint", target)
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", attempt

    def finish(self, returned: Returned, attempt: Attempt | None, *, ip: str = "") -> tuple[Session, str]:
        """The session of the person who came back, and the page they wanted. Raises :class:`LoginFailed`."""
        if attempt is None or not hmac.compare_digest(returned.state.encode(), attempt.state.encode()):
            raise LoginFailed("mismatch", "the state is not the one that this browser was sent with")
        target = local_path(attempt.target)
        if returned.iss and returned.iss != self._settings.issuer:
            raise LoginFailed("mismatch", f"the answer is of {returned.iss[:200]!r}", target)
        if returned.error or not returned.code:
            raise LoginFailed("declined", f"the provider answered {returned.error[:100]!r}", target)
        tokens = self._tokens(returned.code, attempt, target)
        claims = self._claims(tokens, attempt.nonce, target)
        if lacks(self._settings, claims):
            claims = {**self._more(tokens, str(claims["sub"]), target), **claims}
        try:
            person = admitted(self._settings, claims)
        except NotAllowed as refused:
            who = Principal(refused.name, "person", frozenset())
            self._access.record(who, "login refused", detail=f"{self._settings.issuer}: {refused}", ip=ip)
            raise LoginFailed("not_allowed", f"{refused.name}: {refused}", target) from None
        session = self._access.log_in_through(
            self._settings.issuer, person.subject, person.names, person.role, follow=bool(self._settings.role_claim)
        )
        return session, target

    def _tokens(self, code: str, attempt: Attempt, target: str) -> dict[str, Any]:
        settings = self._settings
        address = self._endpoint("token_endpoint", target)
        methods = self._description(target).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": attempt.redirect_url,
            "code_verifier": attempt.verifier,
        }  # fmt: skip
        secret, auth = settings.client_secret.get_secret_value(), None
        if secret and "client_secret_basic" in methods:
            auth = (quote_plus(settings.client_id), quote_plus(secret))
        else:
            form |= {"client_id": settings.client_id, **({"client_secret": secret} if secret else {})}
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        try:
            status, body = self._fetch("POST", address, headers=headers, body=urlencode(form).encode(), auth=auth)
        except OSError as error:
            raise LoginFailed("unavailable", str(error), target) from None
        try:
            found = orjson.loads(body)
            if status != 200 or not isinstance(found["id_token"], str):
                raise LoginFailed(
                    "invalid", f"no tokens for the code: {status} {found.get('error', '')!s:.100}", target
                )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise LoginFailed("invalid", f"no tokens for the code: {status}", target) from None
        return dict(found)

    def _claims(self, tokens: dict[str, Any], nonce: str, target: str) -> dict[str, Any]:
        settings = self._settings
        try:
            claims = verified_claims(
                tokens["id_token"],
                self._keys,
                issuer=settings.issuer,
                algorithms=settings.algorithms,
                leeway=settings.clock_skew.total_seconds(),
            )
        except KeysUnavailable:
            raise LoginFailed("unavailable", "the provider's keys cannot be had", target) from None
        except TokenRefused as refused:
            raise LoginFailed("invalid", f"the id token: {refused}", target) from None
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        party = claims.get("azp", settings.client_id if len(audiences) == 1 else None)
        if settings.client_id not in audiences or party != settings.client_id:
            raise LoginFailed("invalid", "the id token is for another client", target)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise LoginFailed("invalid", "the id token is of another login (nonce)", target)
        return claims

    def _more(self, tokens: dict[str, Any], subject: str, target: str) -> dict[str, Any]:
        """What the userinfo endpoint adds; nothing where there is none, or where it speaks of someone else."""
        access = tokens.get("access_token")
        if not isinstance(access, str) or "userinfo_endpoint" not in self._description(target):
            return {}
        address = self._endpoint("userinfo_endpoint", target)
        try:
            status, body = self._fetch("GET", address, headers={"authorization": f"Bearer {access}"})
            found = orjson.loads(body) if status == 200 else {}
        except (OSError, ValueError) as error:
            _log.warning("userinfo_not_fetched", issuer=self._settings.issuer, reason=str(error)[:300])
            return {}
        return dict(found) if isinstance(found, dict) and found.get("sub") == subject else {}

    def _endpoint(self, name: str, target: str) -> str:
        address = self._description(target).get(name)
        schemes = ("https", "http") if self._settings.allow_private_hosts else ("https",)
        if not isinstance(address, str) or urlsplit(address).scheme not in schemes:
            raise LoginFailed("unavailable", f"the discovery document has no usable {name}", target)
        return address

    def _description(self, target: str) -> dict[str, Any]:
        with self._lock:
            now = time.monotonic()
            if self._described is None or now - self._described[0] > _DESCRIPTION_SECONDS:
                if now - self._failed < _PAUSE_SECONDS:
                    # a caller that asks while the provider is unreachable must not have every thread wait for it
                    raise LoginFailed("unavailable", "the provider did not answer a moment ago", target)
                try:
                    self._described = now, discovery(self._settings.issuer, self._fetch)
                except (OSError, ValueError, KeyError, TypeError) as error:
                    self._failed = time.monotonic()
                    raise LoginFailed("unavailable", f"discovery: {error}", target) from None
            return self._described[1]

    def _fetch(self, method: str, address: str, **more: Any) -> tuple[int, bytes]:
        """A few times per login, so no connection is kept."""
        http = HttpClient(
            timeout=self._settings.timeout.total_seconds(),
            retries=1,
            allow_private_hosts=self._settings.allow_private_hosts,
            private_hosts_cure=_CURE,
        )
        with closing(http):
            return http(method, address, **more)


def local_path(target: str) -> str:
    """A path of this console, whatever was asked for."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain and not target.startswith("/api/") and "\\" not in target else "/"
