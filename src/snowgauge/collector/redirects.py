"""Answers that send the browser elsewhere: click redirects, the cookie bounce, http to https."""

from __future__ import annotations

import re
from urllib.parse import quote

from snowgauge.collector.payloads import raw_query
from snowgauge.collector.query_strings import first_value, with_parameter
from snowgauge.collector.request import Request
from snowgauge.collector.settings import CollectorSettings, CookieBounceSettings

_CHAR = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_URI_REFERENCE = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):)?"
    r"(?://(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?(?=[/?#]|$))?"
    rf"(?P<path>(?:{_CHAR}|/)*)"
    rf"(?:\?(?:{_CHAR}|[/?\[\]])*)?"
    rf"(?:\#(?:{_CHAR}|[/?])*)?"
)
"""RFC 3986, with the square brackets in queries that stream-collector 3.4 lets pass."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~]+)(?::[0-9]*)?")


class ClickRedirects:
    """Decides where ``/r/...?u=`` may lead. With no ``redirect_domains`` it may lead anywhere."""

    def __init__(self, settings: CollectorSettings) -> None:
        self._target = first_value("u")
        self._domains = frozenset(settings.redirect_domains)
        self._placeholder = settings.redirect_macro.placeholder if settings.redirect_macro.enabled else None

    def location(self, request: Request, network_user_id: str) -> bytes | None:
        """The target; ``None`` (answer 400) when it is missing, not a URI, or of a host that is not allowed."""
        target = self._target(request.query)
        if target is None:
            return None
        if self._placeholder:
            target = target.replace(self._placeholder, quote(network_user_id, safe=""))
        found = _URI_REFERENCE.fullmatch(target)
        if not found or (found["scheme"] is None and found["host"] is None and ":" in found["path"].split("/", 1)[0]):
            return None
        if self._domains and found["host"] not in self._domains:
            return None
        return target.encode("ascii")


class CookieBounce:
    """Tells requests without a cookie that have not been sent round yet."""

    def __init__(self, settings: CookieBounceSettings) -> None:
        self.enabled = settings.enabled
        self.fallback = settings.fallback_network_user_id
        self._name = settings.name
        self._mark = settings.name.encode()

    def bounced(self, request: Request) -> bool:
        """Has it been sent round? Like the reference, any occurrence of the name in the query counts."""
        return self._mark in request.query

    def location(self, request: Request) -> bytes:
        """The request's own address with the mark as its last parameter, relative to the collector."""
        path = request.raw_path.decode("latin-1")
        # two slashes at the front would be read as another host
        path = "/" + quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~")
        return f"{path}?{with_parameter(request.query, self._name, 'true')}".encode("ascii")


def https_location(request: Request, port: int) -> bytes | None:
    """The same address with https; ``None`` when the request does not say which host it asked for."""
    found = _HOST.fullmatch(request.host)
    if not found:
        return None
    host = found[1] if port == 443 else f"{found[1]}:{port}"
    query = f"?{quote(raw_query(request.query), safe=_URI_SAFE)}" if request.query else ""
    return f"https://{host}{quote(request.raw_path.decode('latin-1'), safe=_URI_SAFE)}{query}".encode("ascii")


_URI_SAFE = "/%:@!$&'()*+,;=~?[]"
