"""The string formats that validation knows, with how each failure is reported (networknt's built-in formats)."""

from __future__ import annotations

import ipaddress
import re
from calendar import monthrange
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

Style = Literal["pattern", "dateTime", "uuid", "value"]


class Format(msgspec.Struct, frozen=True):
    """``report`` names the shape of the error report; ``shown`` is the pattern that a ``pattern`` report shows."""

    accepts: Callable[[str], bool]
    report: Style = "pattern"
    shown: str = ""


def _by_pattern(pattern: str, shown: str | None = None) -> Format:
    matches = re.compile(pattern, re.ASCII).fullmatch
    return Format(lambda text: matches(text) is not None, "pattern", shown or f"^{pattern}$")


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

FORMATS: dict[str, Format] = {
    "date-time": Format(is_date_time, "dateTime"),
    "date": Format(is_date, "dateTime"),
    "time": _by_pattern(r"\d{2}:\d{2}:\d{2}(?:\.\d+)?"),
    "uuid": Format(is_uuid, "uuid"),
    "email": Format(is_email, "value"),
    "duration": Format(lambda text: _PERIOD.fullmatch(text) is not None, "value"),
    "ipv4": _by_pattern(_IPV4.pattern),
    "ip-address": _by_pattern(r"(?:0*(?:25[0-5]|2[0-4]\d|1?\d?\d))(?:\.0*(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}"),
    "ipv6": Format(is_ipv6, "pattern", "RFC 4291"),
    "uri": _by_pattern(r"[a-zA-Z][a-zA-Z0-9+.-]*:[a-zA-Z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*"),
    "hostname": _by_pattern(rf"{_LABEL}(?:\.{_LABEL})*"),
    "phone": _by_pattern(r"\+(?:\d ?){6,14}\d"),
    "alpha": _by_pattern(r"[a-zA-Z]+"),
    "alphanumeric": _by_pattern(r"[a-zA-Z0-9]+"),
    "utc-millisec": _by_pattern(r"\d+(?:\.\d*)?"),
    "color": _by_pattern(rf"#?(?:[0-9a-fA-F]{{3}}|[0-9a-fA-F]{{6}})|{_COLOURS}|{_RGB}"),
    "style": _by_pattern(r"(?:[^:;]+:[^;]+;)*[^:;]+:[^;]+;?\s*"),
}  # fmt: skip

CALLBACKS: dict[str, Callable[[str], bool]] = {name: each.accepts for name, each in FORMATS.items()}
