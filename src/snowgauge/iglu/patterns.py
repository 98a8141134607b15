"""Java's regular expressions, rewritten for the engines that we have.

Schemas were written for Java. Most of their patterns mean the same in jsonschema-rs (ECMA syntax on Rust's engine),
but not all: ``$`` also matches before a line break at the end, ``.`` stops at five kinds of line break, ``\\s`` is
ASCII, classes nest and intersect, ``\\Q..\\E`` quotes. Possessive quantifiers, atomic groups and inline flags exist
only in Python's ``re``, so patterns with those run there (a little slower).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

_BREAK = "\n\r\u0085\u2028\u2029"
_END = f"(?:\r\n|[{_BREAK}])?"
_ASCII = {
    "s": " \t\n\x0b\f\r",
    "S": "\x00-\x08\x0e-\x1f!-\U0010ffff",
    "h": " \t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000",
    "v": "\n\x0b\f\r\u0085\u2028\u2029",
}
_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": "\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": "!-/:-@\\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": " \t",
    "Cntrl": "\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": " \t\n\x0b\f\r",
}
_BINARY = {
    "IsAlphabetic": "Alphabetic",
    "IsUppercase": "Uppercase",
    "IsLowercase": "Lowercase",
    "IsWhite_Space": "White_Space",
    "IsEmoji": "Emoji",
    "IsIdeographic": "Ideographic",
    "javaLowerCase": "Lowercase",
    "javaUpperCase": "Uppercase",
    "javaWhitespace": "White_Space",
}
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\x07", "e": "\x1b"}
_SPECIAL = frozenset("\\^$.|?*+()[]{}/-")
_OUTSIDE = frozenset("\\^$.|?*+()[]{}/")
_FLAGS = re.compile(r"[imsux]*(?:-[imsux]+)?[:)]")
_COUNT = re.compile(r"\{\d+(?:,\d*)?\}", re.ASCII)


class PatternError(ValueError):
    """A pattern that Java would not compile, or that no engine here can express. The text says which and where."""


class Pattern(msgspec.Struct, frozen=True):
    """``text`` is for jsonschema-rs when ``engine`` is ``rust``, for :mod:`re` when it is ``python``."""

    text: str
    engine: Literal["rust", "python"]


def translate(java: str) -> Pattern:
    """Rewrite a Java pattern. Raises :class:`PatternError`."""
    reader = _Reader(java)
    text = reader.alternatives(0)
    if reader.at < len(java):
        raise reader.error("Unmatched closing ')'")
    if not reader.needs_python and _rust_takes(text):
        return Pattern(text, "rust")
    reader = _Reader(java, python=True)
    text = reader.alternatives(0)
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"the pattern {java!r} cannot be used here: {error}") from None
    return Pattern(text, "python")


def _rust_takes(text: str) -> bool:
    import jsonschema_rs

    try:
        jsonschema_rs.Draft4Validator({"pattern": text})
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


class _Reader:
    """One pass over the pattern by recursive descent."""

    def __init__(self, java: str, *, python: bool = False) -> None:
        self.java = java
        self.at = 0
        self.python = python
        self.needs_python = False
        self.groups = 0

    def error(self, problem: str) -> PatternError:
        return PatternError(f"{problem} near index {self.at} of the pattern {self.java!r}")

    def peek(self, text: str) -> bool:
        return self.java.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.at += len(text)
            return True
        return False

    def alternatives(self, depth: int) -> str:
        if depth > 60:
            raise self.error("Groups nest too deeply")
        out = []
        while self.at < len(self.java) and not self.peek(")"):
            if self.take("|"):
                out.append("|")
                continue
            piece, repeatable = self.piece(depth)
            out.append(piece + self.quantifier(repeatable, piece))
        return "".join(out)

    def quantifier(self, repeatable: bool, piece: str) -> str:
        start = self.at
        if self.at >= len(self.java):
            return ""
        char = self.java[self.at]
        if char in "*+?":
            self.at += 1
        elif char == "{":
            count = _COUNT.match(self.java, self.at)
            if not count:
                raise self.error("Illegal repetition")
            self.at = count.end()
        else:
            return ""
        found = self.java[start : self.at]
        if not repeatable:
            # Java allows a quantifier on an anchor; it says nothing then, or makes the anchor optional
            raise PatternError(f"a quantifier after {piece!r} has no use in the pattern {self.java!r}")
        if self.take("?"):
            found += "?"
        elif self.take("+"):
            self.needs_python = True
            found += "+"
        return found

    def piece(self, depth: int) -> tuple[str, bool]:
        char = self.java[self.at]
        if char == "(":
            return self.group(depth)
        if char == "[":
            return self.char_class(depth), True
        if char == "\\":
            return self.escape()
        self.at += 1
        if char == ".":
            return f"[^{_BREAK}]", True
        if char == "$":
            return _END + self.end(), False
        if char == "^":
            return "^", False
        if char in "*+?":
            self.at -= 1
            raise self.error(f"Dangling meta character '{char}'")
        if char == "{":
            self.at -= 1
            raise self.error("Illegal repetition")
        return self.literal(char), True

    def end(self) -> str:
        return r"\Z" if self.python else "$"

    def literal(self, char: str) -> str:
        return "\\" + char if char in _OUTSIDE and not (self.python and char == "/") else char

    def group(self, depth: int) -> tuple[str, bool]:
        start = self.at
        self.at += 1
        head = "("
        repeatable = True
        if self.take("?"):
            for opening in ("?:", "?=", "?!", "?<=", "?<!", "?>"):
                if self.java.startswith(opening, self.at - 1):
                    self.at += len(opening) - 1
                    head += opening
                    repeatable = opening in ("?:", "?>")
                    self.needs_python |= opening == "?>"
                    break
            else:
                name = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)>").match(self.java, self.at)
                flags = _FLAGS.match(self.java, self.at)
                if name:
                    self.at = name.end()
                    head += ("?P<" if self.python else "?<") + name[1] + ">"
                elif flags:
                    self.needs_python = True
                    self.at = flags.end()
                    if flags[0].endswith(")"):
                        if start and self.python:
                            raise self.error("Flags for the rest of a pattern are only possible at its start")
                        return f"(?{flags[0]}" if flags[0] != ")" else "", False
                    head += "?" + flags[0]
                else:
                    raise self.error("Unknown inline modifier or group")
        inner = self.alternatives(depth + 1)
        if not self.take(")"):
            raise self.error("Unclosed group")
        return f"{head}{inner})", repeatable

    def escape(self) -> tuple[str, bool]:
        self.at += 1
        if self.at >= len(self.java):
            raise self.error("Unexpected end after a backslash")
        char = self.java[self.at]
        if char == "Q":
            stop = self.java.find("\\E", self.at)
            quoted = self.java[self.at + 1 : stop if stop >= 0 else len(self.java)]
            self.at = len(self.java) if stop < 0 else stop + 2
            return "".join(self.literal(c) for c in quoted), len(quoted) > 0
        if char in "dDwW":
            self.at += 1
            return (f"(?a:\\{char})" if self.python else "\\" + char), True
        if char in "sShHvV":
            self.at += 1
            negated = "^" if char in "HV" else ""
            return f"[{negated}{_ASCII[char.lower() if char in 'HV' else char]}]", True
        if char == "R":
            self.at += 1
            return f"(?:\r\n|[{_ASCII['v']}])", True
        if char in "bB":
            self.at += 1
            return "\\" + char, False
        if char == "A":
            self.at += 1
            return "^", False
        if char == "z":
            self.at += 1
            return self.end(), False
        if char == "Z":
            self.at += 1
            return _END + self.end(), False
        if char in "pP":
            return "[" + self.property() + "]", True
        if char in "123456789":
            self.at += 1
            return f"\\{char}", True
        if char == "k":
            name = re.compile(r"k<([a-zA-Z][a-zA-Z0-9]*)>").match(self.java, self.at)
            if not name:
                raise self.error("\\k is not followed by '<' for named capturing group")
            self.at = name.end()
            return (f"(?P={name[1]})" if self.python else f"\\k<{name[1]}>"), True
        return self.literal(self.character()), True

    def character(self) -> str:
        """The character that an escape stands for; ``at`` is behind the backslash."""
        char = self.java[self.at]
        number = re.compile(
            r"u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|0([0-3][0-7]{2}|[0-7]{1,2})"
        ).match(self.java, self.at)
        if number:
            self.at = number.end()
            code = int(number[4], 8) if number[4] else int(number[1] or number[2] or number[3], 16)
            if 0xD800 <= code < 0xDC00:  # Java writes astral characters as two escapes
                low = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})").match(self.java, self.at)
                if low:
                    self.at = low.end()
                    code = 0x10000 + ((code - 0xD800) << 10) + (int(low[1], 16) - 0xDC00)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise self.error("An escape does not name a character")
            return chr(code)
        if char in _CONTROL:
            self.at += 1
            return _CONTROL[char]
        if char == "c" and self.at + 1 < len(self.java):
            self.at += 2
            return chr(ord(self.java[self.at - 1]) ^ 64)
        if char.isascii() and char.isalnum():
            raise self.error("Illegal/unsupported escape sequence")
        self.at += 1
        return char

    def property(self) -> str:
        """The inside of a class for ``\\p{..}``; ``at`` is at the ``p``."""
        found = re.compile(r"([pP])(?:\{(\^?)([A-Za-z_0-9=]+)\}|([A-Z]))").match(self.java, self.at)
        if not found:
            raise self.error("Unknown character property")
        self.at = found.end()
        negated = (found[1] == "P") != bool(found[2])
        name = found[3] or found[4]
        if name in _POSIX and not negated:
            return _POSIX[name]
        if self.python or name in _POSIX:
            raise self.error(f"The character property {name} cannot be used here")
        known = re.fullmatch(r"(?:Is|general_category=|gc=)?(L|M|N|P|S|Z|C|[LMNPSZC][a-z])", name)
        script = re.fullmatch(r"Is([A-Z][a-z_A-Z]+)|(?:script=|sc=)([A-Za-z_]+)", name)
        if known:
            text = known[1]
        elif name in _BINARY:
            text = _BINARY[name]
        elif script:
            text = "Script=" + (script[1] or script[2])
        else:
            raise self.error(f"Unknown character property name {{{name}}}")
        return f"\\{'P' if negated else 'p'}{{{text}}}"

    def char_class(self, depth: int) -> str:
        """A class; nested classes become alternatives and intersections look-aheads."""
        if depth > 60:
            raise self.error("Classes nest too deeply")
        self.at += 1
        negated = self.take("^")
        sides: list[tuple[str, list[str]]] = []
        plain: list[str] = []
        nested: list[str] = []
        first = True
        while True:
            if self.at >= len(self.java):
                raise self.error("Unclosed character class")
            char = self.java[self.at]
            if char == "]" and not first:
                self.at += 1
                break
            if self.take("&&"):
                sides.append(("".join(plain), nested))
                plain, nested = [], []
                continue
            if char == "[":
                nested.append(self.char_class(depth + 1))
            else:
                plain.append(self.member())
            first = False
        sides.append(("".join(plain), nested))
        sides = [side for side in sides if side[0] or side[1]]
        if not sides:
            raise self.error("Unclosed character class")
        if len(sides) == 1 and not sides[0][1]:
            return f"[{'^' if negated else ''}{sides[0][0]}]"
        texts = []
        for members, inner in sides:
            choice = [*([f"[{members}]"] if members else []), *inner]
            texts.append(choice[0] if len(choice) == 1 else f"(?:{'|'.join(choice)})")
        any_char = "[\x00-\U0010ffff]"
        both = "".join(f"(?={text})" for text in texts[:-1]) + texts[-1]
        return f"(?:(?!{both}){any_char})" if negated else f"(?:{both})"

    def member(self) -> str:
        """One character, range or shorthand inside a class."""
        char = self.java[self.at]
        if char == "\\":
            self.at += 1
            if self.at >= len(self.java):
                raise self.error("Unexpected end after a backslash")
            kind = self.java[self.at]
            if kind in "dDwW":
                self.at += 1
                if not self.python:
                    return "\\" + kind
                if kind in "DW":
                    raise self.error(f"\\{kind} inside a class cannot be used here")
                return "0-9" if kind == "d" else "a-zA-Z0-9_"
            if kind in "sShv":
                self.at += 1
                return _ASCII[kind]
            if kind in "HV":
                raise self.error(f"\\{kind} inside a class cannot be used here")
            if kind in "pP":
                return self.property()
            if kind == "Q":
                stop = self.java.find("\\E", self.at)
                quoted = self.java[self.at + 1 : stop if stop >= 0 else len(self.java)]
                self.at = len(self.java) if stop < 0 else stop + 2
                return "".join(_member(c) for c in quoted)
            low = self.character()
        else:
            self.at += 1
            low = char
        follows = self.java[self.at + 1 : self.at + 2]
        if self.peek("-") and follows and follows not in "][" and not self.java.startswith("&&", self.at + 1):
            mark = self.at
            self.at += 1
            if self.take("\\"):
                if self.at < len(self.java) and self.java[self.at] in "dDwWsSpPhHvV":
                    self.at = mark
                    return _member(low)
                if self.at >= len(self.java):
                    raise self.error("Unexpected end after a backslash")
                high = self.character()
            else:
                high = self.java[self.at]
                self.at += 1
            if high < low:
                raise self.error("Illegal character range")
            return f"{_member(low)}-{_member(high)}"
        return _member(low)


def _member(char: str) -> str:
    return "\\" + char if char in _SPECIAL else "\\&" if char == "&" else "\\~" if char == "~" else char
