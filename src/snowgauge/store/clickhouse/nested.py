"""Nested columns as ClickHouse SQL, over the raw text of self-describing data.

Not over the columns of schemas: those have names in snake case, guess types (dates, for one), and a schema may have
none. The raw text holds every value as it came. It is read only of events that have such an entity.
"""

from __future__ import annotations

from collections.abc import Callable

from snowgauge.store.base import Filter
from snowgauge.store.clickhouse.layout import ENTITY_SCHEMAS
from snowgauge.store.filters import SIGNS
from snowgauge.store.nested import NUMBER, NestedColumn, nested_bound, nested_values

Bind = Callable[[str, str], str]


def in_text_only(column: NestedColumn) -> bool:
    """Must the text be taken apart for the column's values? Else ``entity_schemas`` has them."""
    return bool(column.path) or not column.entity


def nested_texts(column: NestedColumn, bind: Bind) -> str:
    """The values of one event, as an array of strings that may hold one twice."""
    prefix = bind(column.schema_prefix, "String")
    if not column.path:
        one = "[JSONExtractString(`unstruct_event`, 'data', 'schema')]"
        schemas = f"`{ENTITY_SCHEMAS.name}`" if column.entity else one
        meant = f"arrayFilter(x -> startsWith(x, {prefix}), {schemas})"
        return f"arrayMap(x -> splitByChar('/', toString(x))[-1], {meant})"
    path = ", ".join(bind(part, "String") for part in column.path)
    if column.entity:
        # looking for the schema's name first is much quicker than taking the text apart
        entities = ", ".join(
            f"if(position(`{name}`, {prefix}) > 0, JSONExtractArrayRaw(`{name}`, 'data'), emptyArrayString())"
            for name in ("contexts", "derived_contexts")
        )
        is_meant = f"position(x, {prefix}) > 0 AND startsWith(JSONExtractString(x, 'schema'), {prefix})"
        meant = f"arrayFilter(x -> {is_meant}, arrayConcat({entities}))"
        found = f"if({_has(prefix)}, arrayMap(x -> JSONExtractRaw(x, 'data', {path}), {meant}), emptyArrayString())"
    else:
        found = (
            f"if(startsWith(JSONExtractString(`unstruct_event`, 'data', 'schema'), {prefix}), "
            f"[JSONExtractRaw(`unstruct_event`, 'data', 'data', {path})], emptyArrayString())"
        )
    items = f"arrayFlatten(arrayMap(r -> if(startsWith(r, '['), JSONExtractArrayRaw(r), [r]), {found}))"
    scalars = f"arrayFilter(r -> r NOT IN ('', '\"\"', 'null') AND left(r, 1) NOT IN ('{{', '['), {items})"
    return f"arrayMap(r -> if(startsWith(r, '\"'), JSONExtractString(r), r), {scalars})"


def has_entity(one: Filter, column: NestedColumn, bind: Bind) -> str:
    """What holds of every event that meets the filter, and is known without its text; empty where nothing is."""
    if not column.entity or one.op in ("none", "not_in"):
        return ""
    return _has(bind(column.schema_prefix, "String"))


def _has(prefix: str) -> str:
    return f"arrayExists(x -> startsWith(x, {prefix}), `{ENTITY_SCHEMAS.name}`)"


def nested_condition(one: Filter, column: NestedColumn, bind: Bind) -> str:
    """The filter itself."""
    found = nested_texts(column, bind)
    if one.op in SIGNS:
        bound = bind(repr(nested_bound(one)), "Float64")
        is_number = f"match(v, {bind(NUMBER, 'String')})"
        return f"arrayExists(v -> {is_number} AND toFloat64OrZero(v) {SIGNS[one.op]} {bound}, {found})"
    values = nested_values(one)
    if one.op == "some":
        return f"notEmpty({found})"
    if one.op == "none":
        return f"empty({found})"
    if one.op == "contains":
        if not values:
            return "0"
        tests = " OR ".join(f"positionCaseInsensitiveUTF8(v, {bind(value, 'String')}) > 0" for value in values)
        return f"arrayExists(v -> {tests}, {found})"
    if not values:
        return "0" if one.op == "in" else "1"
    within = f"hasAny({found}, [{', '.join(bind(value, 'String') for value in values)}])"
    return within if one.op == "in" else f"NOT {within}"
