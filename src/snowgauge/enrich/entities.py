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
_PUBLISHED = frozenset((_UNSTRUCT_1_0_0, _CONTEXTS_1_0_0, _CONTEXTS_1_0_1))
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
    return _check_inner("unstruct", wrapper, check)


def read_contexts(text: str, check: Check, max_depth: int) -> Checked:
    """The text of ``co``, or of ``cx`` decoded."""
    wrapper = _wrapper("contexts", text, _CONTEXTS, check, max_depth)
    if isinstance(wrapper, Violation):
        return Checked([], [wrapper], [])
    return _check_inner("contexts", wrapper, check)


def check_items(source: str, items: Iterable[SelfDescribing], check: Check) -> Checked:
    """Entities that an enrichment made or changed."""
    checked = Checked([], [], [])
    for item in items:
        _judge(source, item, item, check, checked)
    return checked


class _Unwrapped(msgspec.Struct):
    """What was in a wrapper, each item read or with what is wrong with it."""

    items: list[SelfDescribing | Violation]
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
    jsons = [wrapper.data] if criterion is _UNSTRUCT else wrapper.data
    items = _plain_items(wrapper.schema, jsons)
    if items is None:
        seen = SelfDescribing(wrapper.schema, comparable(wrapper.data))
        verdict = check(seen)
        if isinstance(verdict, Invalid):
            wrapper.literal = compact(wrapper.data)
            return failures.iglu_error(source, wrapper, verdict.error)
        items = [_item(source, json) for json in jsons]
    return _Unwrapped(items, parsed.literals)


def _plain_items(wrapper: SchemaKey, jsons: Any) -> list[SelfDescribing | Violation] | None:
    """The items of a wrapper of a published version that is valid beyond doubt. ``None``: its schema decides."""
    if wrapper not in _PUBLISHED or type(jsons) is not list or not (jsons or wrapper == _CONTEXTS_1_0_1):
        return None
    items: list[SelfDescribing | Violation] = []
    for json in jsons:
        if type(json) is not dict or len(json) != 2:
            return None
        try:
            items.append(SelfDescribing.parse(json))
        except SelfDescribingError:
            return None
    return items


def _item(source: str, json: Any) -> SelfDescribing | Violation:
    try:
        return SelfDescribing.parse(json)
    except SelfDescribingError as error:
        return failures.not_iglu(source, error.json, error.code)


def _check_inner(source: str, unwrapped: _Unwrapped, check: Check) -> Checked:
    checked = Checked([], [], [])
    for item in unwrapped.items:
        if isinstance(item, Violation):
            checked.violations.append(item)
            continue
        item.literal = compact(item.data)
        seen = item
        if unwrapped.literals:
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
