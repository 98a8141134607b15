"""Patterns that mean the same in both databases: checked here, and rewritten into what RE2 and PostgreSQL agree on.

Allowed are literals, ``.``, classes, groups, alternatives, repetition, the anchors ``^`` and ``$``, and the classes
``\\d \\w \\s`` with their opposites (of ASCII). Look-around, back-references and flags are not: RE2 has no such thing.
A pattern is looked for anywhere in the text, and ``.`` is any character.
"""

from __future__ import annotations

import re

LONGEST = 500
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": " \\t\\n\\r\\f"}
_SPECIAL = frozenset(".^$*+?{}[]\\|()")
_REPEATED = re.compile(r"\{(\d{1,3})(,(\d{0,3}))?\}")
_MOST_REPEATED = 100


class PatternRefused(ValueError):
    """A pattern that not both databases understand; the text says what is wrong with it."""


def common(pattern: str) -> str:
    """The pattern in the words that both databases share. Raises ``PatternRefused``."""
    if len(pattern) > LONGEST:
        raise PatternRefused(f"it has {len(pattern)} characters, at most {LONGEST} are allowed")
    written: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            piece, at = _escape(pattern, at)
        elif char == "[":
            piece, at = _class(pattern, at)
        elif char == "(" and pattern.startswith("(?", at):
            if not pattern.startswith("(?:", at):
                raise PatternRefused(f"{pattern[at : at + 3]!r} is not supported: only (…) and (?:…) are groups")
            piece, at = "(?:", at + 3
        elif char == "{":
            piece, at = _repetition(pattern, at)
        elif char in "}]":
            piece, at = f"\\{char}", at + 1
        elif char in "*+?" and written and written[-1][-1:] == "+" and char == "+":
            raise PatternRefused("possessive repetition is not supported")
        else:
            piece, at = char, at + 1
        written.append(piece)
    made = "".join(written)
    try:
        re.compile(made)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternRefused(str(error)) from None
    return made


def wildcard(text: str) -> str:
    """``*`` is any number of characters but ``/``, ``**`` of any; the rest is literal, and the whole text is meant."""
    if len(text) > LONGEST:
        raise PatternRefused(f"it has {len(text)} characters, at most {LONGEST} are allowed")
    pieces = re.split(r"(\*+)", text)
    made = "".join(_star(piece) if at % 2 else literal(piece) for at, piece in enumerate(pieces))
    return f"^{made}$"


def literal(text: str) -> str:
    """A text in which no character is special."""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in text)


def _star(stars: str) -> str:
    return "[^/]*" if len(stars) == 1 else ".*"


def _escape(pattern: str, at: int) -> tuple[str, int]:
    if at + 1 == len(pattern):
        raise PatternRefused("it ends in a backslash")
    char = pattern[at + 1]
    if char.lower() in _CLASSES:
        return f"[{'^' if char.isupper() else ''}{_CLASSES[char.lower()]}]", at + 2
    if char.isascii() and char.isalnum():
        raise PatternRefused(f"\\{char} is not supported: of letters only \\d \\w \\s \\D \\W \\S are")
    return (f"\\{char}" if char in _SPECIAL else char), at + 2


def _class(pattern: str, start: int) -> tuple[str, int]:
    at = start + 1
    made = "["
    if pattern.startswith("^", at):
        made, at = "[^", at + 1
    first = True
    while at < len(pattern) and (first or pattern[at] != "]"):
        char = pattern[at]
        if char == "[":
            if pattern[at : at + 2] in ("[:", "[.", "[="):
                raise PatternRefused(f"{pattern[at : at + 2]!r} in a class is not supported")
            piece, at = "\\[", at + 1
        elif char == "\\":
            if at + 1 == len(pattern):
                raise PatternRefused("it ends in a backslash")
            inner = pattern[at + 1]
            if inner in _CLASSES:
                piece = _CLASSES[inner]
            elif inner.isascii() and inner.isalnum():
                raise PatternRefused(f"\\{inner} in a class is not supported")
            else:
                piece = f"\\{inner}" if inner in "\\]^-[" else inner
            at += 2
        else:
            piece, at = ("\\]" if char == "]" else "\\^" if char == "^" else char), at + 1
        made += piece
        first = False
    if at >= len(pattern):
        raise PatternRefused("a class is not closed: ] is missing")
    return made + "]", at + 1


def _repetition(pattern: str, at: int) -> tuple[str, int]:
    found = _REPEATED.match(pattern, at)
    if found is None:
        return "\\{", at + 1
    counts = [int(number) for number in (found[1], found[3]) if number]
    if max(counts) > _MOST_REPEATED:
        raise PatternRefused(f"{found[0]} repeats too often: at most {_MOST_REPEATED} times")
    return found[0], found.end()
