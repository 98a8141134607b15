"""Umami's export: a ZIP with ``website_event.csv``, a line for each page view and custom event, made into sums by day.

``created_at`` is UTC there; days are those of the application's reporting zone. Visitors are its sessions, visits its
visits; a visit is of the day of its first page view, and bounced when that is its only one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

from snowgauge.actions.imports.daily.lines import CsvFile
from snowgauge.actions.imports.daily.sums import Sums, Visited, day_of, device
from snowgauge.errors import ActionRefused

_NAME = "website_event.csv"
_OTHERS = ("session_data.csv", "event_data.csv")
_NEEDED = ("session_id", "created_at", "url_path")
_PAGE_VIEW, _CUSTOM_EVENT = "1", "2"
MOST_EVENTS = 5_000_000
"""What is remembered of them takes about a hundred bytes each."""
_Get = Callable[[str], str]


class _Visit:
    """What is known of one visit so far."""

    __slots__ = ("entry", "exit", "first", "last", "of", "session", "views")

    def __init__(self, at: float, session: str, path: str, of: tuple[tuple[str, dict[str, str]], ...]) -> None:
        self.first = self.last = at
        self.session = session
        self.entry = self.exit = path
        self.of = of
        self.views = 0


class _Days:
    """The visits of all files, and who was where on which day."""

    def __init__(self, sums: Sums) -> None:
        self.sums = sums
        self.visits: dict[str, _Visit] = {}
        self._seen: set[tuple[object, ...]] = set()
        self._events: set[bytes] = set()
        self._count = 0

    def repeated(self, event_id: str) -> bool:
        """Was the event there before, in this file or in another that overlaps with it?"""
        self._count += 1
        if self._count > MOST_EVENTS:
            raise ActionRefused(f"more than {MOST_EVENTS:,} events: import fewer days at a time", status=422)
        if not event_id:
            return False
        key = blake2b(event_id.encode(), digest_size=12).digest()
        if key in self._events:
            return True
        self._events.add(key)
        return False

    def once(self, *what: object) -> int:
        """1 the first time, then 0: counts distinct visitors and visits."""
        if what in self._seen:
            return 0
        self._seen.add(what)
        return 1

    def view(self, get: _Get, at: float, day: int) -> None:
        session, path = get("session_id"), self.sums.page(get("url_path"))
        key = get("visit_id") or session
        visit = self.visits.get(key)
        if visit is None or at < visit.first:
            made = _Visit(at, session, path, _described(get, self.sums))
            if visit is not None:
                made.last, made.exit, made.views = visit.last, visit.exit, visit.views
            visit = self.visits[key] = made
        if at >= visit.last:
            visit.last, visit.exit = at, path
        visit.views += 1
        host = get("hostname").lower()
        counts = {
            "views": 1,
            "visitors": self.once(day, host, path, "visitor", session),
            "visits": self.once(day, host, path, "visit", key),
        }
        self.sums.add(day, "pages", {"page_urlhost": host, "page_path": path}, counts)

    def event(self, get: _Get, day: int) -> None:
        name = get("event_name")
        visitors = self.once(day, name, "event", get("session_id"))
        self.sums.add(day, "events", {"event_name": name}, {"events": 1, "visitors": visitors})

    def settle(self, zone: ZoneInfo) -> None:
        """The sums of visits."""
        for visit in self.visits.values():
            day = _day(visit.first, zone)
            counts = {"visits": 1, "views": visit.views, "bounces": int(visit.views == 1),
                      "duration_s": round(visit.last - visit.first)}  # fmt: skip
            pages = (("entry_pages", {"entry_path": visit.entry}), ("exit_pages", {"exit_path": visit.exit}))
            for report, values in (("visits", {}), *visit.of, *pages):
                visitors = self.once(day, report, *values.values(), visit.session)
                self.sums.add(day, report, values, {**counts, "visitors": visitors})


def take(files: Iterable[CsvFile], sums: Sums) -> None:
    """Raises ``ActionRefused`` with file, line and value."""
    zone = sums.application.zone_info
    days = _Days(sums)
    count = 0
    for file in files:
        if file.name in _OTHERS:  # properties of events and sessions: nothing is summed by them
            continue
        if file.name != _NAME:
            raise ActionRefused(f"{file.name} is not part of Umami's export: expected {_NAME}", status=422)
        count += 1
        _read(file, days, zone)
    if not count:
        raise ActionRefused(f"there is no {_NAME} in it", status=422)
    days.settle(zone)


def _read(file: CsvFile, days: _Days, zone: ZoneInfo) -> None:
    _, header = next(file.lines, (0, []))
    columns = {name.strip().lower(): at for at, name in enumerate(header)}
    if missing := [name for name in _NEEDED if name not in columns]:
        raise ActionRefused(f"{file.place(1)}: there is no column {missing[0]}", status=422)
    for line, cells in file.lines:
        if not cells:
            continue
        place = file.place(line)
        if len(cells) != len(header):
            raise ActionRefused(f"{place}: {len(cells)} cells, and the header has {len(header)}", status=422)

        def get(name: str, cells: list[str] = cells) -> str:
            value = cells[columns[name]].strip() if name in columns else ""
            return "" if value == "\\N" else value

        if days.repeated(get("event_id")):
            continue
        at = _instant(get("created_at"), place)
        day = _day(at, zone)
        kind = get("event_type") or _PAGE_VIEW
        if kind == _PAGE_VIEW:
            days.view(get, at, day)
        elif kind == _CUSTOM_EVENT:
            days.event(get, day)


def _described(get: _Get, sums: Sums) -> tuple[tuple[str, dict[str, str]], ...]:
    """Report -> its values, of a visit's first page view."""
    region = get("region").upper()
    country = get("country").upper()
    return (
        ("sources", sums.origin(
            Visited(
                "", get("referrer_domain").lower(), get("referrer_path"), get("utm_medium"), get("utm_source"),
                get("utm_campaign"), get("utm_content"), get("utm_term"),
            )
        )),
        ("locations", {"geo_country": country, "geo_region": region.removeprefix(f"{country}-"),
                       "geo_city": get("city")}),
        ("devices", {"dvce_type": device(get("device"))}),
        ("browsers", {"br_family": get("browser"), "br_version": ""}),
        ("systems", {"os_family": get("os"), "os_version": ""}),
    )  # fmt: skip


def _instant(text: str, place: str) -> float:
    """Seconds since 1970. Raises ``ActionRefused``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ActionRefused(f"{place}: {text[:60]!r} is no time such as 2026-03-01 10:00:00", status=422) from None
    day_of(text[:10], place)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _day(at: float, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(at, zone).date().toordinal() - datetime(1970, 1, 1).toordinal()
