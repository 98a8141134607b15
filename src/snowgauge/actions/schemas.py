"""The schemas of a deployment for people: what there is, what uses it, how versions differ, and publishing new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from snowgauge.actions.deployment import Deployment
from snowgauge.actions.events import now_ms
from snowgauge.actions.failed.instances import instances_of_group, schema_of_group
from snowgauge.errors import ActionRefused, SelfDescribingError, SnowgaugeError
from snowgauge.events.json_text import plain
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.diff import Change as DiffChange
from snowgauge.iglu.diff import diff, needed_part
from snowgauge.iglu.infer import infer
from snowgauge.iglu.lint import lint
from snowgauge.iglu.publish import NotPublished, publish
from snowgauge.store.base import Filter, Selection

_DAY = 86_400_000
_NAME_COLUMNS = ("event_vendor", "event_name", "event_version")


@dataclass(frozen=True)
class Use:
    """Events and failures of the last 24 hours; times in ms."""

    events: int = 0
    failed: int = 0
    last: int | None = None


@dataclass(frozen=True)
class CatalogueEntry:
    """One schema in all its versions, newest last. ``listed`` is false for one that only events name."""

    vendor: str
    name: str
    versions: list[str]
    local: bool
    listed: bool
    use: Use
    kind: str


@dataclass(frozen=True)
class Field:
    """One line of the readable view."""

    path: str
    type: str
    required: bool
    rules: str
    description: str


@dataclass(frozen=True)
class Remark:
    level: str
    pointer: str
    message: str


@dataclass(frozen=True)
class SchemaView:
    uri: str
    description: str
    document: dict[str, Any]
    fields: list[Field]
    remarks: list[Remark]
    versions: list[str]


@dataclass(frozen=True)
class Change:
    """``breaking``: data that was valid before may no longer be."""

    effect: str
    pointer: str
    message: str


@dataclass(frozen=True)
class Comparison:
    """``advice`` is the part of the version that SchemaVer asks to raise: model, addition or none."""

    changes: list[Change]
    breaking: bool
    advice: str


@dataclass(frozen=True)
class Publication:
    """``breaking`` are changes that the new version's number does not admit."""

    uri: str
    unchanged: bool
    breaking: list[Change]


def catalogue(deployment: Deployment) -> list[CatalogueEntry]:
    """Everything that the registries list and everything that recent events name."""
    local = set(deployment.schemas.keys())
    listed = set(deployment.resolver.keys()) | local
    uses, kinds = _uses(deployment)
    named = {key for key in map(_key, uses) if key is not None}
    families: dict[tuple[str, str], list[SchemaKey]] = {}
    for key in sorted(listed | named):
        families.setdefault((key.vendor, key.name), []).append(key)
    entries = []
    for (vendor, name), keys in families.items():
        used = [uses[key.uri] for key in keys if key.uri in uses]
        use = Use(
            sum(one.events for one in used),
            sum(one.failed for one in used),
            max((one.last for one in used if one.last), default=None),
        )
        kind = next((kinds[key.uri] for key in keys if key.uri in kinds), "")
        entries.append(
            CatalogueEntry(
                vendor, name, [key.version for key in keys], any(key in local for key in keys),
                any(key in listed for key in keys), use, kind,
            )
        )  # fmt: skip
    return sorted(entries, key=lambda entry: (-entry.use.events - entry.use.failed, entry.vendor, entry.name))


def _uses(deployment: Deployment) -> tuple[dict[str, Use], dict[str, str]]:
    """By schema URI; what cannot be asked is not shown."""
    within = Selection(now_ms() - _DAY)
    uses: dict[str, Use] = {}
    kinds: dict[str, str] = {}
    store = deployment.store
    try:
        for bucket in store.entity_counts("good", within, limit=500):
            uses[str(bucket.key)] = Use(bucket.count, 0, bucket.last)
            kinds[str(bucket.key)] = "entity"
        for bucket in store.count_by("good", "event_name", within, limit=200):
            named = Selection(within.since, None, [Filter("event_name", "in", [str(bucket.key)])])
            since = Selection(bucket.last, None, named.filters)
            newest = store.events("good", since, limit=1, columns=_NAME_COLUMNS) if bucket.last else []
            for event in newest:
                parts = tuple(event.get(column) for column in _NAME_COLUMNS)
                if all(parts):
                    uri = f"iglu:{parts[0]}/{parts[1]}/jsonschema/{parts[2]}"
                    uses[uri] = Use(bucket.count, 0, bucket.last)
                    kinds[uri] = "event"
        for bucket in store.count_by("failed", "schema", within, limit=200):
            if bucket.key is not None:
                before = uses.get(str(bucket.key), Use())
                last = max(before.last or 0, bucket.last or 0) or None
                uses[str(bucket.key)] = Use(before.events, bucket.count, last)
    except SnowgaugeError:
        return uses, kinds
    return uses, kinds


