"""What events of one name carry: properties and entities, how often each is there and as what; and what changed.

Taken from a sample of the last full day and one of the 14 days before. A value is told only where several people sent
it, and never one that looks like it says who someone is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

OWN = "event"
"""The carrier of the event's own properties; others are entities."""
LEAST = 30
"""Events that a sample has to have before its shares say something."""
MOST_PROPERTIES = 500
MOST_VALUES = 10
LEAST_PEOPLE = 5
_DEEPEST = 6
_LONGEST_VALUE = 100
_OFTEN, _SELDOM, _SHIFT, _CERTAIN = 95.0, 50.0, 20.0, 4.0
_NEW_TYPE, _NO_TYPE = 5.0, 1.0
_SENSITIVE_NAME = re.compile(
    r"mail|phone|passw|token|secret|address|birth|iban|card|ssn|name$|^ip$|user", re.IGNORECASE
)
_SENSITIVE_VALUE = re.compile(r"[^@\s]@[^@\s]+\.[a-z]|^\+?[0-9][0-9 ()/-]{7,}$|^eyJ|^[0-9a-f-]{32,}$", re.IGNORECASE)

PropertyDriftKind = Literal["property_gone", "new_property", "type_changed", "presence_shift"]


@dataclass(frozen=True)
class TypeShare:
    """Of the values that are there, in per cent."""

    type: str
    share: float


@dataclass(frozen=True)
class ValueShare:
    value: str
    share: float


@dataclass(frozen=True)
class PropertyUse:
    """``carrier``: ``event``, or `vendor/name` of an entity. ``presence``: in per cent of the events, of an entity's
    property of those entities. ``distinct``: different values in the sample. ``least``, ``most``: of numbers, and of
    texts their lengths. ``values``: the most frequent, where they may be told."""

    carrier: str
    path: str
    types: list[TypeShare]
    presence: float
    distinct: int
    least: float | None
    most: float | None
    values: list[ValueShare]


@dataclass(frozen=True)
class EntityUse:
    """``presence``: in per cent of the events. ``least``, ``most``: how many an event has that has any."""

    schema: str
    presence: float
    least: int
    most: int


@dataclass(frozen=True)
class PropertyDrift:
    """``subject``: the path of the event's own property, or an entity and the path in it. ``before`` and ``after`` in
    words."""

    kind: PropertyDriftKind
    subject: str
    before: str
    after: str


