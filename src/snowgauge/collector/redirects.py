"""Answers that send the browser elsewhere: click redirects, the cookie bounce, http to https."""

from __future__ import annotations

import re
from urllib.parse import quote

from snowgauge.collector.payloads import raw_query
from snowgauge.collector.query_strings import first_bytes, with_parameter
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

_PARTS = re.compile(r"(?:([^:/?#]*):)?(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(\#.*)?", re.DOTALL)
"""Scheme, authority, path, query and fragment of any text (RFC 3986, appendix B)."""

_NEVER = re.compile(r"[\x00-\x1f\x7f]")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~]+)(?::[0-9]*)?")


class ClickRedirects:
    """Decides where ``/r/...?u=`` may lead. With no ``redirect_domains`` it may lead anywhere.

    Addresses that stream-collector 3.4 answers with 400 for a space or a letter are escaped: a visitor waits for them.
    """

    def __init__(self, settings: CollectorSettings) -> None:
        self._target = first_bytes("u")
        self._domains = frozenset(settings.redirect_domains)
        self._placeholder = settings.redirect_macro.placeholder if settings.redirect_macro.enabled else None

    def location(self, request: Request, network_user_id: str) -> bytes | None:
        """The target; ``None`` (answer 400) when it is missing, not a URI, or of a host that is not allowed."""
        given = self._target(request.query)
        if given is None:
            return None
        target = given.decode("latin-1")
        if self._placeholder:
            target = target.replace(self._placeholder, quote(network_user_id, safe=""))
        target = _escaped(target)
        found = _URI_REFERENCE.fullmatch(target)
        if not found or (found["scheme"] is None and found["host"] is None and ":" in found["path"].split("/", 1)[0]):
            return None
        if self._domains and found["host"] not in self._domains:
            return None
        return target.encode("ascii")


def _escaped(target: str) -> str:
    """What a browser makes of an address before it asks for it: what a URI cannot have is escaped, letters of a host
    are in IDNA's form. ``target`` has a character for each byte. Control characters stay, and so make it no URI."""
    if _NEVER.search(target):
        return target
    found = _PARTS.fullmatch(target)
    assert found is not None, "matches any text"
    scheme, authority, path, query, fragment = found.groups()
    whole = "" if scheme is None else f"{scheme}:"
    if authority is not None:
        whole += f"//{_authority(authority)}"
    whole += _escape(path, _CHARS + "/")
    if query is not None:
        whole += "?" + _escape(query[1:], _CHARS + "/?[]")
    if fragment is not None:
        whole += "#" + _escape(fragment[1:], _CHARS + "/?")
    return whole


_CHARS = "%!$&'()*+,;=:@~"


def _escape(text: str, safe: str) -> str:
    return quote(_BARE_PERCENT.sub("%25", text).encode("latin-1"), safe=safe)


def _authority(text: str) -> str:
    if text.isascii():
        return text
    user, at, there = text.rpartition("@")
    host, colon, port = there.partition(":")
    try:
        host = host.encode("latin-1").decode("utf-8").encode("idna").decode("ascii")
    except UnicodeError:
        return text
    return _escape(user, _CHARS) + at + host + colon + port


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
