"""The string formats that validation knows, with the pattern that a failure shows.

They accept what networknt's json-schema-validator 1.5.8 accepts, with which enrich 6.10 validates (its answers to the
values of tests/iglu/conformance/formats.json were compared). docs/guide/schema-registry.md says where they differ.
"""

from __future__ import annotations

import ipaddress
import re
from calendar import monthrange
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files

import msgspec


class Format(msgspec.Struct, frozen=True):
    """``shown`` is the pattern that reports show, as networknt 1.5.8 has it: empty for formats that it has no pattern
    for. What is accepted is decided by ``accepts``."""

    accepts: Callable[[str], bool]
    shown: str = ""


def _by_pattern(pattern: str, shown: str = "") -> Format:
    matches = re.compile(pattern, re.ASCII).fullmatch
    return Format(lambda text: matches(text) is not None, shown)


_DATE_TIME = re.compile(
    r"(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d{1,9})?"
    r"(?:[Zz]|([+-])(0\d|1[0-8]):([0-5]\d))",
    re.ASCII,
)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_TIME = re.compile(
    r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d{1,9})?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII
)


def _real_day(year: int, month: int, day: int) -> bool:
    # the calendar repeats after 400 years, and Python's begins with year 1
    return 1 <= month <= 12 and 1 <= day <= monthrange(2000 + year % 400, month)[1]


def is_date_time(text: str) -> bool:
    """RFC 3339 with a mandatory zone; ``-00:00`` (zone unknown) is refused, second 60 only where one was inserted."""
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return False
    year, month, day, hour, minute, second, sign, ahead, ahead_minutes = found.groups()
    if day > "28" and not _real_day(int(year), int(month), int(day)):
        return False
    offset = 0
    if sign is not None:
        offset = int(ahead) * 60 + int(ahead_minutes)
        if offset > 18 * 60 or (sign == "-" and offset == 0):
            return False
        offset = offset if sign == "+" else -offset
    return second != "60" or _leap_second(int(month), int(day), int(hour) * 60 + int(minute) - offset)


def _leap_second(month: int, day: int, minutes: int) -> bool:
    """Whether the minute, in UTC, is the last of June or December. ``minutes`` may lie outside its day."""
    if minutes == 1439:
        return (month, day) in ((6, 30), (12, 31))
    if minutes == -1:
        return (month, day) in ((7, 1), (1, 1))
    if minutes == 2879:
        return (month, day) in ((6, 29), (12, 30))
    return False


def is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    return found is not None and _real_day(int(found[1]), int(found[2]), int(found[3]))


def is_time(text: str) -> bool:
    """RFC 3339 with a mandatory zone; second 60 only in the last minute of a day in UTC."""
    found = _TIME.fullmatch(text)
    if found is None:
        return False
    hour, minute, second, sign, ahead, ahead_minutes = found.groups()
    offset = int(f"{sign}1") * (int(ahead) * 60 + int(ahead_minutes)) if sign is not None else 0
    return second != "60" or (int(hour) * 60 + int(minute) - offset) % 1440 == 1439


_WORD = r"(?:(?:\\.|[^\s\x00-\x1f\x7f()<>@,;:'\\\".\[\]]|')+|\"(?:\\\"|[^\"])*\")"
_LOCAL = re.compile(rf"{_WORD}(?:\.{_WORD})*")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}", re.ASCII)
_LOCAL_DOMAINS = frozenset(["localhost", "localdomain"])


def is_email(text: str) -> bool:
    """Commons Validator's rules with local names and bare top-level domains, and the top-level domains of today: its
    list of 2018 refuses addresses that exist."""
    local, at, domain = text.rpartition("@")
    if not at or not 0 < len(local) <= 64 or not _LOCAL.fullmatch(local):
        return False
    if domain.startswith("[") and domain.endswith("]"):
        inner = domain[1:-1]
        return is_ipv4(inner) or is_ipv6(inner.removeprefix("IPv6:").partition("%")[0])
    try:
        plain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    if len(plain) > 253 or not _NAME.fullmatch(plain):
        return False
    name, _, last = plain.lower().rpartition(".")
    return not name or last in _LOCAL_DOMAINS or last in _top_level_domains()


@lru_cache(maxsize=1)
def _top_level_domains() -> frozenset[str]:
    text = files("snowgauge.iglu").joinpath("top_level_domains.txt").read_text("ascii")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)


def is_ipv4(text: str) -> bool:
    return _IPV4.fullmatch(text) is not None


def is_ipv6(text: str) -> bool:
    if "%" in text or not text.isascii():
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


_PERIOD = re.compile(
    r"P(?:\d+W|(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)",
    re.ASCII | re.IGNORECASE,
)

