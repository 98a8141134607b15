"""What a session owes to its visitor's other sessions: who the person is, whether it is the first, where it goes on
from.

Made of modelled rows alone, without events, so that it holds for sessions whose events are gone, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from snowgauge.modelling.channels.attribution import DIRECT
from snowgauge.modelling.events import DAY_MS
from snowgauge.modelling.making.unit import MARKETING, Row

LOOKBACK_MS = 730 * DAY_MS
"""How far a log-in tells who used a device before and after (Snowplow's ``session_lookback_days``)."""

CONTINUED_MS = DAY_MS
MATCHED_MS = 30 * DAY_MS
"""A server-side conversion belongs to the person's last session that began within this before it."""

OF_VISITOR = (
    "unit", "session_id", "app_id", "visitor_id", "user_id", "person_id", "session_index", "is_new_visitor",
    "start_tstamp", "end_tstamp", "channel", "source", "is_continued",
)  # fmt: skip
"""Columns of ``sessions`` that ``stitch`` reads."""

STITCHED = ("person_id", "is_new_visitor", "channel", "source")
"""And those that it answers."""


def stitch(sessions: Sequence[Row]) -> dict[str, Row]:
    """Session id -> the ``STITCHED`` columns. ``sessions``: all of one visitor, with the columns ``OF_VISITOR``."""
    ordered = sorted(sessions, key=lambda row: (row["start_tstamp"], row["session_id"]))
    known = [(row["start_tstamp"], row["user_id"]) for row in ordered]
    found: dict[str, Row] = {}
    last: dict[str, Row] = {}
    for at, row in enumerate(ordered):
        channel, source = row["channel"], row["source"]
        if row["is_continued"]:
            before = last.get(row["app_id"])
            channel, source = DIRECT, ""
            if before is not None and row["start_tstamp"] - before["end_tstamp"] < CONTINUED_MS:
                channel, source = found[before["session_id"]]["channel"], found[before["session_id"]]["source"]
        index = row["session_index"]
        found[row["session_id"]] = {
            "person_id": row["user_id"] or _user(known, at) or row["visitor_id"],
            "is_new_visitor": index == 1 if index is not None else at == 0,
            "channel": channel,
            "source": source,
        }
        last[row["app_id"]] = row
    return found


def alone(row: Row) -> Row:
    """The same of a session without a visitor."""
    index = row["session_index"]
    return {
        "person_id": row["user_id"],
        "is_new_visitor": index == 1 if index is not None else True,
        "channel": DIRECT if row["is_continued"] else row["channel"],
        "source": "" if row["is_continued"] else row["source"],
    }


def _user(known: Sequence[tuple[int, str]], at: int) -> str:
    """The user_id used next after a session, else last before it."""
    start = known[at][0]
    for t, user in known[at + 1 :]:
        if t - start > LOOKBACK_MS:
            break
        if user:
            return user
    for t, user in reversed(known[:at]):
        if start - t > LOOKBACK_MS:
            break
        if user:
            return user
    return ""


def adopt(row: Row, table: str, session: Row) -> Row:
    """A row of a table as its session has it; the same row where nothing is to change."""
    wanted: Row = {"person_id": session["person_id"]}
    if table == "conversions":
        wanted |= {name: session[name] for name in ("channel", "source", "visitor_id", *MARKETING)}
    elif table == "page_views" and row["is_entry"] and session["is_continued"]:
        wanted |= {"channel": session["channel"], "source": session["source"]}
    return row if all(row.get(name) == value for name, value in wanted.items()) else row | wanted


IDENTITY = ("unit", "visitor_id", "user_id", "start_tstamp", "end_tstamp")


def identities(sessions: Sequence[Row]) -> list[Row]:
    """Rows of ``identities``, of the sessions of some visitors."""
    found: dict[tuple[str, str], Row] = {}
    for row in sessions:
        if not row["visitor_id"] or not row["user_id"]:
            continue
        one = found.setdefault(
            (row["visitor_id"], row["user_id"]),
            {
                "visitor_id": row["visitor_id"],
                "user_id": row["user_id"],
                "first_seen": row["start_tstamp"],
                "last_seen": row["end_tstamp"],
                "sessions": 0,
            },
        )
        one["first_seen"] = min(one["first_seen"], row["start_tstamp"])
        one["last_seen"] = max(one["last_seen"], row["end_tstamp"])
        one["sessions"] += 1
    return list(found.values())


_SUMMED = ("views", "events", "engaged_s", "duration_s", "conversions", "orders")
_ENDS = {
    "channel": "channel",
    "source": "source",
    "mkt_medium": "mkt_medium",
    "mkt_source": "mkt_source",
    "mkt_campaign": "mkt_campaign",
    "refr_urlhost": "refr_urlhost",
    "refr_medium": "refr_medium",
    "entry_path": "entry_path",
    "country": "geo_country",
    "device": "dvce_type",
}
OF_PERSON = (
    *OF_VISITOR, *_SUMMED, *MARKETING, "revenue", "platform", "is_bot", "exit_path", "refr_urlhost", "refr_medium",
    "entry_path", "geo_country", "dvce_type",
)  # fmt: skip
"""Columns of ``sessions`` that ``user`` reads."""


def user(person_id: str, sessions: Sequence[Row], conversions: Sequence[Row], zone: ZoneInfo) -> Row:
    """The row of ``users``; ``sessions`` and ``conversions``: all of the person."""
    first = max(sessions, key=lambda row: (-row["start_tstamp"], row["session_id"]))
    last = max(sessions, key=lambda row: (row["end_tstamp"], row["session_id"]))
    named = [row for row in sessions if row["user_id"]]
    times = [row["t"] for row in conversions]
    return {
        "person_id": person_id,
        "user_id": max(named, key=lambda row: (row["end_tstamp"], row["session_id"]))["user_id"] if named else "",
        "visitor_ids": sorted({row["visitor_id"] for row in sessions if row["visitor_id"]})[:100],
        "apps": sorted({row["app_id"] for row in sessions}),
        "first_seen": first["start_tstamp"],
        "last_seen": last["end_tstamp"],
        "sessions": len(sessions),
        **{name: sum(row[name] for row in sessions) for name in _SUMMED},
        "revenue": sum((row["revenue"] for row in sessions), Decimal(0)),
        "active_days": len({_day(row["start_tstamp"], zone) for row in sessions}),
        "first_session_id": first["session_id"],
        "last_session_id": last["session_id"],
        **{f"first_{name}": first[of] for name, of in _ENDS.items()},
        **{f"last_{name}": last[of] for name, of in _ENDS.items()},
        "last_path": last["exit_path"],
        "first_conversion_at": min(times, default=None),
        "last_conversion_at": max(times, default=None),
        "on_web": any(row["platform"] == "web" for row in sessions),
        "on_mobile": any(row["platform"] != "web" for row in sessions),
        "is_identified": bool(named),
        "is_bot": all(row["is_bot"] for row in sessions),
    }


def _day(t: int, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(t // 1000, UTC).astimezone(zone).date().toordinal()


def match(conversion: Row, sessions: Sequence[Row]) -> Row:
    """A conversion without a session of its own, given to the person's last that began in the 30 days before it."""
    t = conversion["t"]
    before = [row for row in sessions if t - MATCHED_MS <= row["start_tstamp"] <= t]
    if not before:
        return conversion | {"session_id": "", "channel": "", "source": ""} | dict.fromkeys(MARKETING, "")
    last = max(before, key=lambda row: (row["start_tstamp"], row["session_id"]))
    return conversion | {name: last.get(name, "") for name in ("session_id", "channel", "source", *MARKETING)}


def first_of_person(conversions: Sequence[Row]) -> Mapping[tuple[str, str], bool]:
    """(event id, goal) -> is it the goal's first of the person? Of all conversions of one person."""
    first: dict[str, Row] = {}
    for row in sorted(conversions, key=lambda row: (row["t"], row["event_id"])):
        first.setdefault(row["goal"], row)
    return {(row["event_id"], row["goal"]): first[row["goal"]] is row for row in conversions}
