"""User agent client hints of a request: what ``Sec-CH-UA*`` headers say, which is newer than the user agent string."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_PREFIX = "sec-ch-ua"
_LONGEST, _MOST = 500, 20  # more is no browser's
_BRAND = re.compile(r'"((?:[^"\\]|\\.)*)"\s*;\s*v\s*=\s*"?([^",;]*)"?')
_GREASE = re.compile(r"not.{0,4}a.{0,4}brand", re.IGNORECASE | re.DOTALL)


class ClientHints(msgspec.Struct, frozen=True):
    """Hints as sent, unquoted; ``None`` where absent. ``brands`` are (name, version) without the made-up ones."""

    mobile: bool | None = None
    platform: str | None = None
    platform_version: str | None = None
    model: str | None = None
    architecture: str | None = None
    bitness: str | None = None
    brands: tuple[tuple[str, str], ...] = ()
    full_version: str | None = None


NOTHING = ClientHints()


def hint_lines(headers: Sequence[str]) -> tuple[str, ...]:
    """The headers that are client hints; the same lines give the same hints, so they serve as a cache key."""
    return tuple([line[:_LONGEST] for line in headers if line[:9].lower() == _PREFIX][:_MOST])


def read(lines: tuple[str, ...]) -> ClientHints:
    """Hints of ``Name: value`` lines; what is malformed counts as absent."""
    if not lines:
        return NOTHING
    values: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        values[name.strip().lower()] = value.strip()
    brands = values.get("sec-ch-ua-full-version-list") or values.get("sec-ch-ua") or ""
    return ClientHints(
        mobile={"?1": True, "?0": False}.get(values.get("sec-ch-ua-mobile", "")),
        platform=_text(values.get("sec-ch-ua-platform")),
        platform_version=_text(values.get("sec-ch-ua-platform-version")),
        model=_text(values.get("sec-ch-ua-model")),
        architecture=_text(values.get("sec-ch-ua-arch")),
        bitness=_text(values.get("sec-ch-ua-bitness")),
        brands=tuple((n, v) for n, v in _BRAND.findall(brands) if not _GREASE.search(n)),
        full_version=_text(values.get("sec-ch-ua-full-version")),
    )


def _text(value: str | None) -> str | None:
    text = (value or "").strip().strip('"').strip()
    return text or None
