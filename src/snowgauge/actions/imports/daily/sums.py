"""What an import is made of: sums by day, report and values. How they come from files is each product's own module."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import orjson

from snowgauge.errors import ActionRefused
from snowgauge.modelling.applications import Application
from snowgauge.modelling.channels.attribution import Landing
from snowgauge.modelling.making.rules import Rules
from snowgauge.modelling.tables.imported import FIGURES, REPORTS

MOST_ROWS = 5_000_000
LARGEST = 10**15
"""Larger figures are nonsense, and their sums would not fit."""
_LONGEST = 2_000
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST, _LAST = date(1990, 1, 1), date(2099, 12, 31)
_DEVICES = {"mobile": "Phone", "phone": "Phone", "laptop": "Desktop", "desktop": "Desktop", "tablet": "Tablet"}
"""Kinds of device by the names that other products have for them."""


class Visited(NamedTuple):
    """Where visits came from, as another product tells it."""

    source: str = ""
    referrer_host: str = ""
    referrer_path: str = ""
    medium: str = ""
    tag: str = ""
    campaign: str = ""
    content: str = ""
    term: str = ""


class Sums:
    """Collects rows; those with the same values are one row. Texts become what an application's own rules make of
    them."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self._rules = Rules(application)
        self._rows: dict[tuple[int, str, tuple[str, ...]], list[int]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, day: int, report: str, values: Mapping[str, str], figures: Mapping[str, int]) -> None:
        """``day``: since 1970. Raises ``ActionRefused`` beyond ``MOST_ROWS``."""
        key = (day, report, tuple(values.get(name, "")[:_LONGEST] for name in REPORTS[report].columns))
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= MOST_ROWS:
                raise ActionRefused(
                    f"an import has at most {MOST_ROWS:,} rows: import fewer days at a time", status=422
                )
            row = self._rows[key] = [0] * len(FIGURES)
        for at, name in enumerate(FIGURES):
            row[at] = min(row[at] + figures.get(name, 0), LARGEST)

    def page(self, path: str) -> str:
        """A path by the application's path rules."""
        return self._rules.path(path.partition("?")[0]) if path else ""

    def origin(self, visited: Visited) -> dict[str, str]:
        """The columns of the report ``sources``."""
        found = self._rules.landing(
            Landing(
                visited.medium, visited.tag, visited.campaign, "", "", visited.source, visited.referrer_host, "", ""
            )
        )
        return {
            "channel": found.channel,
            "source": found.source,
            "refr_urlhost": visited.referrer_host,
            "refr_urlpath": visited.referrer_path,
            "mkt_medium": visited.medium,
            "mkt_source": visited.tag,
            "mkt_campaign": visited.campaign,
            "mkt_content": visited.content,
            "mkt_term": visited.term,
        }

    def reports(self) -> dict[str, tuple[int, int]]:
        """Report -> its first and last day."""
        found: dict[str, tuple[int, int]] = {}
        for day, report, _ in self._rows:
            first, last = found.get(report, (day, day))
            found[report] = (min(first, day), max(last, day))
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of ``imported_days`` in an order that depends on nothing but them, without their import."""
        for line, (day, report, values) in enumerate(sorted(self._rows)):
            divided = zip(REPORTS[report].columns, values, strict=True)
            figures = zip(FIGURES, self._rows[day, report, values], strict=True)
            yield {"line": line, "day": day, "report": report, **dict(divided), **dict(figures)}

    def views(self) -> int:
        """Page views, by the report that knows most of them."""
        totals: dict[str, int] = {}
        at = FIGURES.index("views")
        for (_, report, _), row in self._rows.items():
            totals[report] = totals.get(report, 0) + row[at]
        return max(totals.values(), default=0)

    def digest(self, app_id: str) -> str:
        """The same for the same content, whatever files it came in."""
        hashed = hashlib.sha256(app_id.encode())
        for row in self.rows():
            hashed.update(orjson.dumps(row))
        return hashed.hexdigest()[:16]


def device(name: str) -> str:
    """A kind of device as our own events have it."""
    return _DEVICES.get(name.lower(), name)


def day_of(text: str, place: str) -> int:
    """A date such as ``2026-03-01`` or ``20260301``, as days since 1970. Raises ``ActionRefused``."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise ActionRefused(f"{place}: {text[:60]!r} is no date such as 2026-03-01", status=422) from None
    if not _FIRST <= day <= _LAST:
        raise ActionRefused(f"{place}: {text[:60]!r} is no date between {_FIRST} and {_LAST}", status=422)
    return day.toordinal() - _EPOCH


def number(text: str, place: str) -> float:
    """A figure; an empty cell is 0. Raises ``ActionRefused``."""
    if not text.strip():
        return 0
    try:
        found = float(text.replace(",", "")) if not text.strip().isdigit() else int(text)
    except ValueError:
        found = -1
    if not 0 <= found <= LARGEST:
        raise ActionRefused(f"{place}: {text[:60]!r} is no figure of 0 or more", status=422)
    return found


def whole(text: str, place: str) -> int:
    """A count."""
    return round(number(text, place))
