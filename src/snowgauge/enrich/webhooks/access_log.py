"""Lines of CloudFront access logs, in every layout since 2008, as JSON (adapter facts 5.1 and 5.2).

A layout is known by its number of fields, or read from a ``#Fields:`` line. ``-`` is no value. CloudFront
percent-encodes some fields, at times twice; ``undo_double_encoding`` takes the outer of two layers off and leaves a
single one alone.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, unquote_plus

import msgspec

from snowgauge.enrich.webhooks.failure_messages import Message, bad_input, input_data
from snowgauge.enrich.webhooks.timestamps_in_json import EPOCH
from snowgauge.errors import AdapterFailure

FIELDS = (
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
    "cs(Referer)", "cs(User-Agent)", "cs-uri-query",
    "cs(Cookie)", "x-edge-result-type", "x-edge-request-id",
    "x-host-header", "cs-protocol", "cs-bytes",
    "time-taken",
    "x-forwarded-for", "ssl-protocol", "ssl-cipher", "x-edge-response-result-type",
    "cs-protocol-version",
    "fle-status", "fle-encrypted-fields",
    "c-port", "time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len",
    "sc-range-start", "sc-range-end",
)  # fmt: skip
"""All fields in the order in which CloudFront writes them; older layouts end earlier."""

_ENDS = (12, 15, 18, 19, 23, 24, 26)
"""How many fields the revisions 1-0-0 to 1-0-6 of Snowplow's schema cover."""

_COUNTS = (*_ENDS, len(FIELDS))
_PLACE = {name: place for place, name in enumerate(FIELDS)}
_INTEGERS = {"sc-bytes": 2**31, "cs-bytes": 2**31, "c-port": 2**31} | dict.fromkeys(
    ("sc-content-len", "sc-range-start", "sc-range-end"), 2**63
)
_DOUBLES = ("time-taken", "time-to-first-byte")
_DECODED = ("cs(Referer)", "cs(User-Agent)")
_NOT_PLAIN = frozenset((*_INTEGERS, *_DOUBLES, *_DECODED, "cs-uri-query"))

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?")
_INTEGER = re.compile("[+-]?[0-9]{1,19}")
_DOUBLE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DOUBLY_ENCODED = re.compile("%25([0-9a-fA-F]{2})")
_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})(.{0,2})", re.DOTALL)
_NAME_PART = re.compile("[A-Za-z0-9]+")


class LogLine(msgspec.Struct):
    """One request: ``data`` for Snowplow's schema, ``rest`` for what that does not cover.

    ``timestamp`` is milliseconds since the epoch. ``referer`` is a URL, ``user_agent`` plain text.
    """

    schema: str
    data: dict[str, Any]
    rest: dict[str, Any]
    timestamp: int
    ip: str | None
    referer: str | None
    user_agent: str | None
    request_id: str | None


@lru_cache(maxsize=256)
def json_name(field: str) -> str:
    """``cs(User-Agent)`` is ``csUserAgent``."""
    first, *others = [part[0] for part in _NAME_PART.finditer(field)] or [field]
    return first.lower() + "".join(part[:1].upper() + part[1:] for part in others)


def layout_of(line: str) -> tuple[str, ...]:
    """The names of a ``#Fields:`` line."""
    return tuple(line.partition(":")[2].split())


def undo_double_encoding(text: str) -> str:
    """``%2520`` as ``%20``; what is encoded once stays."""
    return _DOUBLY_ENCODED.sub(r"%\1", text)


def read_line(line: str, layout: Sequence[str] | None = None) -> LogLine:
    """Read a data line. Raises ``AdapterFailure`` with everything that is wrong, the time first, then from the end."""
    values = line.split("\t")
    names = FIELDS[: len(values)] if layout is None else layout
    if layout is None and len(values) not in _COUNTS:
        allowed = f"{', '.join(map(str, _COUNTS[:-1]))} or {_COUNTS[-1]}"
        raise bad_input("body", line, f"access log contained {len(values)} fields, expected {allowed}")
    if len(names) != len(values):
        raise bad_input("body", line, f"access log contained {len(values)} fields, but its #Fields line {len(names)}")
    texts = {name: None if value in ("", "-") else value for name, value in zip(names, values, strict=True)}
    wrong: list[Message] = []
    timestamp = _timestamp(texts.get("date") or "", texts.get("time") or "", wrong)
    data: dict[str, Any] = {"dateTime": f"{texts.get('date')}T{texts.get('time')}Z"}
    rest: dict[str, Any] = {}
    problems: list[Message] = []
    schema, plan = _plan(tuple(names))
    for name, prop, covered in plan:
        text, value = texts[name], None
        if text is not None:
            try:
                value = _typed(name, prop, text) if name in _NOT_PLAIN else text
            except AdapterFailure as failure:
                problems += [dict(message) for message in failure.messages]
        if covered:
            data[prop] = value
        elif value is not None:
            rest[prop] = value
    wrong += reversed(problems)
    if wrong or timestamp is None:
        raise AdapterFailure(wrong)
    referer, user_agent = texts.get("cs(Referer)"), texts.get("cs(User-Agent)")
    return LogLine(
        schema,
        data,
        rest,
        timestamp,
        texts.get("c-ip"),
        None if referer is None else undo_double_encoding(referer),
        None if user_agent is None else _one_line(unquote(undo_double_encoding(user_agent))),
        texts.get("x-edge-request-id"),
    )


@lru_cache(maxsize=64)
def _plan(names: tuple[str, ...]) -> tuple[str, list[tuple[str, str, bool]]]:
    """For a layout: the first revision of the schema with room for it, and each field but date and time, by its name,
    its name in JSON, and whether the schema covers it."""
    covered = {name for name in names if _PLACE.get(name, len(FIELDS)) < _ENDS[-1]}
    last = max((_PLACE[name] for name in covered), default=0)
    revision = next(number for number, end in enumerate(_ENDS) if last < end)
    schema = f"iglu:com.amazon.aws.cloudfront/wd_access_log/jsonschema/1-0-{revision}"
    fields = dict.fromkeys(name for name in names if name not in ("date", "time"))
    return schema, [(name, json_name(name), name in covered) for name in fields]


def _timestamp(date: str, time: str, wrong: list[Message]) -> int | None:
    if _DATE.fullmatch(date) and _TIME.fullmatch(time):
        with contextlib.suppress(ValueError):
            return (datetime.fromisoformat(f"{date}T{time}+00:00") - EPOCH) // timedelta(milliseconds=1)
    why = "could not convert access log timestamp: expected a date as 2024-05-31 and a time as 10:00:00"
    wrong.append(input_data("dateTime", f"{date} {time}", why))
    return None


def _typed(name: str, prop: str, text: str) -> Any:
    if name in _INTEGERS:
        if _INTEGER.fullmatch(text) and -_INTEGERS[name] <= (number := int(text)) < _INTEGERS[name]:
            return number
        raise bad_input(prop, text, "cannot be converted to Int")
    if name in _DOUBLES:
        if _DOUBLE.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        raise bad_input(prop, text, "cannot be converted to Double")
    if name in _DECODED:
        once = undo_double_encoding(text)
        bad = _BAD_ESCAPE.search(once)
        if bad:
            why = "Incomplete trailing escape (%) pattern" if len(bad[1]) < 2 else f"Illegal escape {bad[0]!r}"
            raise bad_input(prop, text, f"Exception URL-decoding (encoding UTF-8): {why}")
        return _one_line(unquote_plus(once))
    return undo_double_encoding(text)


def _one_line(text: str) -> str:
    return text.replace("\t", "    ").replace("\n", "").replace("\r", "")
