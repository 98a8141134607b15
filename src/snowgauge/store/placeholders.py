"""Placeholders in people's SQL, as ClickHouse writes them: ``{name:Type}``. Their values never become its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`|--[^\n]*|/\*.*?\*/|(?P<tag>\$[A-Za-z_]*\$).*?(?P=tag)
      |\{\s*(?P<name>[A-Za-z_][A-Za-z0-9_]{0,62})\s*:\s*
        (?P<type>[A-Za-z][A-Za-z0-9_\ ]*(?:\([A-Za-z0-9_,'\ ()]*\))?(?:\[\])*)\s*\}""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True)
class Placeholder:
    name: str
    type: str


def placeholders(sql: str) -> list[Placeholder]:
    """Each name once, in the order of the text; none of those within texts, quoted names and comments."""
    found: dict[str, Placeholder] = {}
    for token in _TOKEN.finditer(sql):
        if token["name"]:
            found.setdefault(token["name"], Placeholder(token["name"], token["type"].strip()))
    return list(found.values())


def replaced(sql: str, write: Callable[[Placeholder], str], other: Callable[[str], str]) -> str:
    """The statement with each placeholder as ``write`` has it, and all that is between them as ``other`` has it."""
    pieces, at = [], 0
    for token in _TOKEN.finditer(sql):
        if token["name"]:
            pieces += [other(sql[at : token.start()]), write(Placeholder(token["name"], token["type"].strip()))]
            at = token.end()
    return "".join([*pieces, other(sql[at:])])
