"""Templates: JSON with the places of an event's values, which say what a destination is sent.

A text that is one place, such as ``"{page_url}"``, becomes the value itself, with its JSON type; a key or an item whose
value is not set is left out. A text with places among other characters becomes a text. ``{a|b}`` is the first that is
set; ``{{`` and ``}}`` are braces. ``:`` and a form behind a name change the value:

=========  ==============================================================
``ms``     an instant in milliseconds since 1970 (``us``, ``s``: micro-, whole seconds)
``text``   as text
``word``   letters, digits and ``_`` only, beginning with a letter, at most 40
``short``  a text's first 100 characters
=========  ==============================================================

Names are columns of the canonical event (``user_id``), columns inside of its self-describing data
(``contexts/com.acme/cart/1/total``), ``value.NAME`` for what the settings give, and:

=========  ==============================================================
``event``  the whole event as Snowplow's analytics SDKs print it; a failed event's bad row
``name``   the event's name, as ``names`` has it
``data``   the self-describing event's own data
=========  ==============================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from snowgauge.events.analytics_json import shredded
from snowgauge.events.timestamps import instant_text
from snowgauge.store.base import EventKind
from snowgauge.store.filter_texts import column_of
from snowgauge.store.filters import column_kind
from snowgauge.store.matching import Row, json_of, value_of
from snowgauge.store.nested import NestedColumn, found_in, nested_of

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NOT_A_WORD = re.compile(r"[^A-Za-z0-9_]+")
_LEFT_OUT = object()

JsonValue = Any
Source = Callable[["Subject"], Any]
"""Gives one value of an event; ``None`` where it is not set."""

_DIVISORS = {"ms": 1, "s": 1000}


class WrongTemplate(ValueError):
    """A template that cannot be used; the text says which place, and why."""


class Subject:
    """One event, for which a template is filled in."""

    def __init__(self, row: Row) -> None:
        self.row = row

    @cached_property
    def canonical(self) -> dict[str, Any]:
        return json_of(self.row)


class Vocabulary:
    """What places can name, for one kind of event. ``values`` are those that the settings give."""

    def __init__(self, kind: EventKind, values: Mapping[str, str], names: Mapping[str, str]) -> None:
        self._kind: EventKind = kind
        self._values = values
        self._names = names

    def source(self, place: str) -> Source:
        """Raises ``WrongTemplate``."""
        alternatives = [self._one(text) for text in place.split("|")]
        if len(alternatives) == 1:
            return alternatives[0]
        return lambda subject: next((found for one in alternatives if (found := one(subject)) is not None), None)

    def _one(self, text: str) -> Source:
        name, colon, form = text.partition(":")
        source = self._plain(name)
        if not colon:
            return source
        if form in ("ms", "us", "s"):
            column = column_of(name, self._kind)
            if column is None or nested_of(self._kind, column) or column_kind(self._kind, column) != "timestamp":
                raise WrongTemplate(f"{{{text}}}: {form} is for columns that hold an instant")
            return _instant(column, form)
        if form not in _FORMS:
            known = ", ".join(("ms", "us", "s", *_FORMS))
            raise WrongTemplate(f"{{{text}}}: there is no form {form[:40]!r}; use one of {known}")
        shape = _FORMS[form]
        return lambda subject: None if (found := source(subject)) is None else shape(found)

    def _plain(self, name: str) -> Source:
        if name.startswith("value."):
            key = name.removeprefix("value.")
            if key not in self._values:
                raise WrongTemplate(f"{{{name}}}: `values` has no {key!r}")
            value = self._values[key]
            return lambda _: value
        special: dict[str, Source] = {"event": self._event, "name": self._name, "data": self._data}
        if name in special:
            return special[name]
        column = column_of(name, self._kind)
        if column is None:
            raise WrongTemplate(
                f"{{{name}}}: write a column of {self._kind} events, a column inside of their self-describing data, "
                "event, name, data, or value.NAME"
            )
        nested = nested_of(self._kind, column)
        return _column(self._kind, column) if nested is None else _nested(nested)

    def _event(self, subject: Subject) -> Any:
        return subject.canonical["bad_row"] if self._kind == "failed" else shredded(subject.canonical)

    def _name(self, subject: Subject) -> Any:
        name = subject.canonical["event_name"] or subject.canonical.get("event")
        return self._names.get(name, name) if name else None

    def _data(self, subject: Subject) -> Any:
        if self._kind == "failed":
            return subject.canonical["data"]
        own = subject.canonical["unstruct_event"]
        return own["data"]["data"] if own else None


def _column(kind: EventKind, column: str) -> Source:
    if column_kind(kind, column) == "timestamp":
        return _instant(column, "iso")
    number = column_kind(kind, column) in ("money", "double") and kind != "failed"

    def value(subject: Subject) -> Any:
        found = subject.canonical[column]
        if found == "":
            return None
        return float(found) if number and value_of(subject.row, column) is not None else found

    return value


def _instant(column: str, form: str) -> Source:
    def value(subject: Subject) -> Any:
        at = value_of(subject.row, column)
        if at is None or form == "iso":
            return None if at is None else instant_text(at)
        return at * 1000 if form == "us" else at // _DIVISORS[form]

    return value


def _nested(column: NestedColumn) -> Source:
    def value(subject: Subject) -> Any:
        found = found_in(subject.canonical, column)
        return found if len(found) > 1 else found[0] if found else None

    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _word(value: Any) -> str | None:
    word = _NOT_A_WORD.sub("_", _text(value)).lstrip("_0123456789")[:40]
    return word or None


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "word": _word,
    "short": lambda value: value[:100] if isinstance(value, str) else value,
}


class Template:
    """A JSON value with places. ``lists`` are names that stand for a list or an item of what is sent, instead of for a
    value of an event: ``events``, ``item``."""

    def __init__(self, value: JsonValue, vocabulary: Vocabulary, lists: tuple[str, ...] = ()) -> None:
        """Raises ``WrongTemplate``."""
        self._fill = _made(value, vocabulary, lists)

    def fill(self, row: Row, lists: Mapping[str, Any] | None = None) -> Any:
        """The value for an event; ``None`` where nothing of it is set."""
        found = self._fill(Subject(row), lists or {})
        return None if found is _LEFT_OUT else found


_Fill = Callable[[Subject, Mapping[str, Any]], Any]


def _made(value: JsonValue, vocabulary: Vocabulary, lists: tuple[str, ...]) -> _Fill:
    if isinstance(value, str):
        return _made_of_text(value, vocabulary, lists)
    if isinstance(value, Mapping):
        inner = {str(key): _made(item, vocabulary, lists) for key, item in value.items()}
        return lambda subject, given: {
            key: found for key, fill in inner.items() if (found := fill(subject, given)) is not _LEFT_OUT
        }
    if isinstance(value, list):
        items = [_made(item, vocabulary, lists) for item in value]
        return lambda subject, given: [found for fill in items if (found := fill(subject, given)) is not _LEFT_OUT]
    return lambda _subject, _given: value


def _made_of_text(text: str, vocabulary: Vocabulary, lists: tuple[str, ...]) -> _Fill:
    pieces = list(_pieces(text))
    if len(pieces) == 1 and isinstance(pieces[0], tuple):
        (name,) = pieces[0]
        if name in lists:
            return lambda _subject, given: given[name]
        source = vocabulary.source(name)
        return lambda subject, _: _LEFT_OUT if (found := source(subject)) is None else found
    parts: list[str | Source] = [vocabulary.source(one[0]) if isinstance(one, tuple) else one for one in pieces]

    def fill(subject: Subject, _: Mapping[str, Any]) -> str:
        texts = (part if isinstance(part, str) else part(subject) for part in parts)
        return "".join("" if one is None else _text(one) for one in texts)

    return fill


def _pieces(text: str) -> Iterator[str | tuple[str]]:
    """Texts, and names of places as tuples of one."""
    at = 0
    for found in _PLACE.finditer(text):
        if found.start() > at:
            yield text[at : found.start()]
        at = found.end()
        if found[0] in ("{{", "}}"):
            yield found[0][0]
        elif found[1] is None:
            raise WrongTemplate(f"{text[:60]!r}: a single {found[0]}; write {found[0] * 2} for the character")
        else:
            yield (found[1],)
    if at < len(text):
        yield text[at:]


def filled_text(text: str, values: Mapping[str, str], encode: Callable[[str], str]) -> str:
    """A text with places of ``value.NAME`` only, such as an address; ``encode`` is applied to each value.

    Raises ``WrongTemplate``.
    """
    out = []
    for piece in _pieces(text):
        if isinstance(piece, str):
            out.append(piece)
        elif (key := piece[0].removeprefix("value.")) not in values or key == piece[0]:
            raise WrongTemplate(f"{{{piece[0]}}}: only value.NAME can stand here, with a NAME that `values` has")
        else:
            out.append(encode(values[key]))
    return "".join(out)
