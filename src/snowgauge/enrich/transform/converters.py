"""Texts of tracker parameters to the values of typed columns; the error texts are those of enrich 6.10.

Every converter raises :class:`Unconvertible` for what it does not accept, the empty text included.
"""

from __future__ import annotations

import re
from decimal import Decimal

from snowgauge.events.timestamps import MAX_MS, MIN_MS, tsv_text

_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_MAX_INT = 2**31 - 1
_MAX_EXPONENT = 4000
"""Beyond this enrich would write out thousands of zeros for one short parameter; the parameter is refused instead."""

EVENTS = {
    "pv": "page_view",
    "pp": "page_ping",
    "se": "struct",
    "ev": "struct",
    "ue": "unstruct",
    "tr": "transaction",
    "ti": "transaction_item",
    "ad": "ad_impression",
}
PLATFORMS = frozenset(("web", "iot", "app", "mob", "pc", "cnsl", "tv", "srv", "headset"))


class Unconvertible(ValueError):
    """A parameter's text does not fit its column; the text is the message of the bad row's report."""


def event(text: str) -> str:
    name = EVENTS.get(text)
    if name is None:
        raise Unconvertible("Not a valid event type")
    return name


def platform(text: str) -> str:
    if text not in PLATFORMS:
        raise Unconvertible("Not a valid platform")
    return text


def uuid(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise Unconvertible("Not a valid UUID")
    return text.lower()


def milliseconds(text: str) -> int:
    ms = _whole(text, 2**63)
    if ms is None:
        raise Unconvertible("Not in the expected format: ms since epoch")
    if not MIN_MS <= ms <= MAX_MS:
        raise Unconvertible(f"Formatting as {tsv_text(ms)} is not Redshift-compatible")
    return ms


def integer(text: str) -> int | None:
    """The word ``null``, in any case, is no value and no error."""
    number = _whole(text, 2**31)
    if number is None and text.lower() != "null":
        raise Unconvertible("Cannot be converted to java.lang.Integer")
    return number


def _whole(text: str, bound: int) -> int | None:
    if len(text) < 19 and text.isdigit() and text.isascii():  # nearly all
        number = int(text)
        return number if number < bound else None
    if not _INTEGER.fullmatch(text) or max(text) > "\uffff":  # Java reads digits of the basic plane only
        return None
    digits = text.lstrip("+-0")
    if len(digits) > 19:
        return None
    number = int(text[0] + digits if text[0] == "-" else digits) if digits else 0
    return number if -bound <= number < bound else None


def flag(text: str) -> bool:
    if text == "1":
        return True
    if text == "0":
        return False
    raise Unconvertible("Cannot be converted to Boolean-like java.lang.Byte")


def dimensions(text: str) -> tuple[int, int]:
    """Width and height of ``1280x1024``."""
    first, _, second = text.partition("x")
    if not (first.isdigit() and second.isdigit() and text.isascii()):
        raise Unconvertible(r"Does not conform to regex (\d+)x(\d+)")
    width, height = _whole(first, 2**31), _whole(second, 2**31)
    if width is None or height is None:
        raise Unconvertible("Could not be converted to java.lang.Integer s")
    return width, height


def decimal(text: str) -> str | None:
    """The number's own precision is kept: ``42.50`` stays, ``1E7`` is written out, ``0.0000001`` becomes ``1E-7``."""
    if text.lower() == "null":
        return None
    found = _DECIMAL.fullmatch(text)
    if not found or max(text) > "\uffff":
        raise Unconvertible(f"Cannot be converted to java.math.BigDecimal. Error : {_why_not_decimal(text)}")
    exponent_digits = (found[1] or "").lstrip("+-0")
    if exponent_digits and (len(exponent_digits) > 9 or int(exponent_digits) > _MAX_EXPONENT):
        raise Unconvertible("Cannot be converted to java.math.BigDecimal. Error : Scale out of range.")
    number = Decimal(text)
    if number.is_zero():
        number = number.copy_abs()  # there is no negative zero in a BigDecimal
    exponent = number.as_tuple().exponent
    return format(number, "f") if isinstance(exponent, int) and exponent > 0 else str(number)


def _why_not_decimal(text: str) -> str:
    """The JVM's words, as far as they can be told from the text alone."""
    if not text:
        return "Index 0 out of bounds for length 0"
    points, digits = 0, False
    for at, char in enumerate(text):
        if char.isdecimal():
            digits = True
        elif char == ".":
            points += 1
            if points > 1:
                return "Character array contains more than one decimal point."
        elif char in "eE" and at > 0:
            rest = text[at + 1 :].lstrip("+-")
            return "No exponent digits." if not rest else "Not a digit."
        elif char not in "+-" or at > 0:
            return (
                f'Character {char} is neither a decimal digit number, decimal point, nor "e" notation exponential mark.'
            )
    return "No digits found." if not digits else "Not a digit."
