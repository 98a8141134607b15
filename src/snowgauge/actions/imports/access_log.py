"""Lines of CloudFront access logs as payloads, as the loader of Snowplow's batch pipeline read them.

Columns are found by the names of the ``#Fields:`` line or of a JSON object, else by their number: 12, 15, 18, 19, or 23
and more (33 since 2020). Names differ a little between standard, v2, real-time and Parquet logs; they are compared
without case and punctuation.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal
from urllib.parse import unquote, unquote_to_bytes

import msgspec

from snowgauge.errors import SnowgaugeError
from snowgauge.events import payload_record
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.timestamps import parse_ms

COLLECTOR = "cloudfront"

_COLUMNS = (
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs-host", "cs-uri-stem", "sc-status",
    "cs-referer", "cs-user-agent", "cs-uri-query", "cs-cookie", "x-edge-result-type", "x-edge-request-id",
    "x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
    "x-edge-response-result-type",
)  # fmt: skip
"""The first 23 columns; events are made of none of those that follow."""
_KNOWN_COUNTS = (12, 15, 18, 19)
_WANTED = (
    "date", "time", "timestamp-ms", "timestamp", "c-ip", "cs-method", "cs-uri-stem", "cs-referer", "cs-user-agent",
    "cs-uri-query", "x-edge-request-id", "x-forwarded-for",
)  # fmt: skip
_DIRECTIVE = re.compile(r"#[A-Z][A-Za-z-]*:")

_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_TWICE = re.compile(r"%25([0-9a-fA-F]{2})")
_BY_THE_VIEWER = re.compile(r"%(?:3[AaBbDdFf]|2[BbCcFf46]|40)")
_FORWARDED = re.compile(r'"?\[?((?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-f.:]+)')
_HAS_EVENT_ID = re.compile(r"(?:^|[&;])eid=[^&;]")
_DATE, _TIME = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d\d:\d\d:\d\d(?:\.\d+)?")
_VENDOR_AND_VERSION = re.compile(r"/?(?:r|[A-Za-z][\w-]+(?:\.[\w-]+)+)/[\w-]+/?")
_KEEPS_EVENT_ID = re.compile(
    r"/(?:i|ice\.png.*|(?:com\.snowplowanalytics\.snowplow|r)/tp[12]|com\.snowplowanalytics\.iglu/v1)/?"
)
_IDS = uuid.UUID("2f9e6a35-6a0c-5f5b-8c59-0f9d6b1f3a71")

Row = tuple[str, ...]
"""Values of ``_WANTED``; ``-`` for none."""


class UnusableLog(SnowgaugeError):
    """A log without a column that events are made of."""


class Hit(msgspec.Struct, frozen=True):
    """A tracking request. ``identity`` is the request's own id with what was asked for, empty where its log has no id.

    CloudFront's ids are unique; samples, and logs that others made, repeat one on every line.
    """

    identity: str
    record: bytes


class Unreadable(msgspec.Struct, frozen=True):
    """``message`` is ``failure.message`` of the bad row."""

    identity: str
    message: dict[str, Any]


Parsed = Hit | Unreadable | Literal["not ours"]


class TrackingPaths:
    """Which paths are tracking requests: what a distribution serves besides (scripts, pages) is not ours.

    ``paths`` and ``pixel_paths`` are the collector's settings of these names.
    """

    def __init__(self, paths: Mapping[str, str] | None = None, pixel_paths: Sequence[str] = ("/i", "/ice.png")) -> None:
        self._paths = dict(paths or {})
        self._pixels = {path: path if path in ("/i", "/ice.png") else "/i" for path in pixel_paths}
        self.find = lru_cache(maxsize=4096)(self._find)

    def _find(self, stem: str) -> str | None:
        """The path that the payload is kept under."""
        path = unquote(stem)
        mapped = self._paths.get(path) or self._pixels.get(path)
        if mapped is not None:
            return mapped
        return path if path.startswith("/ice.png") or _VENDOR_AND_VERSION.fullmatch(path) else None


class AccessLogReader:
    """Reads the lines of one file after the other; ``begin`` starts a file."""

    def __init__(self, tracking: TrackingPaths, fields: Sequence[str] | None = None) -> None:
        """``fields`` names the columns of logs that have no ``#Fields:`` line, such as real-time logs."""
        self._tracking = tracking
        self._given = _layout(tuple(map(_plain_name, fields))) if fields else None
        self._layout = self._given

    def begin(self) -> None:
        self._layout = self._given

    def line(self, line: str) -> Parsed | None:
        """What one line is; ``None`` for directives and empty lines. Raises :class:`UnusableLog`."""
        if line.startswith("#"):
            if line.startswith("#Fields:"):
                self._layout = _layout(tuple(map(_plain_name, line[8:].split())))
                return None
            if _DIRECTIVE.match(line):
                return None
        elif line.startswith("{"):
            return self._json(line)
        elif not line.strip():
            return None
        fields = line.split("\t") if "\t" in line else line.split()
        layout = self._layout or _counted(len(fields))
        if layout is None or len(fields) < layout.count:
            return Unreadable("", {"error": "does not match header or data row formats"})
        fields.append("-")
        return self._parsed(layout.pick(fields))

    def record(self, values: Mapping[str, Any]) -> Parsed:
        """One request of a JSON or Parquet log."""
        found = {_plain_name(name): value for name, value in values.items()}
        missing = _missing(found.keys())
        if missing:
            return Unreadable("", {"error": f"the log has no field {missing}"})
        return self._parsed(tuple(_text(found.get(name)) for name in _WANTED))

    def _json(self, line: str) -> Parsed:
        try:
            values = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            return Unreadable("", {"error": f"does not match header or data row formats: {error}"})
        return self.record(values)

    def _parsed(self, row: Row) -> Parsed:
        date, time, milliseconds, seconds, ip, method, stem, referer, agent, query, identity, forwarded = row
        identity = "" if identity == "-" else identity
        if "?" in stem:  # real-time logs repeat the query there
            stem = stem.partition("?")[0]
        path = self._tracking.find(stem)
        if path is None:
            return "not ours"
        querystring = None if query in ("-", "") else restored(query)
        if identity:
            identity = f"{identity} {path}?{querystring}"
        if method not in ("GET", "-") and method.upper() != "GET":
            if identity:
                identity = f"{method} {identity}"
            return Unreadable(identity, _problem("verb", method.upper(), "operation must be GET"))
        try:
            timestamp = _instant(date, time, milliseconds, seconds)
        except ValueError as error:
            shown = f"{date} {time}" if date != "-" else seconds
            return Unreadable(identity, _problem("dateTime", shown, f"could not convert timestamp: {error}"))
        if querystring and identity and not _HAS_EVENT_ID.search(querystring) and _KEEPS_EVENT_ID.fullmatch(path):
            querystring += f"&eid={uuid.uuid5(_IDS, identity)}"
        found = _FORWARDED.match(forwarded) if forwarded != "-" else None
        payload = CollectorPayload(
            ip_address=found[1] if found and _is_address(found[1]) else None if ip == "-" else ip,
            timestamp=timestamp,
            collector=COLLECTOR,
            user_agent=None if agent in ("-", "") else _user_agent(agent),
            referer_uri=None if referer in ("-", "") else _referer(referer),
            path=path,
            querystring=querystring,
        )
        return Hit(identity, payload_record.encode(payload))


