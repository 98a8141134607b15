"""Instants as text. Inside the pipeline an instant is an ``int``: milliseconds since the epoch, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_MS = -62167219200000  # 0000-01-01T00:00:00.000Z, the first instant that enrich takes from a tracker
MAX_MS = 253402300799999  # 9999-12-31T23:59:59.999Z
_CYCLE_MS = 146_097 * 86_400_000  # the calendar repeats every 400 years
_YEAR_ONE_MS = -62135596800000  # Python's calendar starts here; year 0 is written by hand below
_FAR_YEAR = re.compile(r"(0000|[+-]\d{4,9}|\d{5,9})(-\d\d-\d\d[T ].+)", re.ASCII | re.DOTALL)


@lru_cache(maxsize=4096)
def _second_text(second: int) -> str:
    if second * 1000 < _YEAR_ONE_MS:  # year 0 is a leap year, like year 4
        return "0000" + (_EPOCH + timedelta(seconds=second + 126_230_400)).strftime("-%m-%d %H:%M:%S")
    moment = _EPOCH + timedelta(seconds=second)
    return f"{moment.year:04d}{moment.strftime('-%m-%d %H:%M:%S')}"


def tsv_text(ms: int) -> str:
    """``yyyy-MM-dd HH:mm:ss.SSS``, as in the enriched TSV. Any instant: years beyond 9999 take the digits they need and
    years before 0 a minus sign, as Joda-Time writes them."""
    if not MIN_MS <= ms <= MAX_MS:
        cycles, within = divmod(ms, _CYCLE_MS)
        text = tsv_text(within)  # a year from 1970 to 2369, with the calendar of the wanted one
        year = int(text[:4]) + 400 * cycles
        return f"{'-' if year < 0 else ''}{abs(year):04d}{text[4:]}"
    second, milli = divmod(ms, 1000)
    return f"{_second_text(second)}.{milli:03d}"


def iso_text(ms: int) -> str:
    """``yyyy-MM-ddTHH:mm:ss.SSSZ``: always three digits of fraction."""
    return tsv_text(ms).replace(" ", "T") + "Z"


def instant_text(ms: int) -> str:
    """As Java prints an Instant: no fraction when it is zero, else three digits; a plus sign before a long year."""
    text = iso_text(ms) if ms <= MAX_MS else f"+{iso_text(ms)}"
    return text[:-5] + "Z" if text.endswith(".000Z") else text


def parse_ms(text: str) -> int:
    """Read the TSV or ISO form back, without what is below a millisecond. Raises ``ValueError``."""
    found = _FAR_YEAR.fullmatch(text)
    if found is not None:  # not in Python's calendar: read it 400 years, or a multiple, away from there
        cycles, year = divmod(int(found[1]), 400)
        return parse_ms(f"{2000 + year}{found[2]}") + (cycles - 5) * _CYCLE_MS
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
