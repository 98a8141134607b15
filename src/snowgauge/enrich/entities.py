"""Validation of self-describing data: the event, the tracker's entities, and the entities of enrichments (enrich 6.10).

A problem of a wrapper loses the whole column; a problem of one entity loses that entity. Data is never changed; where
a newer version of a schema supersedes the one named, the name changes and a ``validation_info`` entity says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from snowgauge.enrich import failures
from snowgauge.enrich.failures import Violation
from snowgauge.errors import SelfDescribingError
from snowgauge.events.json_text import BadJson, compact, comparable, parse, plain
from snowgauge.events.selfdescribing import SchemaCriterion, SchemaKey, SelfDescribing
from snowgauge.iglu.contract import Invalid, ValidSchema

Check = Callable[[SelfDescribing], ValidSchema | Invalid]

_SNOWPLOW = "com.snowplowanalytics.snowplow"
_UNSTRUCT = SchemaCriterion(_SNOWPLOW, "unstruct_event", "jsonschema", 1, 0)
_CONTEXTS = SchemaCriterion(_SNOWPLOW, "contexts", "jsonschema", 1, 0)
_UNSTRUCT_1_0_0 = SchemaKey(_SNOWPLOW, "unstruct_event", "jsonschema", 1, 0, 0)
_CONTEXTS_1_0_0 = SchemaKey(_SNOWPLOW, "contexts", "jsonschema", 1, 0, 0)
_CONTEXTS_1_0_1 = SchemaKey(_SNOWPLOW, "contexts", "jsonschema", 1, 0, 1)
VALIDATION_INFO = SchemaKey("com.snowplowanalytics.iglu", "validation_info", "jsonschema", 1, 0, 0)


class Checked(msgspec.Struct):
    """``items`` passed; ``notes`` are the ``validation_info`` entities that tell of superseded schemas."""

    items: list[SelfDescribing]
    violations: list[Violation]
    notes: list[SelfDescribing]


def read_event(text: str, check: Check, max_depth: int) -> Checked:
    """The text of ``ue_pr``, or of ``ue_px`` decoded: one item or one violation."""
    wrapper = _wrapper("unstruct", text, _UNSTRUCT, check, max_depth)
    if isinstance(wrapper, Violation):
        return Checked([], [wrapper], [])
    return _check_inner("unstruct", [wrapper.value], wrapper.literals, check)


def read_contexts(text: str, check: Check, max_depth: int) -> Checked:
    """The text of ``co``, or of ``cx`` decoded."""
    wrapper = _wrapper("contexts", text, _CONTEXTS, check, max_depth)
    if isinstance(wrapper, Violation):
        return Checked([], [wrapper], [])
    return _check_inner("contexts", wrapper.value, wrapper.literals, check)


def check_items(source: str, items: Iterable[SelfDescribing], check: Check) -> Checked:
    """Entities that an enrichment made or changed."""
    checked = Checked([], [], [])
    for item in items:
        _judge(source, item, item, check, checked)
    return checked


class _Unwrapped(msgspec.Struct):
    value: Any
    literals: bool


def _wrapper(
    source: str, text: str, criterion: SchemaCriterion, check: Check, max_depth: int
) -> _Unwrapped | Violation:
    try:
        parsed = parse(text, max_depth)
    except BadJson as error:
        return failures.not_json(source, text, str(error))
    try:
        wrapper = SelfDescribing.parse(parsed.value)
    except SelfDescribingError as error:
        return failures.not_iglu(source, error.json, error.code)
    if not criterion.matches(wrapper.schema):
        wrapper.literal = compact(wrapper.data)
        return failures.criterion_mismatch(source, wrapper, criterion)
    if not _plainly_wrapped(wrapper):
        seen = SelfDescribing(wrapper.schema, comparable(wrapper.data))
        verdict = check(seen)
        if isinstance(verdict, Invalid):
            wrapper.literal = compact(wrapper.data)
            return failures.iglu_error(source, wrapper, verdict.error)
    return _Unwrapped(wrapper.data, parsed.literals)


def _plainly_wrapped(wrapper: SelfDescribing) -> bool:
    """Is the wrapper of a published version and valid beyond doubt? If not, its schema decides."""
    if wrapper.schema == _UNSTRUCT_1_0_0:
        return _is_item(wrapper.data)
    if wrapper.schema in (_CONTEXTS_1_0_0, _CONTEXTS_1_0_1):
        items = wrapper.data
        return (
            type(items) is list
            and (bool(items) or wrapper.schema == _CONTEXTS_1_0_1)
            and all(_is_item(item) for item in items)
        )
    return False


def _is_item(item: Any) -> bool:
    if type(item) is not dict or len(item) != 2 or "data" not in item or type(item.get("schema")) is not str:
        return False
    try:
        SchemaKey.parse(item["schema"])
    except SelfDescribingError:
        return False
    return True


def _check_inner(source: str, items: list[Any], literals: bool, check: Check) -> Checked:
    checked = Checked([], [], [])
    for json in items:
        try:
            item = SelfDescribing.parse(json)
        except SelfDescribingError as error:
            checked.violations.append(failures.not_iglu(source, error.json, error.code))
            continue
        item.literal = compact(item.data)
        seen = item
        if literals:
            seen = SelfDescribing(item.schema, comparable(item.data))
            item.data = plain(item.data)
        _judge(source, item, seen, check, checked)
    return checked


def _judge(source: str, item: SelfDescribing, seen: SelfDescribing, check: Check, checked: Checked) -> None:
    verdict = check(seen)
    if isinstance(verdict, Invalid):
        checked.violations.append(failures.iglu_error(source, item, verdict.error))
        return
    if verdict.superseded_by is not None:
        named = item.schema
        model, revision, addition = (int(part) for part in verdict.superseded_by.split("-"))
        newer = SchemaKey(named.vendor, named.name, named.format, model, revision, addition)
        item = SelfDescribing(newer, item.data, item.literal)
        note = {"originalSchema": named.uri, "validatedWith": verdict.superseded_by}
        checked.notes.append(SelfDescribing(VALIDATION_INFO, note))
    checked.items.append(item)
