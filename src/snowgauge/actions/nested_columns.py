"""Which properties of entities and self-describing events can be columns: those of the schemas that events carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from snowgauge.actions import asked
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.events import now_ms
from snowgauge.errors import SelfDescribingError, SnowgaugeError
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.store.base import Filter, Selection
from snowgauge.store.nested import NestedColumn

_MOST_SCHEMAS = 200
_MOST_PROPERTIES = 300
_DEEPEST = 4
_SCALARS = frozenset({"string", "number", "integer", "boolean", "null"})


@dataclass(frozen=True)
class Property:
    """``name`` is the column's name in filters and lists, ``label`` its path for people. What is not ``filterable``
    holds objects."""

    name: str
    label: str
    type: str
    filterable: bool


@dataclass(frozen=True)
class Carrier:
    """One schema, in all versions of a model: ``entity`` or ``event``, how many events carry it, and its columns."""

    kind: str
    vendor: str
    schema: str
    model: int
    count: int
    columns: list[Property]


def carriers(deployment: Deployment, range_text: str | None, apps: asked.Apps = None) -> list[Carrier]:
    """Of the good events of a time range, the most frequent first. A schema that no registry has is left out."""
    since, until = asked.time_range(range_text, now_ms())
    within = Selection(since, until, asked.of_apps(apps))
    counts: dict[tuple[bool, str, str, int], tuple[int, SchemaKey]] = {}
    for entity, key, count in (*_entities(deployment, within), *_own(deployment, within)):
        family = (entity, key.vendor, key.name, key.model)
        total, newest = counts.get(family, (0, key))
        counts[family] = (total + count, max(newest, key))
    found = []
    for (entity, vendor, name, model), (count, newest) in counts.items():
        try:
            schema = deployment.resolver.schema(newest)
        except SnowgaugeError:
            continue
        whole = NestedColumn(entity, vendor, name, model, ())
        version = Property(str(whole), "schema version", "version", True)
        columns = [version, *islice(_properties(schema, whole), _MOST_PROPERTIES)]
        found.append(Carrier("entity" if entity else "event", vendor, name, model, count, columns))
    return sorted(found, key=lambda one: (-one.count, one.vendor, one.schema, one.model))


def _entities(deployment: Deployment, within: Selection) -> Iterator[tuple[bool, SchemaKey, int]]:
    for bucket in deployment.store.entity_counts("good", within, limit=_MOST_SCHEMAS):
        key = _key(bucket.key)
        if key is not None:
            yield True, key, bucket.count


def _own(deployment: Deployment, within: Selection) -> Iterator[tuple[bool, SchemaKey, int]]:
    """Schemas of self-describing events, by one event of each name."""
    described = Filter("unstruct_event", "some")
    selection = Selection(within.since, within.until, [described, *within.filters])
    for bucket in deployment.store.count_by("good", "event_name", selection, limit=_MOST_SCHEMAS):
        if bucket.key is None or bucket.last is None:
            continue
        named = Filter("event_name", "in", [str(bucket.key)])
        newest = Selection(bucket.last, bucket.last + 1, [described, named, *within.filters])
        for event in deployment.store.events("good", newest, limit=1):
            key = _key(event["unstruct_event"]["data"].get("schema"))
            if key is not None:
                yield False, key, bucket.count


def _key(uri: Any) -> SchemaKey | None:
    try:
        return SchemaKey.parse(str(uri))
    except SelfDescribingError:
        return None


def _properties(schema: dict[str, Any], at: NestedColumn) -> Iterator[Property]:
    properties = schema.get("properties")
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(inner, dict) or not name:
            continue
        column = NestedColumn(at.entity, at.vendor, at.name, at.model, (*at.path, name))
        kinds = _kinds(inner)
        if "object" in kinds and isinstance(inner.get("properties"), dict) and len(column.path) < _DEEPEST:
            yield from _properties(inner, column)
        else:
            items = inner.get("items")
            listed = (
                kinds == {"array"} and isinstance(items, dict) and bool(_kinds(items)) and _kinds(items) <= _SCALARS
            )
            kind = " or ".join(sorted(kinds - {"null"})) or "any"
            yield Property(str(column), ".".join(column.path), kind, listed or not kinds - _SCALARS)


def _kinds(schema: dict[str, Any]) -> set[str]:
    kind = schema.get("type")
    return {str(one) for one in kind} if isinstance(kind, list) else {str(kind)} if kind else set()
