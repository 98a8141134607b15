"""By what an event, a failed event or a request is recognised as a person's.

A *mark* is a kind and a text: ``("user_id", "ann")``, ``("email", "ann@example.com")``. Every form in which data is
kept yields the same marks for the same person: a column of an event; a property of an entity; a parameter of a
request, also inside of a form body, of Base64 or of another JSON text; a cookie; a header with an address. E-mail
addresses count wherever they stand. ``words`` yields every word of every text as well (kind ``word``), for
identifiers that stand somewhere else.

What a name means is decided by the name alone (``userId``, ``user_id`` and ``userid`` are one). A property that says
``userId`` counts as any of the three ids, since trackers use it for device ids too (client_session).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, unquote_plus

import msgspec

from snowgauge.errors import PayloadRecordError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.json_text import BadJson, stored
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode
from snowgauge.events.selfdescribing import SelfDescribing

Kind = Literal["user_id", "domain_userid", "network_userid", "ip", "email", "word"]
Mark = tuple[Kind, str]

_IDS: tuple[Kind, ...] = ("user_id", "domain_userid", "network_userid")
_COLUMNS: dict[str, tuple[Kind, ...]] = {
    "user_id": ("user_id",),
    "domain_userid": ("domain_userid",),
    "refr_domain_userid": ("domain_userid",),
    "network_userid": ("network_userid",),
    "user_ipaddress": ("ip",),
}
"""Columns of an event: exact, unlike a property of the same name."""
_NAMES: dict[str, tuple[Kind, ...]] = {
    "uid": ("user_id",),
    "duid": ("domain_userid",),
    "domainuserid": ("domain_userid",),
    "refrdomainuserid": ("domain_userid",),
    "nuid": ("network_userid",),
    "tnuid": ("network_userid",),
    "networkuserid": ("network_userid",),
    "sp": ("network_userid",),
    "useripaddress": ("ip",),
    "ipaddress": ("ip",),
    "ip": ("ip",),
    "userip": ("ip",),
    "clientip": ("ip",),
    "remoteaddr": ("ip",),
    "xforwardedfor": ("ip",),
    "xrealip": ("ip",),
    "userid": _IDS,
    "previoususerid": _IDS,
}
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_WORD = re.compile(r"[\w.@+\-:]+")
_BASE64 = re.compile(r"[A-Za-z0-9_\-+/]{8,}={0,2}")
_NOT_NAME = re.compile(r"[^a-z0-9]")
_HEADER = re.compile(r"([A-Za-z0-9-]+):\s*(.*)", re.DOTALL)
_DEPTH = 24


class Marks:
    """Finds marks. ``names``: further names of properties that hold an id of a person, beside ``userId`` and the like.

    A value without state; safe to share.
    """

    def __init__(self, names: Iterable[str] = (), *, words: bool = False) -> None:
        self._names = dict(_NAMES)
        for name in names:
            self._names.setdefault(_normal(name), _IDS)
        self._words = words

    def of(self, item: EnrichedEvent | FailedEvent | CollectorPayload | bytes | Any) -> Iterator[Mark]:
        """All marks of an event, a failed event, a request (also as its record) or any JSON value. May repeat.

        Of a failed event that is one of a request's many, the request itself is left out: see ``pruning``.
        """
        if isinstance(item, EnrichedEvent):
            for name in EnrichedEvent.__struct_fields__:
                value = getattr(item, name)
                if value is not None and value != []:
                    yield from self._column(name, value)
        elif isinstance(item, FailedEvent):
            yield from self._json("", item.data, 0)
            if item.event_id and self._words:
                yield ("word", item.event_id.lower())
            yield from self._text("", item.message, 0)
            if item.record is not None and item.event_index is None:
                yield from self.of(item.record)
        elif isinstance(item, bytes):
            try:
                yield from self.of(decode(item))
            except PayloadRecordError:
                yield from self._text("", item.decode("utf-8", "replace"), 0)
        elif isinstance(item, CollectorPayload):
            yield from self._payload(item)
        else:
            yield from self._json("", item, 0)

    def frame(self, payload: CollectorPayload) -> Iterator[Mark]:
        """Marks of a request without its body."""
        return self._payload(msgspec.structs.replace(payload, body=None))

    def _payload(self, payload: CollectorPayload) -> Iterator[Mark]:
        for name in CollectorPayload.__struct_fields__:
            value = getattr(payload, name)
            if name == "headers":
                for header in value or ():
                    yield from self._header(header)
            elif isinstance(value, str):
                yield from self._text(name, value, 0)

    def _header(self, header: str) -> Iterator[Mark]:
        found = _HEADER.match(header)
        name, value = (found[1].lower(), found[2]) if found else ("", header)
        if name == "cookie":
            for one in value.split(";"):
                key, _, text = one.strip().partition("=")
                yield from self._text(key, text, 0)
                if key.startswith("_sp_id"):
                    yield ("domain_userid", text.partition(".")[0])
                else:
                    yield ("network_userid", text)  # the cookie's name is a setting of the collector
        elif name in ("x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip"):
            for one in re.split(r"[,;=\s\"]+", value):
                if one:
                    yield ("ip", one)
        else:
            yield from self._text(name, value, 0)
        if name and self._words:
            yield from self._plain(value)

    def _column(self, name: str, value: Any) -> Iterator[Mark]:
        if isinstance(value, SelfDescribing):
            yield from self._json("", value.data, 0)
        elif isinstance(value, list):
            for entity in value:
                yield from self._json("", entity.data, 0)
        elif isinstance(value, str):
            for kind in _COLUMNS.get(name, ()):
                yield (kind, value)
            yield from self._text("" if name in _COLUMNS else name, value, 0)

    def _json(self, name: str, value: Any, depth: int) -> Iterator[Mark]:
        if depth > _DEPTH or value is None or isinstance(value, bool):
            return
        if isinstance(value, dict):
            if value.keys() == {"name", "value"} and isinstance(value["name"], str):
                yield from self._json(value["name"], value["value"], depth + 1)
                return
            for key, inner in value.items():
                if self._words:
                    yield from self._plain(key)
                yield from self._json(key, inner, depth + 1)
        elif isinstance(value, list):
            for inner in value:
                if name == "headers" and isinstance(inner, str):
                    yield from self._header(inner)
                else:
                    yield from self._json(name, inner, depth + 1)
        elif isinstance(value, str):
            yield from self._text(name, value, depth)
        else:
            for kind in self._names.get(_normal(name), ()):
                yield (kind, str(value))
            if self._words:
                yield ("word", str(value))

    def _text(self, name: str, text: str, depth: int) -> Iterator[Mark]:
        for kind in self._names.get(_normal(name), ()):
            yield (kind, text)
        if name == "_sp":
            yield ("domain_userid", text.partition(".")[0])
        yield from self._plain(text)
        if depth < _DEPTH:
            yield from self._nested(name, text, depth)

    def _plain(self, text: str) -> Iterator[Mark]:
        unquoted = unquote_plus(text) if "%" in text else text
        for form in (text,) if unquoted == text else (text, unquoted):
            if "@" in form:
                for found in _EMAIL.findall(form):
                    yield ("email", found.lower())
                    if "=" in found or "/" in found:  # an address of a form or of a path, not of a person, before it
                        yield ("email", re.split(r"[=/]", found.lower())[-1])
            if self._words:
                whole = form.strip().lower()
                yield ("word", whole)
                for word in _WORD.findall(form):
                    yield ("word", word.strip(".-:").lower())
                    for part in re.split(r"[.:]", word):
                        yield ("word", part.lower())

    def _nested(self, name: str, text: str, depth: int) -> Iterator[Mark]:
        start = text.lstrip()[:1]
        if start in ("{", "[", '"'):  # JSON, also a JSON text of nothing but a string
            try:
                inner = any_json(text)
            except BadJson:
                inner = None
            if isinstance(inner, dict | list | str):
                yield from self._json(name, inner, depth + 1)
                return
        if "=" in text and not _BASE64.fullmatch(text):
            query = text.partition("?")[2] or text
            for key, value in parse_qsl(query.partition("#")[0], keep_blank_values=False):
                if value != text:
                    yield from self._text(key, value, depth + 1)
        elif _BASE64.fullmatch(text):
            decoded = _base64(text)
            if decoded is not None:
                yield from self._json(name, decoded, depth + 1)


def any_json(raw: str | bytes) -> Any:
    """What JSON text says. Integers of any size stay whole, since an identifier may be one. Raises ``BadJson``."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return stored(raw)


