"""What the HTTP layer has to know about a statement before the engine runs it.

The library wants an INSERT and its data apart, while HTTP carries them in one text; streaming has to know the output
format. Nothing here decides about safety: that is judged on the engine's own parse (``guard``).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    rb"""(?P<space>\s+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)
      |(?P<string>'(?:[^'\\]|\\.|'')*')
      |(?P<quoted>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")
      |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
      |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_READING = (b"SELECT", b"WITH", b"SHOW", b"DESCRIBE", b"DESC", b"EXISTS", b"EXPLAIN", b"(", b"VALUES", b"FROM")
_ROOMLESS = (b"SET", b"USE", b"KILL", b"DROP", b"TRUNCATE")
_HEAD_LIMIT = 1 << 20


class Insert(NamedTuple):
    """An INSERT whose data comes with it: ``sql`` up to its FORMAT clause, and where its data begins."""

    sql: str
    format: str
    data_at: int


def first_word(statement: bytes) -> bytes:
    for token in _TOKEN.finditer(statement, 0, _HEAD_LIMIT):
        if token.lastgroup != "space":
            return token[0].upper()
    return b""


def split_insert(statement: bytes) -> Insert | None:
    """Take apart ``INSERT INTO t (a, b) SETTINGS ... FORMAT Name <data>`` or ``... VALUES <data>``.

    ``None`` for anything else, ``INSERT ... SELECT`` and ``FROM INFILE`` included: the engine runs those whole.
    """
    depth = 0
    words = 0
    tokens = _TOKEN.finditer(statement, 0, _HEAD_LIMIT)
    for token in tokens:
        kind, text = token.lastgroup, token[0]
        if kind == "space":
            continue
        words += 1
        if words == 1:
            if text.upper() != b"INSERT":
                return None
            continue
        if text == b"(":
            depth += 1
        elif text == b")":
            depth -= 1
        elif kind == "word" and depth == 0:
            word = text.upper()
            if word in (b"SELECT", b"WITH", b"INFILE", b"WATCH"):
                return None
            if word == b"VALUES":
                return Insert(statement[: token.start()].decode(), "Values", token.end())
            if word == b"FORMAT":
                return _insert_format(statement, token.start(), token.end())
    return None


def _insert_format(statement: bytes, sql_end: int, at: int) -> Insert | None:
    for token in _TOKEN.finditer(statement, at):
        if token.lastgroup == "space":
            continue
        if token.lastgroup != "word":
            return None
        end = token.end()
        # blanks up to one line end belong to the statement; what follows is data, byte for byte
        gap = re.compile(rb"[ \t]*(?:\r?\n)?").match(statement, end)
        return Insert(statement[:sql_end].decode(), token[0].decode(), gap.end() if gap else end)
    return None


class OutputFormat(NamedTuple):
    """A statement's own FORMAT clause, and where it begins."""

    name: str
    at: int


def output_format(statement: bytes) -> OutputFormat | None:
    """The format that the statement itself asks for: the last FORMAT clause at its outermost level."""
    depth = at = 0
    found: OutputFormat | None = None
    after_format = False
    for token in _TOKEN.finditer(statement):
        kind, text = token.lastgroup, token[0]
        if kind == "space":
            continue
        if after_format:
            found = OutputFormat(text.decode(), at) if kind == "word" else None
            after_format = False
        elif text == b"(":
            depth += 1
        elif text == b")":
            depth -= 1
        elif depth == 0 and kind == "word" and text.upper() == b"FORMAT":
            after_format = True
            at = token.start()
    return found


def streams(statement: bytes) -> bool:
    """Can the library give its result block by block? Only SELECT in its forms (chDB 4.4)."""
    return first_word(statement) in (b"SELECT", b"WITH", b"(", b"FROM")


def needs_no_room(statement: bytes) -> bool:
    """Does it write nothing, or make room? What is not known to is taken to write."""
    return first_word(statement) in _READING or first_word(statement) in _ROOMLESS


def reads(statement: bytes) -> bool:
    """Does it answer with rows? A guess by the first word, good enough to choose between streaming and not."""
    return first_word(statement) in _READING
