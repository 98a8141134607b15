"""Names in code, made of names in data: whatever those are, an identifier comes out, and no two are the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

from snowgauge.events.selfdescribing import SchemaKey

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST = 80
_UNSAFE = {"*/": "* /", "/*": "/ *", "\\": "/", '"' * 3: "'" * 3}


def words(name: str) -> list[str]:
    """The words of a name, in lower case: ``addToCart`` and ``add_to-cart`` have the same."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()[: 2 * _LONGEST]
    return [word.lower() for word in _WORD.findall(plain)]


def pascal(name: str, usual: str = "Value") -> str:
    """Such as ``AddToCart``."""
    return _begins("".join(word[:1].upper() + word[1:] for word in words(name))[:_LONGEST], usual)


def camel(name: str, usual: str = "value") -> str:
    """Such as ``addToCart``."""
    made = pascal(name, usual)
    return made[:1].lower() + made[1:]


def snake(name: str, usual: str = "value") -> str:
    """Such as ``add_to_cart``."""
    return _begins("_".join(words(name))[:_LONGEST].rstrip("_"), usual)


def _begins(made: str, usual: str) -> str:
    """An identifier does not begin with a digit."""
    if not made:
        return usual
    return f"{usual}{made}" if made[0].isdigit() else made


class Scope:
    """Names that are taken. ``reserved``: what the language keeps for itself."""

    def __init__(self, reserved: Collection[str] = ()) -> None:
        self._reserved = frozenset(reserved)
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """The name, or one like it that is free. Names that differ in case only count as the same."""
        wanted = f"{name}_" if name in self._reserved else name
        free, number = wanted, 2
        while free.casefold() in self._taken:
            free = f"{wanted}_{number}"
            number += 1
        self._taken.add(free.casefold())
        return free


def titles(keys: Iterable[SchemaKey], scope: Scope) -> dict[SchemaKey, str]:
    """A type's name for each schema: its name; with its vendor's last word where several vendors have it, and with the
    version where one has several. The same schemas get the same names, in whatever order they come."""
    by_name: dict[str, list[SchemaKey]] = {}
    for key in sorted(set(keys)):
        by_name.setdefault(pascal(key.name, "Event"), []).append(key)
    found: dict[SchemaKey, str] = {}
    for name, some in by_name.items():
        several_vendors = len({key.vendor for key in some}) > 1
        for key in some:
            whose = pascal(key.vendor.rpartition(".")[2], "Vendor") if several_vendors else ""
            several = sum(other.vendor == key.vendor for other in some) > 1
            version = f"V{key.model}_{key.revision}_{key.addition}" if several else ""
            found[key] = scope.take(f"{whose}{name}{version}")
    return found


def comment(text: str, most: int = 500) -> list[str]:
    """Lines for a comment: nothing in them ends it, begins another, or is a line break that only some see."""
    flat = "".join(char if char.isprintable() else " " for char in text[: 4 * most])
    for unsafe, safe in _UNSAFE.items():
        flat = flat.replace(unsafe, safe)
    lines: list[str] = []
    for word in flat[:most].split():
        if lines and len(lines[-1]) + len(word) < 100:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