@dataclass
class _Seen:
    events: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: dict[str, set[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    least: float = math.inf
    most: float = -math.inf

    def add(self, value: Any, person: str) -> None:
        self.types[type_of(value)] += 1
        size = _size(value)
        if size is not None:
            self.least, self.most = min(self.least, size), max(self.most, size)
        if isinstance(value, str | int | float | bool):
            text = str(value)[: _LONGEST_VALUE + 1]
            self.counts[text] += 1
            self.values.setdefault(text, set()).add(person)


class Sample:
    """Events of one name, as the store gives them."""

    def __init__(self, events: Iterable[Mapping[str, Any]]) -> None:
        self.events = 0
        self._carriers: Counter[str] = Counter()
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._entities: dict[str, list[int]] = {}
        for event in events:
            self._add(event)

    def properties(self, *, values: bool) -> list[PropertyUse]:
        """By carrier and path. ``values``: whether any are told."""
        return [self._use(carrier, path, seen, values=values) for (carrier, path), seen in sorted(self._seen.items())][
            :MOST_PROPERTIES
        ]

    def entities(self) -> list[EntityUse]:
        """The most frequent first."""
        found = [
            EntityUse(schema, _percent(len(counts), self.events), min(counts), max(counts))
            for schema, counts in self._entities.items()
        ]
        return sorted(found, key=lambda one: (-one.presence, one.schema))

    def _add(self, event: Mapping[str, Any]) -> None:
        self.events += 1
        person = str(event.get("user_id") or event.get("domain_userid") or event.get("network_userid") or "")
        counts: Counter[str] = Counter()
        told: set[tuple[str, str]] = set()
        for schema, data, is_entity in _described(event):
            parts = schema.removeprefix("iglu:").split("/")
            carrier = "/".join(parts[:2]) if is_entity else OWN
            if is_entity:
                counts["/".join((*parts[:2], parts[-1]))] += 1
            self._carriers[carrier] += 1
            for path, value in _leaves(data, "", 0):
                place = (carrier, path)
                if place not in self._seen and len(self._seen) >= MOST_PROPERTIES:
                    continue
                seen = self._seen.setdefault(place, _Seen())
                seen.add(value, person)
                if (carrier, path) not in told:
                    seen.events += 1
                    told.add((carrier, path))
            told = {one for one in told if one[0] != carrier}
        for schema, count in counts.items():
            self._entities.setdefault(schema, []).append(count)

    def _use(self, carrier: str, path: str, seen: _Seen, *, values: bool) -> PropertyUse:
        total = seen.types.total()
        types = [TypeShare(name, _percent(count, total)) for name, count in seen.types.most_common()]
        return PropertyUse(
            carrier, path, types, _percent(seen.events, self._carriers[carrier]), len(seen.counts),
            seen.least if math.isfinite(seen.least) else None, seen.most if math.isfinite(seen.most) else None,
            _values(path, seen, total) if values else [],
        )  # fmt: skip


def compare(before: Sample, after: Sample) -> list[PropertyDrift]:
    """What changed from one sample to another; nothing where either has too few events to say."""
    if before.events < LEAST or after.events < LEAST:
        return []
    was = {(one.carrier, one.path): one for one in before.properties(values=False)}
    now = {(one.carrier, one.path): one for one in after.properties(values=False)}
    found: list[PropertyDrift] = []
    for place in sorted(was.keys() | now.keys()):
        subject = place[1] if place[0] == OWN else " ".join(place)
        then, here = was.get(place), now.get(place)
        if then is None:
            assert here is not None
            found.append(PropertyDrift("new_property", subject, "none", f"in {here.presence:g} % of them"))
            continue
        presence = here.presence if here else 0.0
        known = f"in {then.presence:g} % of them"
        if then.presence >= _OFTEN and presence < _SELDOM:
            found.append(PropertyDrift("property_gone", subject, known, f"in {presence:g} %"))
        elif _shifted(then.presence, presence, before.events, after.events):
            found.append(PropertyDrift("presence_shift", subject, known, f"in {presence:g} %"))
        if here is not None:
            found += _types(subject, then, here)
    return found


def _types(subject: str, then: PropertyUse, here: PropertyUse) -> Iterator[PropertyDrift]:
    shares = {one.type: one.share for one in then.types}
    for one in here.types:
        if one.share > _NEW_TYPE and shares.get(one.type, 0.0) < _NO_TYPE:
            usual = " or ".join(each.type for each in then.types)
            yield PropertyDrift("type_changed", subject, usual, f"{one.type} in {one.share:g} %")


def _shifted(before: float, after: float, events_before: int, events_after: int) -> bool:
    """Is it more than chance, and enough to matter?"""
    if abs(before - after) < _SHIFT:
        return False
    pooled = (before * events_before + after * events_after) / (events_before + events_after) / 100
    error = math.sqrt(pooled * (1 - pooled) * (1 / events_before + 1 / events_after))
    return error > 0 and abs(before - after) / 100 / error > _CERTAIN


def type_of(value: Any) -> str:
    """The JSON type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case Mapping():
            return "object"
        case _:
            return "array"


def own_data(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The data of the event itself, without its entities."""
    for _, data, is_entity in _described(event):
        if not is_entity and isinstance(data, Mapping):
            return data
    return None


def _described(event: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Schema and data of the event itself and of its entities; a structured event has the data of its fields."""
    if event.get("event") == "struct":
        names = ("se_category", "se_action", "se_label", "se_property", "se_value")
        yield "", {name: event[name] for name in names if event.get(name) is not None}, False
    own = event.get("unstruct_event")
    if isinstance(own, Mapping) and isinstance(own.get("data"), Mapping):
        yield str(own["data"].get("schema")), own["data"].get("data"), False
    contexts = event.get("contexts")
    entities = contexts.get("data") if isinstance(contexts, Mapping) else None
    for one in entities if isinstance(entities, Sequence) else ():
        if isinstance(one, Mapping):
            yield str(one.get("schema")), one.get("data"), True


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Every value by its path; elements of a list share one: ``items[].id``."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        if path and not value:
            yield path, value
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        if not value:
            yield path, value
        for inner in value[:50]:
            yield from _leaves(inner, f"{path}[]", depth + 1)
    elif path:
        yield path, value


def _values(path: str, seen: _Seen, total: int) -> list[ValueShare]:
    if _SENSITIVE_NAME.search(path.rpartition(".")[2]):
        return []
    return [
        ValueShare(value, _percent(count, total))
        for value, count in seen.counts.most_common(MOST_VALUES)
        if len(seen.values[value] - {""}) >= LEAST_PEOPLE
        and len(value) <= _LONGEST_VALUE
        and not _SENSITIVE_VALUE.search(value)
    ]


def _size(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return float(len(value)) if isinstance(value, str) else None


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
