"""Paths of Snowplow's event-recovery configuration (event-recovery 0.7.2).

Names, ``[n]``, and filters ``[?(@.a.b=~regex)]`` that take all matching elements of an array. Below ``parameters`` and
``querystring`` a name is that of the pair; ``cx`` and ``ue_px`` are decoded and encoded again on the way, ``co``,
``ue_pr``, ``contexts`` and ``derived_contexts`` parsed and printed again.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from snowgauge.enrich.transform.base64_text import decode_text
from snowgauge.errors import ActionRefused
from snowgauge.events.json_text import MOST_DEPTH, BadJson, compact, read

_TOKEN = re.compile(
    r"\.?(?P<name>[A-Za-z0-9_-]+)|\[(?P<index>\d+)\]|\[\?\(@\.(?P<field>[A-Za-z0-9_.-]+)\s*=~\s*(?P<regex>.*?)\)\]"
)
_PAIRS = ("parameters", "querystring")
_BASE64 = ("cx", "ue_px")
_TEXT = ("co", "ue_pr", "contexts", "derived_contexts", "unstruct_event")


class Matching(NamedTuple):
    """Elements of which a field matches."""

    field: tuple[str, ...]
    regex: re.Pattern[str]


Token = str | int | Matching


class PathMissing(Exception):
    """Nothing is at the path."""


class RecoveryPath(NamedTuple):
    text: str
    tokens: tuple[Token, ...]

    def values(self, data: Any) -> list[Any]:
        """What is there, decoded."""
        found: list[Any] = []

        def see(value: Any) -> Any:
            found.append(value)
            return value

        try:
            _change(data, self.tokens, see, copy=False)
        except PathMissing:
            return []
        return found

    def change(self, data: Any, act: Callable[[Any], Any]) -> Any:
        """The data with every value at the path replaced. Raises ``PathMissing``."""
        return _change(data, self.tokens, act, copy=True)


def parse_path(text: Any, place: str) -> RecoveryPath:
    """Raises ``ActionRefused``."""
    if not isinstance(text, str) or not text.startswith("$"):
        raise ActionRefused(f"{place}: a path begins with $, found {text!r}")
    tokens: list[Token] = []
    at = 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ActionRefused(f"{place}: the path {text!r} cannot be read from {text[at:]!r} on")
        if found["name"] is not None:
            tokens.append(found["name"])
        elif found["index"] is not None:
            tokens.append(int(found["index"]))
        else:
            try:
                tokens.append(Matching(tuple(found["field"].split(".")), re.compile(found["regex"])))
            except re.error as error:
                raise ActionRefused(f"{place}: {found['regex']!r}: {error}") from None
        at = found.end()
    return RecoveryPath(text, tuple(tokens))


def _change(value: Any, tokens: tuple[Token, ...], act: Callable[[Any], Any], *, copy: bool) -> Any:
    if not tokens:
        return act(value)
    token, rest = tokens[0], tokens[1:]
    if isinstance(token, str):
        return _named(value, token, rest, act, copy=copy)
    if not isinstance(value, list):
        raise PathMissing
    chosen = [
        at for at, item in enumerate(value) if at == token or (isinstance(token, Matching) and _fits(item, token))
    ]
    if not chosen:
        raise PathMissing
    out = list(value)
    for at in chosen:
        out[at] = _change(value[at], rest, act, copy=copy)
    return out


def _named(value: Any, name: str, rest: tuple[Token, ...], act: Callable[[Any], Any], *, copy: bool) -> Any:
    if isinstance(value, list):  # pairs of parameters or of a querystring
        at = next((i for i, p in enumerate(value) if isinstance(p, dict) and p.get("name") == name), None)
        if at is None:
            raise PathMissing
        pair = value[at]
        changed = {**pair, "value": _coded(name, pair.get("value"), rest, act, copy=copy)}
        return [*value[:at], changed, *value[at + 1 :]]
    if not isinstance(value, dict) or name not in value:
        raise PathMissing
    return {**value, name: _coded(name, value[name], rest, act, copy=copy)}


def _coded(name: str, value: Any, rest: tuple[Token, ...], act: Callable[[Any], Any], *, copy: bool) -> Any:
    if isinstance(value, str) and name in _BASE64:
        text = decode_text(value)
        if rest:
            inner = _parsed(text)
            changed = compact(_change(inner, rest, act, copy=copy))
        else:
            changed = act(text)
        return (
            base64.urlsafe_b64encode(changed.encode("utf-8", "replace")).decode()
            if isinstance(changed, str)
            else changed
        )
    if isinstance(value, str) and name in _TEXT and rest:
        return compact(_change(_parsed(value), rest, act, copy=copy))
    return _change(value, rest, act, copy=copy)


def _parsed(text: str) -> Any:
    try:
        return read(text, MOST_DEPTH)
    except BadJson:
        raise PathMissing from None


def _fits(item: Any, wanted: Matching) -> bool:
    for name in wanted.field:
        if not isinstance(item, dict) or name not in item:
            return False
        item = item[name]
    text = item if isinstance(item, str) else compact(item)
    return wanted.regex.search(text) is not None


__all__ = ["PathMissing", "RecoveryPath", "parse_path"]
