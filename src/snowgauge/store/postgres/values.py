"""Values of entities as fields of ``COPY``'s text format, each fitting its column's type.

What does not fit raises :class:`Misfit`; nothing is cut. U+0000, which PostgreSQL cannot hold, is left out; lone
surrogates become ``?``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import inf, isfinite
from typing import Any
from uuid import UUID

import msgspec

from snowgauge.events.timestamps import tsv_text
from snowgauge.store.postgres.types import PgType

NULL = "\\N"
Convert = Callable[[Any], str]
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": None})
_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):?(\d\d))?", re.ASCII)
_YEAR_ONE = -62135596800000
_LAST = 253402300799999
MIN_TIME = -210866803200000
MAX_TIME = 9224318015999999
"""The instants that a TIMESTAMP holds, in ms: 4713 BC to 294276 AD."""
_MILLIS = tuple(f".{milli:03d}" for milli in range(1000))
_encode = msgspec.json.Encoder().encode


class Misfit(ValueError):
    """A value that its column cannot hold; the text says why."""


def escaped(text: str) -> str:
    """Any text as one field."""
    if "\\" not in text and text.isprintable():  # nearly all
        return text
    return text.translate(_ESCAPES)


def pg_time(ms: int) -> str:
    """An instant as PostgreSQL reads it. Raises ``Misfit`` outside of its calendar."""
    if 0 <= ms <= _LAST:
        return _second(ms // 1000) + _MILLIS[ms % 1000]
    if not MIN_TIME <= ms <= MAX_TIME:
        raise Misfit(f"{ms} ms is outside of the calendar of PostgreSQL")
    text = tsv_text(ms)
    if ms >= _YEAR_ONE:
        return text
    year, rest = re.fullmatch(r"(-?\d+)(-\d\d-.*)", text).groups()  # type: ignore[union-attr]
    return f"{1 - int(year):04d}{rest} BC"


@lru_cache(maxsize=100_000)
def _second(second: int) -> str:
    return tsv_text(second * 1000)[:-4]


def json_text(value: Any) -> str:
    """Compact JSON that JSONB takes."""
    try:
        text: str = _encode(value).decode()
    except UnicodeEncodeError:
        text = _encode(_plain(value)).decode()
    return _encode(_plain(value)).decode() if "\\u0000" in text else text


def _plain(value: Any) -> Any:
    """Without U+0000 and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def converter(kind: PgType) -> Convert:
    """How values go into a column of this type. Never called with ``None``."""
    if kind.kind in ("varchar", "char") and kind.size:
        return _sized(kind)
    return _CONVERTERS[kind.kind]


def _text(value: Any) -> str:
    return escaped(value if isinstance(value, str) else json_text(value))


def _sized(kind: PgType) -> Convert:
    size = kind.size

    def convert(value: Any) -> str:
        text = value if value.__class__ is str else json_text(value)
        if len(text) > size:
            raise Misfit(f"{len(text)} characters do not fit {kind.ddl}")
        return escaped(text)

    return convert


def _integer(low: int, high: int, name: str) -> Convert:
    def convert(value: Any) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Misfit(f"{_shown(value)} is no {name}")
        return str(value)

    return convert


def _double(value: Any) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Misfit(f"{_shown(value)} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = inf
    if not isfinite(number):
        raise Misfit(f"{_shown(value)} is beyond a double")
    return repr(number)


def _boolean(value: Any) -> str:
    if value is True:
        return "t"
    if value is False:
        return "f"
    raise Misfit(f"{_shown(value)} is no boolean")


def _timestamp(value: Any) -> str:
    """Any ISO instant, brought to UTC; without an offset it is UTC already. Microseconds are kept."""
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise Misfit(f"{_shown(value)} is no date-time")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction = (found[7] or ".")[1:7]
    if found[8] is None and second < 60 and year > 0:
        try:
            datetime(year, month, day, hour, minute, second)
        except ValueError as error:
            raise Misfit(f"{_shown(value)} is no date-time: {error}") from None
        return f"{found[1]}-{found[2]}-{found[3]} {found[4]}:{found[5]}:{found[6]}{'.' if fraction else ''}{fraction}"
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    try:
        # year 0 has the calendar of year 4; a leap second is the first of the next minute
        moment = datetime(year or 4, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        moment += timedelta(seconds=max(0, second - 59)) + (-offset if found[8] == "+" else offset)
    except (ValueError, OverflowError) as error:
        raise Misfit(f"{_shown(value)} is no date-time: {error}") from None
    shown = moment.year if year else moment.year - 4
    if second > 60:
        raise Misfit(f"{_shown(value)} is no date-time")
    text = f"{shown if shown > 0 else 1 - shown:04d}{moment.strftime('-%m-%d %H:%M:%S')}"
    return f"{text}{'.' if fraction else ''}{fraction}{' BC' if shown <= 0 else ''}"


def _date(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Misfit(f"{_shown(value)} is no date") from None


def _uuid(value: Any) -> str:
    try:
        return str(UUID(value))
    except (TypeError, ValueError, AttributeError):
        raise Misfit(f"{_shown(value)} is no UUID") from None


def _jsonb(value: Any) -> str:
    return escaped(json_text(value))


def _shown(value: Any) -> str:
    return json_text(value)[:100]


_CONVERTERS: dict[str, Convert] = {
    "varchar": _text,
    "char": _text,
    "text": _text,
    "other": _text,
    "uuid": _uuid,
    "integer": _integer(-(2**31), 2**31 - 1, "32-bit integer"),
    "bigint": _integer(-(2**63), 2**63 - 1, "64-bit integer"),
    "double": _double,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "date": _date,
    "jsonb": _jsonb,
}


def kept_text(value: str) -> str:
    """What is stored of a text: no U+0000, no lone surrogates."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()
