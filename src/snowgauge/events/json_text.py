"""JSON text as enrich 6.10 reads and prints it: strict, with a depth limit, numbers kept as they were written.

``parse`` gives ordinary Python values. Numbers whose text a second printing would change (``1.10``, ``1e3``, ``-0``,
integers beyond 64 bits) come as ``FloatLiteral`` or ``IntLiteral``, which behave as numbers and remember their text;
``compact`` prints such a tree back, and ``plain`` makes values of it for everything else. Nearly all events have none,
so the ordinary way is one ``orjson`` pass and a comparison. Error texts follow jawn, the parser enrich uses.
"""

from __future__ import annotations

import json
import re
import sys
from math import isfinite
from typing import Any

import msgspec
import orjson

TOO_DEEP = "invalid json: maximum allowed JSON depth exceeded"


MOST_DEPTH = 200
"""The deepest nesting that any setting may allow: printers and Python's stack stop a little above."""
_DEEPEST = MOST_DEPTH + 20  # with the wrappers that columns and answers put around


class BadJson(ValueError):
    """Text that is not JSON or is nested too deeply. The text is a bad row's ``error``."""


class FloatLiteral(float):
    """A number whose own spelling differs from Python's. ``literal`` is as received."""

    literal: str


class IntLiteral(int):
    """An integer beyond 64 bits, or ``-0``. ``literal`` is as received."""

    literal: str


# A number, outside of a string or inside of one, that printing could change. Only says when to look closer.
_CHANGEABLE = re.compile(rb"(?:^|[\[:,\s])-?(?:[0-9]+[.eE]|[0-9]{16}|0(?<=-0))")
_CONTROLS = re.compile("[\x7f-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_KEEP = orjson.OPT_PASSTHROUGH_SUBCLASS
_MANY_DIGITS = 4000  # Python refuses to read integers of more than 4300 digits


class Parsed(msgspec.Struct):
    """A parsed text. ``literals`` is true when the value may hold ``FloatLiteral`` or ``IntLiteral``."""

    value: Any
    literals: bool


def parse(text: str, max_depth: int) -> Parsed:
    """Parse; raises :class:`BadJson`. For duplicate keys the last value wins, in the place of the first."""
    raw = text.encode("utf-8", "replace")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Parsed(_read_slowly(text, max_depth), True)
    if raw.count(b"{") + raw.count(b"[") >= max_depth and deeper_than(value, max_depth):
        raise BadJson(TOO_DEEP)
    if orjson.dumps(value) == raw or _CHANGEABLE.search(raw) is None:
        return Parsed(value, False)
    return Parsed(_keeping_literals(text), True)


def read(text: str, max_depth: int) -> Any:
    """The value alone; raises :class:`BadJson`."""
    return parse(text, max_depth).value


def compact(value: Any) -> str:
    """Print without spaces, key order kept, number literals kept, control characters escaped, the rest as it is."""
    text = orjson.dumps(value, default=_literal, option=_KEEP).decode()
    if text.isascii() and "\x7f" not in text:
        return text
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def plain(value: Any) -> Any:
    """The same tree in values that every JSON library can print and read back.

    Integers beyond 64 bits become floats. A number beyond a double becomes its literal as text: as a number, readers
    would make infinity or another number of it, or fail.
    """
    match value:
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case FloatLiteral() | IntLiteral():
            if value == 0:
                return int(value) if isinstance(value, int) else float(value)
            number = float(value.literal)
            return number if isfinite(number) else value.literal
    return value


def comparable(value: Any) -> Any:
    """The same tree with numbers that a JSON-schema validator can compare: integers of any size, and the largest
    double for what lies beyond."""
    match value:
        case dict():
            return {key: comparable(item) for key, item in value.items()}
        case list():
            return [comparable(item) for item in value]
        case FloatLiteral():
            return float(value)
        case IntLiteral():
            return int(value)
    return value


def stored(text: str | bytes) -> Any:
    """JSON text that this software wrote or checked, in ``plain`` values. Raises :class:`BadJson`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return plain(read(text if isinstance(text, str) else text.decode("utf-8", "replace"), _DEEPEST))


def deeper_than(value: Any, limit: int) -> bool:
    """True when a value lies at a level above ``limit``. The root is level 1; scalars are a level of their own."""
    level = [value]
    for _ in range(limit):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return False
        level = below
    return True


def _literal(value: Any) -> orjson.Fragment:
    return orjson.Fragment(value.literal)


def _read_slowly(text: str, max_depth: int) -> Any:
    """For text that ``orjson`` refuses: not JSON, too deep for it, or strict JSON with lone surrogates."""
    if _text_depth(text) > max_depth:
        raise BadJson(TOO_DEEP)
    value = _keeping_literals(text)
    if deeper_than(value, max_depth):
        raise BadJson(TOO_DEEP)
    return value


def _keeping_literals(text: str) -> Any:
    try:
        value = json.loads(text, parse_float=_float, parse_int=_int, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise BadJson(f"invalid json: {_as_jawn_says(text, error)}") from None
    return _without_surrogates(value) if "\\u" in text or _SURROGATES.search(text) else value


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        # beyond a double: its text is kept, and the largest double stands in where a number is compared
        value = sys.float_info.max if value > 0 else -sys.float_info.max
    elif orjson.dumps(value).decode() == text:
        return value
    literal = FloatLiteral(value)
    literal.literal = text
    return literal


def _int(text: str) -> int:
    if len(text) > _MANY_DIGITS:
        value = -(10**_MANY_DIGITS) if text[0] == "-" else 10**_MANY_DIGITS
    else:
        value = int(text)
        if -(2**63) <= value < 2**64 and text != "-0":
            return value
    literal = IntLiteral(value)
    literal.literal = text
    return literal


def _constant(name: str) -> Any:
    raise json.JSONDecodeError("Expecting value", name, 0)


def _without_surrogates(value: Any) -> Any:
    """Half of a surrogate pair cannot be written as UTF-8; the JVM writes ``?``."""
    match value:
        case str():
            return _SURROGATES.sub("?", value)
        case dict():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case list():
            return [_without_surrogates(item) for item in value]
    return value


def _text_depth(text: str) -> int:
    depth = deepest = 0
    for found in _BRACKETS.finditer(text):
        mark = found[0]
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
            if depth <= 0:
                break  # what follows the first value is an error of its own
    return deepest


_ERRORS = {
    "Expecting value": "expected json value",
    "Expecting property name enclosed in double quotes": 'expected "',
    "Expecting ':' delimiter": "expected :",
    "Extra data": "expected whitespace or eof",
    "Invalid \\escape": "invalid escape sequence",
    "Invalid \\uXXXX escape": "invalid escape sequence",
    "Invalid control character at": "control char in string",
}


def _as_jawn_says(text: str, error: json.JSONDecodeError) -> str:
    at = error.pos if error.doc is text else max(text.find(error.doc), 0)
    if at >= len(text) or error.msg.startswith("Unterminated string"):
        return "exhausted input"
    message = next((said for start, said in _ERRORS.items() if error.msg.startswith(start)), None)
    if message is None:
        message = f"expected {_closing(text[:at])} or ,"
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    seen = text[at : at + 6] + ("..." if len(text) > at + 6 else "")
    return f"{message} got '{seen}' (line {line}, column {column})"


def _closing(before: str) -> str:
    open_ones: list[str] = []
    for found in _BRACKETS.finditer(before):
        if found[0] in "[{":
            open_ones.append(found[0])
        elif found[0] in "]}" and open_ones:
            open_ones.pop()
    return "]" if open_ones and open_ones[-1] == "[" else "}"
