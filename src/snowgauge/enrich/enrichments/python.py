"""Enrichments that a user writes in Python: a function or a class, held to the rules of the built-in ones.

What: calls ``enrich(event, source)`` of a file in the enrichments folder, or of an installed package. The function may
set columns of ``event``, and returns entities (``{"schema": ..., "data": ...}`` or ``SelfDescribing``), one or a list
of them, or nothing.
Fields: any; values of the wrong type are refused and put back, text is made safe for TSV, ``""`` becomes unset.
Entity: what the function returns, checked against Iglu afterwards like every entity.
Failures: ``EnrichmentFailure`` as raised; any other exception, a bad return value or a column of the wrong type becomes
a failure named after the file. ``DropEvent`` drops the event. Columns set before an exception stay, as they do with
JavaScript.
Source: Snowgauge's own; the order's place 165 is between JavaScript and SQL query, ``runs_at`` in the file changes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, ClassVar

import msgspec

from snowgauge.enrich.enrichments.base import DropEvent, Enrichment, EnrichmentSource
from snowgauge.errors import EnrichmentFailure, SelfDescribingError, SettingsError
from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.enriched_tsv import narrowed
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.events.timestamps import MAX_MS, MIN_MS
from snowgauge.events.tsv_text import tsv_safe

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "uuid": str,
    "decimal": str,
    "timestamp": int,
    "int": int,
    "boolean": bool,
    "float": (float, int),
    "event": SelfDescribing,
    "entities": list,
}
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMES = tuple(field.name for field in ATOMIC_FIELDS)
_KINDS = tuple(field.kind for field in ATOMIC_FIELDS)
_ENTITY_LISTS = frozenset({"contexts", "derived_contexts"})


class PythonEnrichment(Enrichment):
    """One user function. ``name`` is the file's name without ``.py``, or the entry point's."""

    runs_at = 165
    repeats = True
    fields: ClassVar[tuple[str, ...]] = ("*",)

    def __init__(
        self,
        function: Callable[..., object],
        name: str,
        place: int = 0,
        module: ModuleType | None = None,
        inner: Enrichment | None = None,
    ) -> None:
        self._function = function
        self._inner = inner
        self.name = name
        self.place = place
        self.identifier = f"python {name}"  # type: ignore[misc] # one identifier per file
        self.schema_key = SchemaKey("com.snowgauge", "python_enrichment", "jsonschema", 1, 0, 0)
        if inner is not None:
            self.runs_at = type(inner).runs_at  # type: ignore[misc]
            self.repeats = type(inner).repeats  # type: ignore[misc]
            self.fields = type(inner).fields or ("*",)  # type: ignore[misc]
            self.schema_key = getattr(inner, "schema_key", self.schema_key)
        chosen = getattr(module, "runs_at", None)
        if chosen is not None:
            if isinstance(chosen, bool) or not isinstance(chosen, int):
                raise SettingsError(f"{name}.py: runs_at is {chosen!r}; expected a whole number such as 165")
            self.runs_at = chosen  # type: ignore[misc]

    def enrich(self, event: EnrichedEvent, source: EnrichmentSource) -> Sequence[SelfDescribing]:
        before = msgspec.structs.astuple(event)
        problems: list[EnrichmentFailure] = []
        entities: Sequence[SelfDescribing] = ()
        try:
            entities = self._entities(self._function(event, source))
        except (DropEvent, EnrichmentFailure):
            raise
        except ExceptionGroup as group:
            if group.split(EnrichmentFailure)[1] is None:
                raise
            problems.append(self._failed(group))
        except Exception as error:
            problems.append(self._failed(error))
        finally:
            # also when the function raised: what it set before stays, so it has to be of the right type
            problems += self._check_columns(event, before)
        if len(problems) > 1:
            raise ExceptionGroup(f"failures of {self.identifier}", problems)
        if problems:
            raise problems[0]
        return entities

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()

    def _failed(self, error: Exception) -> EnrichmentFailure:
        return EnrichmentFailure(f"Error during execution of Python function: [{type(error).__name__}: {error}]")

    def _entities(self, returned: Any) -> Sequence[SelfDescribing]:
        if returned is None:
            return ()
        if isinstance(returned, SelfDescribing | dict):
            returned = [returned]
        if not isinstance(returned, Iterable) or isinstance(returned, str | bytes):
            raise EnrichmentFailure(
                f"Python function returned a {type(returned).__name__}; expected entities or nothing"
            )
        entities: list[SelfDescribing] = []
        errors: list[str] = []
        items: Iterable[Any] = returned
        for item in items:
            if isinstance(item, SelfDescribing):
                entities.append(item)
                continue
            try:
                entities.append(SelfDescribing.parse(item))
            except SelfDescribingError as error:
                errors.append(f"error code:[{error.code}],json:[{item!r:.500}]")
        if errors:
            raise EnrichmentFailure(f"Resulting contexts are not self-describing. Error(s): [{';'.join(errors)}]")
        for entity in entities:
            try:
                msgspec.json.encode(entity.data)
            except (TypeError, ValueError, RecursionError) as error:
                raise EnrichmentFailure(f"Entity {entity.schema.uri} cannot be written as JSON: {error}") from error
        return entities

    def _check_columns(self, event: EnrichedEvent, before: tuple[Any, ...]) -> list[EnrichmentFailure]:
        problems = []
        for name, kind, old, new in zip(_NAMES, _KINDS, before, msgspec.structs.astuple(event), strict=True):
            if new is old:
                continue
            problem = _column_problem(name, kind, new)
            if problem:
                setattr(event, name, old)
                problems.append(EnrichmentFailure(problem, field=name, value=f"{new!r:.200}"))
            elif isinstance(new, str):
                setattr(event, name, tsv_safe(new))
            elif kind == "float" and new is not None:
                setattr(event, name, narrowed(new))
        return problems


def _column_problem(name: str, kind: str, value: Any) -> str | None:
    if value is None and name not in _ENTITY_LISTS:
        return None
    expected = _TYPES[kind]
    fits: bool = isinstance(value, expected)
    if not fits or (isinstance(value, bool) and kind != "boolean"):
        return f"Python function set column {name} to a {type(value).__name__}; expected {_expected(kind)}"
    if kind in _WRITABLE and not _WRITABLE[kind](value):
        return f"Python function set column {name} to {value!r:.50}; expected {_expected(kind)}"
    if kind == "entities" and not _only_entities(value):
        return f"Python function set column {name} to a list with other things than SelfDescribing"
    return None


_WRITABLE: dict[str, Callable[[Any], bool]] = {
    # what no column of any store can hold
    "int": lambda value: -(2**31) <= value < 2**31,
    "float": lambda value: abs(value) < 3.4e38,
    "timestamp": lambda value: MIN_MS <= value <= MAX_MS,
    "decimal": lambda value: _DECIMAL.fullmatch(value) is not None,
    "uuid": lambda value: _UUID.fullmatch(value) is not None,
}


def _only_entities(items: list[Any]) -> bool:
    return all(isinstance(item, SelfDescribing) for item in items)


def _expected(kind: str) -> str:
    return {
        "string": "text (str)",
        "uuid": "a UUID as text",
        "decimal": "a decimal number as text, such as '12.50'",
        "timestamp": "milliseconds since the epoch (int)",
        "int": "a whole number of 32 bits (int)",
        "boolean": "True or False",
        "float": "a number (float)",
        "event": "SelfDescribing",
        "entities": "a list of SelfDescribing",
    }[kind]


def guarded(inner: Enrichment, name: str, place: int = 0) -> PythonEnrichment:
    """A user's enrichment class under the same rules as a user's function."""
    return PythonEnrichment(inner.enrich, name, place, inner=inner)