class _Layout(msgspec.Struct, frozen=True):
    count: int
    pick: Callable[[list[str]], Row]


@lru_cache(maxsize=64)
def _layout(names: tuple[str, ...]) -> _Layout:
    missing = _missing(names)
    if missing:
        raise UnusableLog(f"the log's columns ({' '.join(names)}) do not include {missing}, which events are made of")
    at = {name: index for index, name in enumerate(names)}
    return _Layout(len(names), itemgetter(*(at.get(name, -1) for name in _WANTED)))


def _counted(count: int) -> _Layout | None:
    if count in _KNOWN_COUNTS:
        return _layout(_COLUMNS[:count])
    return _layout(_COLUMNS) if count >= len(_COLUMNS) else None


def _missing(names: Any) -> str:
    if not ({"date", "time"} <= set(names) or "timestamp" in names or "timestamp-ms" in names):
        return "date and time"
    return next((name for name in ("cs-uri-stem", "cs-uri-query") if name not in names), "")


@lru_cache(maxsize=1024)
def _plain_name(name: str) -> str:
    """``cs(User-Agent)``, ``cs-user-agent`` and ``cs_user_agent`` are one column."""
    return _PUNCTUATION.sub("-", name.lower()).strip("-")


def _text(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)


def _problem(field: str, value: str, expectation: str) -> dict[str, Any]:
    return {"payloadField": field, "value": value, "expectation": expectation}


def _instant(date: str, time: str, milliseconds: str, seconds: str) -> int:
    if milliseconds != "-":
        return int(milliseconds)
    if date != "-" and time != "-":
        return _moment(date, time)
    whole, _, fraction = seconds.partition(".")
    return int(whole) * 1000 + int((fraction + "000")[:3])


@lru_cache(maxsize=4096)
def _moment(date: str, time: str) -> int:
    if not _DATE.fullmatch(date) or not _TIME.fullmatch(time):
        raise ValueError(f"expected YYYY-MM-DD and HH:MM:SS, found {date[:40]!r} and {time[:40]!r}")
    whole, _, fraction = time.partition(".")
    return parse_ms(f"{date}T{whole}") + int((fraction + "000")[:3])


def restored(text: str) -> str:
    """A field as the viewer sent it, whether CloudFront encoded its percent signs once more (``%253A``) or not.

    The escapes looked for are of characters that CloudFront leaves alone: where ``%3A`` stands as such, the viewer
    wrote it, so this log does not encode twice and ``%2520`` is really what was sent. Otherwise every ``%25XX``
    becomes ``%XX`` once, as in Snowplow's loader; ``70%25 done`` stays in both.
    """
    if "%25" not in text or _BY_THE_VIEWER.search(text):
        return text
    return _TWICE.sub(r"%\1", text)


@lru_cache(maxsize=4096)
def _user_agent(text: str) -> str:
    """As a live request's header: decoded, since enrich from 3.5 on does not do it any more."""
    return unquote_to_bytes(restored(text).encode("utf-8", "replace")).decode("latin-1")


def _referer(text: str) -> str:
    text = restored(text)
    return text[:-1] if text.endswith("%") else text  # some that were cut off end in one


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def line_key(identity: str, line: bytes) -> bytes:
    """What identifies a line, 16 bytes: its request's id, else its text."""
    text = b"r" + identity.encode() if identity else b"l" + line
    return hashlib.blake2b(text, digest_size=16).digest()
