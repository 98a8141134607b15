"""How deeply JSON nests: the root is level 1 and a scalar is a level too (Snowplow's ``maxJsonDepth``)."""

from __future__ import annotations

from typing import Any

_NESTING = frozenset((dict, list))


def depth_exceeds(value: Any, limit: int) -> bool:
    """Whether some value lies deeper than ``limit``. Looks no deeper than that itself."""
    if limit < 1:
        return True
    kind = type(value)
    if kind is dict:
        inner = value.values()
    elif kind is list:
        inner = value
    else:
        return False
    if limit == 1:
        return bool(inner)
    if _NESTING.isdisjoint(map(type, inner)):  # nearly all data
        return False
    for each in inner:
        kind = type(each)
        if (kind is dict or kind is list) and depth_exceeds(each, limit - 1):
            return True
    return False
