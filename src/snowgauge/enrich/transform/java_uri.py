"""URIs by the rules of java.net.URI (RFC 2396 with Java's deviations), which decide what enrich 6.10 accepts.

Non-ASCII letters may stand unescaped; the authority may be one that has no host; scheme and host keep their case.
Indexes in messages count UTF-16 units, as Java's do.
"""

from __future__ import annotations

import re

import msgspec

_OTHER = "\u0081-\u009f\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # controls and spaces beyond ASCII
_ESCAPED = rf"%[0-9A-Fa-f]{{2}}|[^\x00-\x80{_OTHER}]"


def _run(chars: str) -> re.Pattern[str]:
    return re.compile(rf"(?:[{chars}]++|{_ESCAPED})*+")


_UNRESERVED = r"A-Za-z0-9\-_.!~*'()"
_URIC = _run(_UNRESERVED + r";/?:@&=+$,\[\]")
_PATH = _run(_UNRESERVED + r":@&=+$,;/")
_USERINFO = _run(_UNRESERVED + ";:&=+$,")
_REG_NAME = _run(_UNRESERVED + "$,;:@&=+")
_SERVER = _run(_UNRESERVED + r";:&=+$,.:@\[\]")
_SERVER_PERCENT = _run(_UNRESERVED + r";:&=+$,.:@\[\]%")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")
_DELIMITER = re.compile(r"[/?#:]")
_AUTHORITY_END = re.compile(r"[/?#]")
_PATH_END = re.compile(r"[?#]")
_IPV4 = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?=:|$)", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-]*)")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")


class BadUri(ValueError):
    """``reason`` and ``index`` as Java's URISyntaxException has them."""

    def __init__(self, reason: str, text: str, index: int) -> None:
        super().__init__(f"{reason} at index {_units(text, index)}: {text}")
        self.reason, self.text, self.index = reason, text, index

    def message(self, shift: int, whole: str) -> str:
        """The message when ``text`` stood at ``shift`` in a longer URI."""
        return f"{self.reason} at index {_units(self.text, self.index) + shift}: {whole}"


class Uri(msgspec.Struct, frozen=True):
    """Raw parts, never decoded. All parts but scheme and fragment of an opaque URI (``mailto:a``) are ``None``."""

    scheme: str | None
    host: str | None
    port: int | None
    path: str | None
    query: str | None
    fragment: str | None


def _units(text: str, index: int) -> int:
    return len(text[:index].encode("utf-16-le", "surrogatepass")) // 2


def _check(pattern: re.Pattern[str], text: str, start: int, end: int, what: str) -> None:
    stop = pattern.match(text, start, end).end()  # type: ignore[union-attr]  # matches the empty text too
    if stop < end:
        _refuse(text, stop, what)


def _refuse(text: str, at: int, what: str) -> None:
    raise BadUri("Malformed escape pair" if text[at] == "%" else f"Illegal character in {what}", text, at)


def check_uric(text: str, start: int, what: str, *, whole: bool = False) -> int:
    """Check query or fragment characters up to the end, or to a ``#`` unless ``whole``; gives where it stopped."""
    stop = _URIC.match(text, start).end()  # type: ignore[union-attr]
    if stop < len(text) and (whole or text[stop] != "#"):
        _refuse(text, stop, what)
    return stop


