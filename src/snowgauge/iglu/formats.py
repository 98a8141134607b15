"""The string formats that validation knows, with the pattern that a failure shows (networknt's built-in formats)."""

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
_DATE = re.compile(r"(-?\d{4}|[+-]\d{5,9})-(\d\d)-(\d\d)", re.ASCII)


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
    return found is not None and found[1] != "-0000" and _real_day(int(found[1]), int(found[2]), int(found[3]))


_WORD = r"(?:(?:\\.|[^\s\x00-\x1f\x7f()<>@,;:'\\\".\[\]]|')+|\"(?:\\\"|[^\"])*\")"
_LOCAL = re.compile(rf"{_WORD}(?:\.{_WORD})*")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?:[a-zA-Z]{{2,63}}|[xX][nN]--[a-zA-Z0-9-]{{1,59}})\.?", re.ASCII)


def is_email(text: str) -> bool:
    """Commons Validator's rules, with the top-level domains of today: its list of 2018 refuses addresses that exist."""
    local, at, domain = text.strip(" \t\n\x0b\f\r").rpartition("@")
    if not at or not 0 < len(local) <= 64 or not _LOCAL.fullmatch(local):
        return False
    if domain.startswith("[") and domain.endswith("]"):
        inner = domain[1:-1]
        return is_ipv4(inner) or is_ipv6(inner.removeprefix("IPv6:"))
    try:
        plain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    if len(plain) > 253 or not _DOMAIN.fullmatch(plain):
        return False
    return plain.removesuffix(".").rpartition(".")[2].lower() in _top_level_domains()


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
    r"[+-]?P(?=\d|T\d|[+-]\d|T[+-]\d)(?:[+-]?\d+Y)?(?:[+-]?\d+M)?(?:[+-]?\d+W)?(?:[+-]?\d+D)?"
    r"(?:T(?=[+-]?\d)(?:[+-]?\d+H)?(?:[+-]?\d+M)?(?:[+-]?\d+(?:\.\d{0,9})?S)?)?",
    re.ASCII,
)
_COLOURS = "aqua|black|blue|fuchsia|gray|green|lime|maroon|navy|olive|orange|purple|red|silver|teal|white|yellow"

_RGB = r"rgb\(\s*\d{1,3}%?\s*(?:,\s*\d{1,3}%?\s*){2}\)"

_SHOWN_OCTET = r"([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
_SHOWN_LABEL = r"([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])"
_SHOWN_COLOURS = "|".join(f"({name})" for name in _COLOURS.split("|"))
_SHOWN_RGB = r"(rgb\(\s*" + r"\s*,\s*".join([rf"\b{_SHOWN_OCTET}\b"] * 3) + r"\s*\))"
_SHOWN_PERCENT = r"(rgb\(\s*" + r"\s*,\s*".join([r"(\d?\d%|100%)+"] * 3) + r"\s*\))"

FORMATS: dict[str, Format] = {
    "date-time": Format(is_date_time),
    "date": Format(is_date),
    "time": _by_pattern(r"\d{2}:\d{2}:\d{2}(?:\.\d+)?"),
    "uuid": Format(is_uuid, "^" + "-".join(rf"\p{{XDigit}}{{{digits}}}" for digits in (8, 4, 4, 4, 12)) + "$"),
    "email": Format(is_email),
    "duration": Format(lambda text: _PERIOD.fullmatch(text) is not None),
    "ipv4": _by_pattern(_IPV4.pattern, rf"^({_SHOWN_OCTET}\.){{3}}{_SHOWN_OCTET}$"),
    "ip-address": _by_pattern(
        r"(?:0*(?:25[0-5]|2[0-4]\d|1?\d?\d))(?:\.0*(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}",
        r"^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$",
    ),
    "ipv6": Format(is_ipv6),
    "uri": _by_pattern(r"[a-zA-Z][a-zA-Z0-9+.-]*:[a-zA-Z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*"),
    "hostname": _by_pattern(rf"{_LABEL}(?:\.{_LABEL})*", rf"^{_SHOWN_LABEL}(\.{_SHOWN_LABEL})*$"),
    "phone": _by_pattern(r"\+(?:\d ?){6,14}\d", r"^\+(?:[0-9] ?){6,14}[0-9]$"),
    "alpha": _by_pattern(r"[a-zA-Z]+", "^[a-zA-Z]+$"),
    "alphanumeric": _by_pattern(r"[a-zA-Z0-9]+", "^[a-zA-Z0-9]+$"),
    "utc-millisec": _by_pattern(r"\d+(?:\.\d*)?", r"^[0-9]+(\.?[0-9]+)?$"),
    "color": _by_pattern(
        rf"#?(?:[0-9a-fA-F]{{3}}|[0-9a-fA-F]{{6}})|{_COLOURS}|{_RGB}",
        rf"(#?([0-9A-Fa-f]{{3,6}})\b)|{_SHOWN_COLOURS}|{_SHOWN_RGB}|{_SHOWN_PERCENT}",
    ),
    "style": _by_pattern(r"(?:[^:;]+:[^;]+;)*[^:;]+:[^;]+;?\s*", r"\s*(.+?):\s*([^;]+);?"),
}

CALLBACKS: dict[str, Callable[[str], bool]] = {name: each.accepts for name, each in FORMATS.items()}