def _base64(text: str) -> Any:
    """The JSON inside; ``None`` when there is none."""
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        return None
    if raw[:1] not in (b"{", b"[", b'"'):
        return None
    try:
        return any_json(raw)
    except BadJson:
        return None


def _normal(name: str) -> str:
    return _NOT_NAME.sub("", name.lower())


class Person(msgspec.Struct, frozen=True):
    """Who is meant: any of these marks is enough. Build with ``person``."""

    marks: frozenset[Mark]

    @property
    def words(self) -> bool:
        return any(kind == "word" for kind, _ in self.marks)

    @property
    def values(self) -> list[str]:
        """What to look for in text, also as URLs and JSON write it."""
        values = {value for _, value in self.marks}
        written = {json.dumps(value)[1:-1] for value in values} | {value.replace("/", "\\/") for value in values}
        return sorted(values | written | {quote(value, safe="") for value in values} | set(map(quote, values)))


def person(identifiers: Iterable[tuple[str, str]]) -> Person:
    """From kinds and values as they were given: e-mail addresses and words count in any case. Raises ``ValueError``."""
    marks: set[Mark] = set()
    for kind, given in identifiers:
        value = given.strip()
        if not value:
            raise ValueError(f"the {kind.replace('_', '-')} is empty: it would mean everyone who has none")
        match kind:
            case "email":
                if not _EMAIL.fullmatch(value):
                    raise ValueError(f"{value!r} is not an e-mail address: use --anywhere for other words")
                marks.add(("email", value.lower()))
            case "word":
                if len(value) < 4:
                    raise ValueError(f"{value!r} is too short to be looked for in all text: it would meet strangers")
                marks.add(("word", value.lower()))
            case "user_id" | "domain_userid" | "network_userid" | "ip":
                marks.add((kind, value))
            case _:
                raise ValueError(f"unknown kind of identifier {kind!r}")
    if not marks:
        raise ValueError("say whom: no identifier was given")
    return Person(frozenset(marks))


class Finder:
    """Is this someone's?"""

    def __init__(self, wanted: Person, names: Iterable[str] = ()) -> None:
        self.person = wanted
        self.marks = Marks(names, words=wanted.words)

    def by(self, item: Any) -> Mark | None:
        """The first mark by which the item is this person's; ``None``: it is not."""
        wanted = self.person.marks
        return next((mark for mark in self.marks.of(item) if mark in wanted), None)

    def by_any(self, marks: Iterable[Mark]) -> bool:
        return any(mark in self.person.marks for mark in marks)