def _key(uri: str) -> SchemaKey | None:
    try:
        return SchemaKey.parse(uri)
    except SelfDescribingError:
        return None


def parse(vendor: str, name: str, version: str) -> SchemaKey:
    """Raises ``SelfDescribingError``."""
    return SchemaKey.parse(f"iglu:{vendor}/{name}/jsonschema/{version}")


def view(deployment: Deployment, key: SchemaKey) -> SchemaView:
    """Raises ``SchemaResolutionError`` when no registry has it."""
    # the resolver believes for a moment that a schema published just now is missing
    here = deployment.schemas.lookup(key)
    document = here if isinstance(here, dict) else deployment.resolver.schema(key)
    remarks = [Remark(one.level, one.pointer, one.message) for one in lint(document, key)]
    known = deployment.resolver.keys()
    versions = sorted({other.version for other in known if _same(other, key)} | {key.version})
    return SchemaView(
        key.uri, str(document.get("description") or ""), document, list(_fields(document)), remarks, versions
    )


def _same(one: SchemaKey, other: SchemaKey) -> bool:
    return (one.vendor, one.name, one.format) == (other.vendor, other.name, other.format)


_RULES = ("enum", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "multipleOf", "minItems",
          "maxItems", "const")  # fmt: skip


def _fields(schema: dict[str, Any], path: str = "", depth: int = 0) -> list[Field]:
    """Properties as lines, those of inner objects below theirs."""
    found: list[Field] = []
    properties = schema.get("properties")
    required = schema.get("required") or []
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(inner, dict):
            continue
        at = f"{path}.{name}" if path else str(name)
        rules = ", ".join(f"{rule} {_short(inner[rule])}" for rule in _RULES if rule in inner)
        found.append(Field(at, _type(inner), name in required, rules, str(inner.get("description") or "")))
        if depth < 8:
            items = inner.get("items")
            nested, mark = (items, "[]") if isinstance(items, dict) else (inner, "")
            found += _fields(nested, at + mark, depth + 1)
    return found


def _type(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    return " | ".join(map(str, kind)) if isinstance(kind, list) else str(kind or "any")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 60 else text[:57] + "..."


def check(document: Any) -> list[Remark]:
    """Errors and warnings of a schema before it is published."""
    return [Remark(one.level, one.pointer, one.message) for one in lint(document)]


def compare(before: dict[str, Any], after: dict[str, Any]) -> Comparison:
    """What changed, and whether that breaks data that was valid."""
    found = diff(before, after)
    return Comparison(_changes(found), any(one.effect == "breaking" for one in found), needed_part(found))


def _changes(found: list[DiffChange]) -> list[Change]:
    return [Change(one.effect, one.pointer, one.message) for one in found]


def publish_local(deployment: Deployment, document: dict[str, Any]) -> Publication:
    """Put a schema into the registry of this deployment, from which its pipeline resolves."""
    try:
        done = publish(document, deployment.schemas, deployment.resolver)
    except NotPublished as refused:
        more = "; ".join(f"{one.pointer or '/'}: {one.message}" for one in refused.findings if one.level == "error")
        raise ActionRefused(f"{refused}{f' ({more})' if more else ''}", status=409) from None
    return Publication(done.key.uri, done.unchanged, _changes(done.breaking))


def infer_from_failures(deployment: Deployment, cause: str, uri: str | None = None) -> dict[str, Any]:
    """A draft that the data of one cause's failures fit; ``uri`` names it, else the schema at fault."""
    at_fault = schema_of_group(deployment.store, cause)
    try:
        data = (plain(one) for one in instances_of_group(deployment.store, cause, at_fault))
        return infer(SchemaKey.parse(uri or at_fault), data)
    except ValueError as error:
        raise ActionRefused(str(error), status=409) from None


def infer_from_examples(uri: str, examples: Sequence[Any]) -> dict[str, Any]:
    """A draft that all examples fit. Self-describing JSON stands for its data. Raises ``ActionRefused``."""
    try:
        return infer(SchemaKey.parse(uri), [plain(_data_of(one)) for one in examples])
    except SelfDescribingError as error:
        raise ActionRefused(f"{uri[:200]!r} is no schema URI ({error.code})", status=422) from None
    except ValueError as error:
        raise ActionRefused(str(error), status=422) from None


def _data_of(example: Any) -> Any:
    wrapped = isinstance(example, dict) and example.keys() == {"schema", "data"}
    return example["data"] if wrapped else example
