"""Nested columns as PostgreSQL, over the raw text of self-describing data: every schema has it, flattened or not."""

from __future__ import annotations

from collections.abc import Callable

from snowgauge.store.base import Filter
from snowgauge.store.filters import SIGNS
from snowgauge.store.nested import NUMBER, NestedColumn, nested_bound, nested_values
from snowgauge.store.postgres.values import kept_text

Bind = Callable[[str, str], str]


def nested_rows(column: NestedColumn, table: str, bind: Bind) -> str:
    """A query of the values of one event, each once, as ``v``. ``table`` is its row's alias."""
    prefix = bind(column.schema_prefix, "text")
    path = ", ".join(bind(part, "text") for part in column.path)
    if column.entity:
        items = " UNION ALL ".join(
            f"SELECT x FROM json_array_elements({json_of(f'{table}.{name}')} -> 'data') x"
            for name in ("contexts", "derived_contexts")
        )
    else:
        items = f"SELECT {json_of(f'{table}.unstruct_event')} -> 'data'"
    meant = f"FROM ({items}) i(x) WHERE starts_with(i.x ->> 'schema', {prefix})"
    if not column.path:
        return f"SELECT DISTINCT split_part(i.x ->> 'schema', '/', 4) AS v {meant}"
    found = f"SELECT i.x -> 'data' #> ARRAY[{path}] AS f {meant}"
    scalars = (
        f"SELECT s FROM ({found}) p CROSS JOIN LATERAL json_array_elements("
        "CASE json_typeof(p.f) WHEN 'array' THEN p.f ELSE json_build_array(p.f) END) s "
        "WHERE p.f IS NOT NULL AND json_typeof(s) NOT IN ('object', 'array', 'null')"
    )
    text = "(q.s #>> '{}')"
    number = rf"regexp_replace({text}::double precision::text, 'e\+?(-?)0*', 'e\1')"
    return (
        f"SELECT DISTINCT CASE WHEN json_typeof(q.s) = 'number' AND {text} ~ '[.eE]' THEN {number} ELSE {text} END "
        f"AS v FROM ({scalars}) q(s) WHERE {text} <> ''"
    )


def nested_condition(one: Filter, column: NestedColumn, bind: Bind, collation: str) -> str:
    """With ``@`` in the place of the table's alias."""
    found = nested_rows(column, "@", bind)
    if one.op in SIGNS:
        # as decimals: what is beyond a double would be an error
        compared = f"w.v::numeric {SIGNS[one.op]} {bind(repr(nested_bound(one)), 'numeric')}"
        is_number = f"w.v ~ {bind(NUMBER, 'text')}"
        return f"EXISTS (SELECT 1 FROM ({found}) w WHERE CASE WHEN {is_number} THEN {compared} ELSE false END)"
    values = nested_values(one)
    if one.op == "some":
        return f"EXISTS ({found})"
    if one.op == "none":
        return f"NOT EXISTS ({found})"
    if one.op == "contains":
        tests = " OR ".join(
            f"position(lower({bind(kept_text(value), 'text')}{collation}) in lower(w.v{collation})) > 0"
            for value in values
        )
        return f"EXISTS (SELECT 1 FROM ({found}) w WHERE {tests})" if tests else "false"
    if not values:
        return "false" if one.op == "in" else "true"
    wanted = ", ".join(bind(kept_text(value), "text") for value in values)
    within = f"EXISTS (SELECT 1 FROM ({found}) w WHERE w.v IN ({wanted}))"
    return within if one.op == "in" else f"NOT {within}"


def json_of(column: str) -> str:
    """A text column as JSON, without the escape of the character that PostgreSQL cannot hold."""
    without = rf"regexp_replace({column}, '((?:^|[^\\])(?:\\\\)*)(?:\\u0000)+', '\1', 'g')"
    return rf"(CASE WHEN position('\u0000' IN {column}) > 0 THEN {without} ELSE {column} END)::json"
