"""Rows of ``user_days``, ``web_vitals`` and ``app_errors``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from snowgauge.modelling.entities import APPLICATIONS, Data, first, number_of, text_of
from snowgauge.modelling.making.unit import Made, Row, device_of

_VITALS = ("lcp", "fcp", "inp", "ttfb", "fid", "cls")


def user_days(made: Made, conversions: Sequence[Row]) -> list[Row]:
    """What the session adds to its person's days. Without a session there is no person to count."""
    if not made.events[0].session_id:
        return []
    zone = made.rules.application.zone_info
    counts: Counter[tuple[str, int, str]] = Counter()
    days: dict[int, int] = {}

    def day_of(t: int) -> int:
        # offsets are whole quarters of an hour, so such a quarter has one day
        quarter = t // 900_000
        if quarter not in days:
            local = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone)
            days[quarter] = local.date().toordinal() - _EPOCH
        return days[quarter]

    for event in made.events:
        if not event.is_ping:
            counts[(event.app_id, day_of(event.t), event.name)] += 1
    for row in conversions:
        counts[(row["app_id"], day_of(row["t"]), f"goal:{row['goal']}")] += 1
    return [
        {
            "app_id": app_id,
            "day": day,
            "event_name": name,
            "session_id": made.events[0].session_id,
            "n": n,
            "is_bot": made.is_bot,
            "unit": made.unit,
        }
        for (app_id, day, name), n in counts.items()
    ]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date().toordinal()


def web_vitals(made: Made) -> list[Row]:
    """One row for each view: of its first web_vitals event."""
    rows: dict[str, Row] = {}
    for event in made.events:
        view = event.view_id or event.id
        if event.name != "web_vitals" or view in rows:
            continue
        device = device_of(event)
        path = made.rules.page_path(event)
        rows[view] = {
            "event_id": event.id,
            "view_id": view,
            "session_id": event.session_id,
            "app_id": event.app_id,
            "t": event.t,
            "page_path": path,
            "content_group": made.rules.content_group(path),
            "dvce_type": device["dvce_type"],
            "br_family": device["br_family"],
            "geo_country": event.get("geo_country"),
            "navigation_type": text_of(event.data, "navigationType"),
            "is_bot": made.is_bot,
            "unit": made.unit,
            **{name: number_of(event.data, name) for name in _VITALS},
        }
    return list(rows.values())


def app_errors(made: Made) -> list[Row]:
    return [
        {
            "event_id": event.id,
            "t": event.t,
            "app_id": event.app_id,
            "session_id": event.session_id,
            "person_id": event.user_id or event.visitor_id,
            "message": text_of(event.data, "message")[:200],
            "class": text_of(event.data, "className", "exceptionName"),
            "file": text_of(event.data, "fileName"),
            "line": _line(event.data),
            "is_fatal": event.data.get("isFatal") is True,
            "page_path": made.rules.page_path(event),
            "app_version": text_of(first(event.entities, *APPLICATIONS), "version"),
            "unit": made.unit,
        }
        for event in made.events
        if event.name == "application_error"
    ]


def _line(data: Data) -> int | None:
    number = number_of(data, "lineNumber")
    return int(number) if number is not None and abs(number) < 2**31 else None
