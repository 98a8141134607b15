"""JSON from and for others: a limit of depth, and the compact form that Snowplow's messages show."""

from __future__ import annotations

import json
from typing import Any

import msgspec

TOO_DEEP = "invalid json: maximum allowed JSON depth exceeded"
"""What enrich 6.10 says of JSON that is nested too deep."""


def read_json(text: str | bytes, max_depth: int) -> Any:
    """Parsed JSON. Raises ``ValueError`` with a text that starts ``invalid json:``."""
    if not text.strip():
        raise ValueError("invalid json: exhausted input")
    try:
        value = msgspec.json.decode(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(f"invalid json: {error}") from None
    if deeper_than(value, max_depth):
        raise ValueError(TOO_DEEP)
    return value


def deeper_than(value: Any, limit: int) -> bool:
    """Whether arrays and objects are nested deeper than ``limit``, found level by level, without recursion."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def compact(value: Any) -> str:
    """JSON without blanks, other scripts as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
