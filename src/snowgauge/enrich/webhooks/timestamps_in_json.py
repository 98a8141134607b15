"""Times inside a sender's JSON, turned into ISO 8601 with milliseconds, UTC (adapter facts 1.5)."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile("[0-9]{1,19}")
_DATE_TEXT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def iso_of_milliseconds(milliseconds: int) -> str | None:
    """The ISO text of a time since the epoch; ``None`` for times outside of the years 1 to 9999."""
    try:
        return (EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")[:23] + "Z"
    except OverflowError:
        return None


def iso_of_epoch(value: Any, milliseconds_in_unit: int) -> Any:
    """The ISO text when ``value`` is an integral number or a string of digits, otherwise ``value`` unchanged."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        number = int(value)
    elif isinstance(value, float):
        if not value.is_integer():
            return value
        number = int(value)
    elif isinstance(value, str) and _DIGITS.fullmatch(value):
        number = int(value)
    else:
        return value
    return iso_of_milliseconds(number * milliseconds_in_unit) or value


def iso_of_date_text(text: str) -> str:
    """``2024-05-01 10:00:00``, taken as UTC, in ISO form; any other text, impossible dates included, unchanged."""
    if not _DATE_TEXT.fullmatch(text):
        return text
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{text[:10]}T{text[11:]}.000Z"


def clean(json: Any, time_keys: Collection[str], type_key: str | None = None, event_type: str | None = None) -> Any:
    """A copy of ``json`` with epoch seconds under ``time_keys`` as ISO text, at any depth.

    Pairs whose key is ``type_key`` and whose value is ``event_type`` are left out: the schema tells the type already.
    """
    match json:
        case dict():
            return {
                key: clean(iso_of_epoch(value, 1000) if key in time_keys else value, time_keys, type_key, event_type)
                for key, value in json.items()
                if not (key == type_key and isinstance(value, str) and value == event_type)
            }
        case list():
            return [clean(item, time_keys, type_key, event_type) for item in json]
    return json