_ESCAPED = r"%[0-9a-fA-F]{2}"
_PATH = rf"(?:[a-zA-Z0-9\-._~:/@!$&'()*+,;=]|{_ESCAPED})*"
_QUERY = rf"(?:[a-zA-Z0-9\-._~:/?@!$&'()*+,;=]|{_ESCAPED})*"
_FRAGMENT = rf"(?:[a-zA-Z0-9\-._~:/?\[\]@!$&'()*+,;=]|{_ESCAPED})*"
_OPAQUE = rf"(?:[a-zA-Z0-9\-._~:?@!$&'()*+,;=\[\]]|{_ESCAPED})(?:[a-zA-Z0-9\-._~:/?\[\]@!$&'()*+,;=]|{_ESCAPED})*"
_HOST = rf"(?:[a-zA-Z0-9\-._~:@!$&'()*+,;=]|{_ESCAPED})*"
_AUTHORITY = rf"(?:{_HOST}|(?:[a-zA-Z0-9\-._~:!$&'()*+,;=]*@)?\[([0-9a-fA-F:.]+)\](?::\d*)?)"
_HIERARCHY = rf"(?://{_AUTHORITY}(?=[/?#]|$))?{_PATH}(?:\?{_QUERY})?(?:\#{_FRAGMENT})?"
_SCHEME = r"[a-zA-Z][a-zA-Z0-9+.-]*:"
_URI = re.compile(rf"{_SCHEME}(?:(?=/){_HIERARCHY}|{_OPAQUE}(?:\#{_FRAGMENT})?)", re.ASCII)
_REFERENCE = re.compile(rf"(?![^/?#]*:){_HIERARCHY}", re.ASCII)
_BARE = re.compile(r"[A-Za-z0-9+.-]+:(?://)?|//", re.ASCII)


def is_uri(text: str) -> bool:
    """Absolute, as java.net.URI reads it, in ASCII; a scheme alone will do."""
    if _BARE.fullmatch(text):
        return True
    found = _URI.fullmatch(text)
    return found is not None and (found[1] is None or is_ipv6(found[1]))


def is_uri_reference(text: str) -> bool:
    found = _REFERENCE.fullmatch(text)
    return is_uri(text) or (found is not None and (found[1] is None or is_ipv6(found[1])))


_COLOURS = "aqua|black|blue|fuchsia|gray|green|lime|maroon|navy|olive|orange|purple|red|silver|teal|white|yellow"

_SHOWN_OCTET = r"([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
_SHOWN_LABEL = r"([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])"
_SHOWN_COLOURS = "|".join(f"({name})" for name in _COLOURS.split("|"))
_SHOWN_RGB = r"(rgb\(\s*" + r"\s*,\s*".join([rf"\b{_SHOWN_OCTET}\b"] * 3) + r"\s*\))"
_SHOWN_PERCENT = r"(rgb\(\s*" + r"\s*,\s*".join([r"(\d?\d%|100%)+"] * 3) + r"\s*\))"

_POINTER = r"(?:/(?:[^/#~]|~(?=[01]))*)*"

FORMATS: dict[str, Format] = {
    "date-time": Format(is_date_time),
    "date": Format(is_date),
    "time": Format(is_time),
    "uuid": Format(is_uuid, "^" + "-".join(rf"\p{{XDigit}}{{{digits}}}" for digits in (8, 4, 4, 4, 12)) + "$"),
    "email": Format(is_email),
    "duration": Format(lambda text: _PERIOD.fullmatch(text) is not None),
    "ipv4": _by_pattern(_IPV4.pattern, rf"^({_SHOWN_OCTET}\.){{3}}{_SHOWN_OCTET}$"),
    "ip-address": _by_pattern(
        r"(?:(?:25[0-5]|2[0-4]\d|[01]?\d\d?)\.){3}(?:25[0-5]|2[0-4]\d|[01]?\d\d?)",
        r"^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$",
    ),
    "ipv6": Format(is_ipv6),
    "uri": Format(is_uri),
    "uri-reference": Format(is_uri_reference),
    "json-pointer": _by_pattern(_POINTER, "^(/([^/#~]|[~](?=[01]))*)*$"),
    "relative-json-pointer": _by_pattern(
        rf"(?:0|[1-9]\d*)(?:#|{_POINTER})", r"^(0|([1-9]\d*))(#|(/([^/#~]|[~](?=[01]))*)*)$"
    ),
    "hostname": _by_pattern(rf"{_LABEL}(?:\.{_LABEL})*", rf"^{_SHOWN_LABEL}(\.{_SHOWN_LABEL})*$"),
    "phone": _by_pattern(r"\+(?:\d ?){6,14}\d", r"^\+(?:[0-9] ?){6,14}[0-9]$"),
    "alpha": _by_pattern(r"[a-zA-Z]+", "^[a-zA-Z]+$"),
    "alphanumeric": _by_pattern(r"[a-zA-Z0-9]+", "^[a-zA-Z0-9]+$"),
    "utc-millisec": _by_pattern(r"\d+(?:\.?\d+)?", r"^[0-9]+(\.?[0-9]+)?$"),
    "color": _by_pattern(
        rf"#?[0-9a-fA-F]{{3,6}}|{_COLOURS}|rgb\(\s*{_OCTET}(?:\s*,\s*{_OCTET}){{2}}\s*\)"
        r"|rgb\(\s*(?:\d?\d%|100%)+(?:\s*,\s*(?:\d?\d%|100%)+){2}\s*\)",
        rf"(#?([0-9A-Fa-f]{{3,6}})\b)|{_SHOWN_COLOURS}|{_SHOWN_RGB}|{_SHOWN_PERCENT}",
    ),
    "style": _by_pattern(r"\s*(?:.+?):\s*(?:[^;]+);?", r"\s*(.+?):\s*([^;]+);?"),
}

CALLBACKS: dict[str, Callable[[str], bool]] = {name: each.accepts for name, each in FORMATS.items()}