def parse(text: str) -> Uri:
    """Raises :class:`BadUri`."""
    if not text:
        return Uri(None, None, None, "", None, None)
    size = len(text)
    scheme, pos = None, 0
    first = _DELIMITER.search(text)
    if first is not None and first[0] == ":":
        pos = first.start()
        if pos == 0:
            raise BadUri("Expected scheme name", text, 0)
        stop = found.end() if (found := _SCHEME.match(text, 0, pos)) else 0
        if stop < pos:
            _refuse(text, stop, "scheme name")
        scheme = text[:pos]
        pos += 1
        if text[pos : pos + 1] != "/":
            end = text.find("#", pos)
            end = size if end < 0 else end
            if end <= pos:
                raise BadUri("Expected scheme-specific part", text, pos)
            _check(_URIC, text, pos, end, "opaque part")
            return Uri(scheme, None, None, None, None, _fragment(text, end))
    host: str | None = None
    port: int | None = None
    if text.startswith("//", pos):
        pos += 2
        end = _until(_AUTHORITY_END, text, pos)
        if end > pos:
            host, port = _authority(text, pos, end)
            pos = end
        elif end == size:
            raise BadUri("Expected authority", text, pos)
    end = _until(_PATH_END, text, pos)
    _check(_PATH, text, pos, end, "path")
    path, query = text[pos:end], None
    if text[end : end + 1] == "?":
        pos, end = end + 1, check_uric(text, end + 1, "query")
        query = text[pos:end]
    return Uri(scheme, host, port, path, query, _fragment(text, end))


def _until(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.search(text, start)
    return found.start() if found else len(text)


def _fragment(text: str, pos: int) -> str | None:
    if pos >= len(text):
        return None
    check_uric(text, pos + 1, "fragment", whole=True)
    return text[pos + 1 :]


def _authority(text: str, start: int, end: int) -> tuple[str | None, int | None]:
    """Host and port, or neither for an authority that only names a registry (``ex_ample.com``, ``a..com``)."""
    server = _SERVER_PERCENT if "]" in text[start:end] else _SERVER
    registry_stop = _REG_NAME.match(text, start, end).end()  # type: ignore[union-attr]
    server_stop = server.match(text, start, end).end()  # type: ignore[union-attr]
    if server_stop < end:
        if registry_stop < end:
            _refuse(text, registry_stop if text[registry_stop] == "%" else server_stop, "authority")
        return None, None
    try:
        return _server(text, start, end)
    except BadUri:
        if registry_stop < end:
            raise
        return None, None


def _server(text: str, start: int, end: int) -> tuple[str, int | None]:
    pos = start
    at = text.find("@", pos, end)
    if at >= 0:
        _check(_USERINFO, text, pos, at, "user info")
        pos = at + 1
    if text.startswith("[", pos):
        close = text.find("]", pos, end)
        if close <= pos + 1:
            raise BadUri("Expected closing bracket for IPv6 address", text, end if close < 0 else close)
        address = text[pos + 1 : close].partition("%")[0]
        if not _IPV6.fullmatch(address) or ":" not in address:
            raise BadUri("Malformed IPv6 address", text, pos + 1)
        host, pos = text[pos : close + 1], close + 1
    else:
        host = _ipv4(text, pos, end) or _hostname(text, pos, end)
        pos += len(host)
    port: int | None = None
    if text.startswith(":", pos) and pos < end:
        digits = text[pos + 1 : end]
        if digits:
            if not (digits.isascii() and digits.isdigit()):
                raise BadUri("Illegal character in port number", text, pos + 1)
            if len(digits) > 10 or int(digits) > 2**31 - 1:
                raise BadUri("Malformed port number", text, pos + 1)
            port = int(digits)
        pos = end
    if pos < end:
        raise BadUri("Expected end of authority", text, pos)
    return host, port


def _ipv4(text: str, pos: int, end: int) -> str | None:
    found = _IPV4.match(text, pos, end)
    return found[0] if found and all(int(part) <= 255 for part in found[0].split(".")) else None


def _hostname(text: str, start: int, end: int) -> str:
    pos, last = start, -1
    while pos < end and (found := _LABEL.match(text, pos, end)):
        last, pos = pos, found.end()
        if text[pos - 1] == "-":
            raise BadUri("Illegal character in hostname", text, pos - 1)
        if pos < end and text[pos] == ".":
            pos += 1
        else:
            break
    if pos < end and text[pos] != ":":
        raise BadUri("Illegal character in hostname", text, pos)
    if last < 0:
        raise BadUri("Expected hostname", text, start)
    if last > start and not text[last].isalpha():
        raise BadUri("Illegal character in hostname", text, last)
    return text[start:pos]
