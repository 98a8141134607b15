"""Patterns of paths: ``/blog/*`` any end, ``/user/:id`` one part in place of ``:id``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=2_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    for piece in re.split(r"(\*\*?|:[A-Za-z_][A-Za-z0-9_]*)", pattern):
        if piece.startswith("*"):
            parts.append(".*")
        elif piece.startswith(":") and len(piece) > 1:
            parts.append("[^/]+")
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts), re.DOTALL)


def matches(pattern: str, path: str) -> bool:
    return _compiled(pattern).fullmatch(path) is not None


def first_match(patterns: Sequence[str], path: str) -> str:
    """The first pattern that matches; empty: none does."""
    for pattern in patterns:
        if matches(pattern, path):
            return pattern
    return ""
