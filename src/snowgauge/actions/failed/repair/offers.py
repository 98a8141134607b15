"""What would repair a problem, found from the failure and the schemas there are: an offer is never a text by heart.

Offers that are complete are tried on samples of the cause, and those that help nothing are not made.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from snowgauge.actions.failed.diagnosis import Fault, vendor_of
from snowgauge.actions.failed.document import Document
from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.repair.headline import schema_name, subject
from snowgauge.errors import SchemaResolutionError, SelfDescribingError
from snowgauge.events.json_text import compact
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.contract import Resolver
from snowgauge.iglu.public_vendors import is_public

Action = Literal["edit", "replay", "infer", "new_version", "configure", "leave"]
_MOST_VERSIONS = 5
_CASTS = {"integer": "integer", "number": "number", "string": "string", "boolean": "boolean", "array": "array",
          "object": "json"}  # fmt: skip
_CAST_TITLES = {
    "integer": "Read {name} as a whole number", "number": "Read {name} as a number", "string": "Write {name} as text",
    "boolean": "Read {name} as true or false", "array": "Put {name} into a list", "object": "Read {name} as JSON",
}  # fmt: skip


@dataclass(frozen=True)
class ValueWanted:
    """What a person adds to an offer: a value of ``option`` at ``path``; with option ``replace`` one for each value
    that was sent. ``choices``: the values that the schema allows, where it lists them; ``types``: what it may be."""

    option: Literal["default", "replace", "set", "schema", "rename"]
    path: str
    choices: list[Any] = field(default_factory=list)
    types: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Offer:
    """``edits`` are as on the command line. ``helps``: of how many samples fewer things were wrong with it (``None``:
    it cannot be tried). ``schema``: what to publish."""

    title: str
    action: Action
    edits: EditOptions = field(default_factory=EditOptions)
    asked: ValueWanted | None = None
    helps: int | None = None
    schema: str | None = None


def offers_for(fault: Fault, document: Document, resolver: Resolver) -> Iterator[Offer]:
    """The least invasive first."""
    maker = _Maker(fault, document, resolver)
    match fault.kind:
        case "invalid":
            yield from maker.invalid()
        case "atomic":
            yield from maker.atomic()
        case "resolution" | "broken schema" | "criterion":
            yield from maker.schemas(fault.kind == "resolution")
        case "not json" | "not self-describing":
            yield from maker.removal("the part")
        case "enrichment":
            yield Offer("Correct the configuration of the enrichment, then try again", "configure")
        case "unsupported" | "path":
            yield Offer("Leave them: scanners send such requests", "leave")
        case "size kept":
            yield Offer("Raise enrich.max_record_size, then try again", "configure")


def general_place(place: str, document: Document) -> str:
    """The place in every event of a cause: entities by their schema, elements of lists by no number."""
    root = re.match(r"^contexts\[(\d+)\]", place)
    rest = place
    head = ""
    if root:
        entities = document.get("contexts") or []
        at = int(root[1])
        uri = entities[at].get("schema") if at < len(entities) and isinstance(entities[at], Mapping) else None
        name = "/".join(str(uri).removeprefix("iglu:").split("/")[:2]) if uri else "*"
        head, rest = f"contexts[{name}]", place[root.end() :]
    return head + re.sub(r"\[\d+\]", "[*]", rest)


class _Maker:
    def __init__(self, fault: Fault, document: Document, resolver: Resolver) -> None:
        self._fault = fault
        self._resolver = resolver
        self._place = None if fault.place is None else general_place(fault.place, document)
        self._name = (subject(fault) or "the data").split(".")[-1]
        self._key = _key(fault.schema)
        self._schema: dict[str, Any] = {}
        if self._key is not None:
            try:
                self._schema = resolver.schema(self._key)
            except SchemaResolutionError:
                self._schema = {}

    def invalid(self) -> Iterator[Offer]:
        place, keyword = self._place, self._fault.keyword
        if place is not None and '["' not in place:  # a name with a dot in it cannot be taken apart here
            if keyword == "type":
                yield from self._casts(place)
            elif keyword == "required":
                yield from self._fills(place)
            elif keyword == "additionalProperties":
                yield from self._renames(place)
            else:
                yield from self._values(place)
        yield from self._versions()
        if place is not None and keyword != "required" and place.rpartition(".")[2] not in self._required():
            yield Offer(f"Remove {self._name}", "edit", EditOptions(unset=[place]))
        if self._key is not None and not is_public(self._key.vendor):
            yield Offer(f"Publish a version of {self._key.name} that allows it", "new_version", schema=self._key.uri)

    def atomic(self) -> Iterator[Offer]:
        if self._fault.keyword == "atomic_field_length_exceeded":
            yield Offer("Raise the limit in enrich.atomic_fields_limits, then try again", "configure")
            return
        assert self._place is not None
        yield Offer(
            f"Replace the value of {self._name}", "edit", asked=ValueWanted("replace", self._place, types=["string"])
        )
        yield from self.removal(self._name)

    def removal(self, what: str) -> Iterator[Offer]:
        if self._place is not None:
            yield Offer(f"Remove {what} that cannot be read", "edit", EditOptions(unset=[self._place]))

    def schemas(self, missing: bool) -> Iterator[Offer]:
        if self._key is None:
            return
        public = is_public(self._key.vendor)
        if missing and not public:
            yield Offer(f"Infer a schema for {schema_name(self._key.uri)} from the data", "infer", schema=self._key.uri)
        yield from self._versions()
        for uri in self._near():
            yield Offer(f"Use {schema_name(uri)}", "edit", EditOptions(schema=[f"{self._key.uri}={uri}"]))
        if self._fault.kind == "broken schema" and not public:
            yield Offer(f"Publish a corrected version of {self._key.name}", "new_version", schema=self._key.uri)
        if missing and public:
            yield Offer("Check name and version: this vendor's schemas are those of Iglu Central", "configure")

    def _casts(self, place: str) -> Iterator[Offer]:
        for wanted in _types(self._fault.rule):
            title = _CAST_TITLES.get(wanted)
            if title:
                edits = EditOptions(cast=[f"{place}={_CASTS[wanted]}"])
                yield Offer(title.format(name=self._name), "edit", edits)

    def _fills(self, place: str) -> Iterator[Offer]:
        holder, _, name = place.rpartition(".")
        rule = self._rule_of(name)
        for near in self._close(name, self._extra()):
            yield Offer(f"Rename {near} to {name}", "edit", EditOptions(rename=[f"{holder}.{near}={name}"]))
        choices = rule.get("enum") if isinstance(rule.get("enum"), list) else []
        yield Offer(
            f"Give {name} a value where it is missing", "edit",
            asked=ValueWanted("default", place, list(choices or []), _types(rule)),
        )  # fmt: skip

    def _renames(self, place: str) -> Iterator[Offer]:
        _, _, name = place.rpartition(".")
        known = (self._fault.rule or {}).get("properties") or [] if isinstance(self._fault.rule, Mapping) else []
        for near in self._close(name, known):
            yield Offer(f"Rename {name} to {near}", "edit", EditOptions(rename=[f"{place}={near}"]))

    def _values(self, place: str) -> Iterator[Offer]:
        rule = self._rule_of(place.rpartition(".")[2])
        allowed = self._fault.rule.get("enum") if isinstance(self._fault.rule, Mapping) else None
        choices = list(allowed) if isinstance(allowed, list) else []
        yield Offer(
            f"Replace values of {self._name}", "edit", asked=ValueWanted("replace", place, choices, _types(rule))
        )

    def _versions(self) -> Iterator[Offer]:
        """Other versions, the newest first."""
        if self._key is None:
            return
        key = self._key
        known = {
            other
            for other in (*self._resolver.keys(), *self._resolver.versions(key.vendor, key.name, key.model))
            if (other.vendor, other.name, other.format) == (key.vendor, key.name, key.format) and other != key
        }
        for other in sorted(known, reverse=True)[:_MOST_VERSIONS]:
            edits = EditOptions(schema=[f"{key.uri}={other.uri}"])
            yield Offer(f"Use version {other.version} of {key.name}", "edit", edits)

    def _near(self) -> list[str]:
        """Schemas whose name looks like the one that is missing."""
        assert self._key is not None
        names: dict[str, str] = {}
        for other in sorted(self._resolver.keys()):
            if (other.vendor, other.name) != (self._key.vendor, self._key.name):
                names[f"{other.vendor}/{other.name}"] = other.uri
        close = difflib.get_close_matches(f"{self._key.vendor}/{self._key.name}", names, n=2, cutoff=0.85)
        return [names[name] for name in close]

    def _required(self) -> Sequence[str]:
        found = self._schema.get("required")
        return [str(name) for name in found] if isinstance(found, list) else []

    def _extra(self) -> list[str]:
        """Properties that were sent and that the schema does not know."""
        sent = self._fault.beside
        known = self._schema.get("properties")
        return [name for name in sent if not isinstance(known, dict) or name not in known]

    def _close(self, name: str, others: Sequence[str]) -> list[str]:
        folded = {re.sub(r"[^a-z0-9]", "", other.lower()): other for other in others}
        close = difflib.get_close_matches(re.sub(r"[^a-z0-9]", "", name.lower()), folded, n=2, cutoff=0.7)
        return [folded[each] for each in close]

    def _rule_of(self, name: str) -> Mapping[str, Any]:
        """The schema's words about the property at fault, in the object that the fault is in."""
        schema: Any = self._schema
        for step in [step for step in re.split(r"[.\[\]]+", subject(self._fault)) if step][:-1]:
            if not isinstance(schema, Mapping):
                return {}
            schema = schema.get("items") if step == "*" else (schema.get("properties") or {}).get(step)
        properties = schema.get("properties") if isinstance(schema, Mapping) else None
        rule = properties.get(name) if isinstance(properties, Mapping) else None
        return rule if isinstance(rule, Mapping) else {}


def _types(rule: Any) -> list[str]:
    types = rule.get("type") if isinstance(rule, Mapping) else None
    names = types if isinstance(types, list) else [types]
    return [str(name) for name in names if isinstance(name, str) and name != "null"]


def _key(uri: str | None) -> SchemaKey | None:
    try:
        return None if uri is None or vendor_of(uri) is None else SchemaKey.parse(uri)
    except SelfDescribingError:
        return None


def edit_text(path: str, value: Any) -> str:
    """``PATH=VALUE`` as edits are written, the value as JSON."""
    return f"{path}={compact(value)}"
