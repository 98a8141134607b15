"""Who gets through the private door: host names, logins, keys, forged requests, and headers on every answer.

On loopback with nobody registered, and no identity provider, everyone on this machine may do everything.
What protects that from web pages open in the same machine's browser: a request must name a loopback host (a page
cannot rebind a name of its own), and one that changes something must not come from another origin. With a login,
every such request also carries the session's token in ``X-CSRF-Token``. Keys come as ``Authorization: Bearer``.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, MutableMapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request

from snowgauge.actions.access.book import AccessBook
from snowgauge.actions.access.roles import LOCAL, Principal, Scope
from snowgauge.api.oidc.login import OidcLogin
from snowgauge.api.settings import ConsoleSettings
from snowgauge.collector.admission.addresses import Visitors
from snowgauge.collector.admission.settings import Network

COOKIE = "snowgauge_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_GUARDED = ("/api/v1/", "/mcp")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Doors:
    """The rules of one deployment."""

    def __init__(
        self,
        settings: ConsoleSettings,
        access: AccessBook,
        *,
        proxied: bool = False,
        proxies: Sequence[Network] = (),
    ) -> None:
        """``proxied``: a proxy on this machine lets others reach a port that listens on loopback. ``proxies``: networks
        whose word is taken for whom they pass on."""
        self.settings = settings
        self.access = access
        self.visitors = Visitors(proxies)
        self.loopback = is_loopback(settings.host) and not (proxied or settings.behind_proxy)
        self.oidc = OidcLogin(settings.oidc, access) if settings.oidc.configured else None

    def open(self) -> bool:
        """No login is needed: loopback, nobody is registered, and nobody could be by an identity provider."""
        return self.loopback and self.oidc is None and not self.access.has_people()

    @property
    def secure_cookies(self) -> bool:
        return self.settings.secure_cookies and not self.loopback

    def knows_host(self, header: str) -> bool:
        """May a request name this host? Off loopback the network in front decides."""
        if not self.loopback:
            return True
        host = header.rsplit(":", 1)[0] if not header.endswith("]") else header
        name = host.strip("[]").lower().rstrip(".")
        return is_loopback(name) or name.endswith(".localhost") or name in self.settings.allowed_hosts

    def principal(self, request: Request) -> Principal | None:
        """Who asks, or ``None`` for someone unknown."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and secret:
            return self.access.by_key(secret.strip())
        token = request.cookies.get(COOKIE)
        if token:
            found = self.access.by_session(token)
            if found is not None:
                return found
        return LOCAL if self.open() else None


def caller(request: Request) -> Principal:
    """Who asks. 401 for someone unknown, 403 for a request that its own page did not make."""
    doors: Doors = request.app.state.doors
    who = doors.principal(request)
    if who is None:
        raise HTTPException(401, "log in, or send an API key", {"WWW-Authenticate": "Bearer"})
    if request.method not in _SAFE and who.kind == "person":
        sent = request.headers.get("x-csrf-token", "")
        if not hmac.compare_digest(sent.encode(), (who.csrf or "").encode()):
            raise HTTPException(403, "X-CSRF-Token is missing or old: load the page again")
    return who


Caller = Annotated[Principal, Depends(caller)]


def needs(scope: Scope, *, by_application: bool = False) -> Any:
    """The dependency of a route that only someone with ``scope`` may use. Someone who may see some applications only is
    refused, unless the route says that it limits its answer to those (``by_application``)."""

    def check(who: Caller) -> None:
        if not who.may(scope):
            raise HTTPException(403, f"this needs the scope {scope}")
        if who.apps is not None and not by_application:
            raise HTTPException(403, "this is about every application, and you have access to some only")

    return Depends(check)


def address(request: Request) -> str:
    """Who asks, as far as trusted proxies say; empty where the connection has no address."""
    doors: Doors = request.app.state.doors
    return str(doors.visitors.behind(request.client.host if request.client else None, request.headers.raw) or "")


Scope_ = MutableMapping[str, Any]


class DoorKeeper:
    """ASGI middleware: refuses strange hosts and forged requests, puts safety headers on answers."""

    def __init__(self, app: Callable[..., Any], doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope_, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if not self._doors.knows_host(headers.get(b"host", "")):
            await _refuse(send, 421, "this host name is not served here: add it to console.allowed_hosts")
            return
        guarded = scope["path"].startswith(_GUARDED)
        if guarded and scope["method"] not in _SAFE and _foreign(headers):
            await _refuse(send, 403, "a request from another site may not change anything here")
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                added = [pair for pair in _HEADERS if pair[0] not in present]
                if _embeddable(message["headers"]):
                    # the older header knows no list of origins
                    added = [pair for pair in added if pair[0] != b"x-frame-options"]
                if guarded and b"cache-control" not in present:
                    added.append((b"cache-control", b"no-store"))
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, with_headers)


def _embeddable(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Does the answer's own policy let origins embed it?"""
    return any(
        name.lower() == b"content-security-policy" and b"frame-ancestors http" in value for name, value in headers
    )


def _foreign(headers: dict[bytes, str]) -> bool:
    """Browsers say where a request comes from; programs say nothing."""
    if headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get(b"origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get(b"host", "").lower()


async def _refuse(send: Any, status: int, text: str) -> None:
    import orjson

    body = orjson.dumps({"detail": text})
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json"), *_HEADERS],
        }
    )
    await send({"type": "http.response.body", "body": body})
