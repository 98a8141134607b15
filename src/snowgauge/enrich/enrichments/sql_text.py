"""The user's SQL with ``?`` placeholders, made into what Python's database drivers take."""

from __future__ import annotations

import re

_COMMENT = r"--[^\n]* | /\*.*?(?:\*/|\Z)"
_POSTGRESQL = re.compile(
    rf"""
    (?P<text> \b[eE]'(?:[^'\\]|\\.|'')*'
            | '(?:[^']|'')*' | "(?:[^"]|"")*"
            | \$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
            | {_COMMENT} )
  | (?P<operator> \?\? )
  | (?P<placeholder> \? )
    """,
    re.VERBOSE | re.DOTALL,
)
_MYSQL = re.compile(
    rf"""
    (?P<text> '(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `[^`]*` | \#[^\n]* | {_COMMENT} )
  | (?P<operator> (?!) )
  | (?P<placeholder> \? )
    """,
    re.VERBOSE | re.DOTALL,
)


def translate(sql: str, *, mysql: bool = False) -> tuple[str, int]:
    """The statement with ``%s`` for each ``?``, and how many there are.

    A ``?`` in strings, quoted names, comments and dollar quotes is text; in PostgreSQL ``??`` stands for the operator
    ``?``, as it does with JDBC.
    """
    out: list[str] = []
    count = pos = 0
    for found in (_MYSQL if mysql else _POSTGRESQL).finditer(sql):
        out.append(sql[pos : found.start()].replace("%", "%%"))
        if found["placeholder"]:
            out.append("%s")
            count += 1
        elif found["operator"]:
            out.append("?")
        else:
            out.append(found[0].replace("%", "%%"))
        pos = found.end()
    out.append(sql[pos:].replace("%", "%%"))
    return "".join(out), count
