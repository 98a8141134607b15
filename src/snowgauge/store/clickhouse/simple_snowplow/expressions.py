"""Pieces of ClickHouse SQL over texts of JSON, of which the columns of the views are made."""

from __future__ import annotations

from collections.abc import Sequence


def quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def first(*texts: str) -> str:
    """The first text that is not empty."""
    *before, last = texts
    pairs = "".join(f"notEmpty({text}), {text}, " for text in before)
    return f"multiIf({pairs}{last})" if pairs else last


def field(text: str, name: str, kind: str = "String") -> str:
    return f"JSONExtract{kind}({text}, {quote(name)})"


def uuid(text: str) -> str:
    return f"toUUIDOrZero({text})"


def without(text: str, *names: str) -> str:
    """A JSON object without some of its fields."""
    listed = ", ".join(quote(name) for name in names)
    pairs = f"arrayFilter(p -> p.1 NOT IN ({listed}), JSONExtractKeysAndValuesRaw({text}))"
    return f"concat('{{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), {pairs}), ','), '}}')"


def pairs_of(texts: Sequence[str]) -> str:
    """The fields of several JSON objects, as an array of pairs of name and JSON text."""
    arrays = ", ".join(f"JSONExtractKeysAndValuesRaw({text})" for text in texts)
    return f"arrayConcat({arrays})"


def merged_pairs(pairs: str) -> str:
    """Such pairs as one JSON object; of fields with one name the last wins."""
    names = f"arrayMap(p -> p.1, {pairs})"
    last = f"arrayFilter((p, i) -> NOT has(arraySlice({names}, i + 1), p.1), {pairs}, arrayEnumerate({pairs}))"
    return f"concat('{{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), {last}), ','), '}}')"


def object_of(fields: Sequence[tuple[str, str]]) -> str:
    """A JSON object of those fields whose text is not empty; names may be expressions in parentheses."""
    names = [name if name.startswith("(") else f"toJSONString({quote(name)})" for name, _ in fields]
    items = ", ".join(f"({name}, {text})" for name, (_, text) in zip(names, fields, strict=True))
    pairs = f"arrayFilter(p -> notEmpty(p.2), [{items}])"
    return f"concat('{{', arrayStringConcat(arrayMap(p -> concat(p.1, ':', p.2), {pairs}), ','), '}}')"


def tuple_of(parts: Sequence[tuple[str, str, str]]) -> str:
    """A named tuple of (name, type, expression)."""
    types = ", ".join(f"{name} {kind}" for name, kind, _ in parts)
    return f"CAST(tuple({', '.join(value for _, _, value in parts)}), {quote(f'Tuple({types})')})"


def size(width: str, height: str) -> str:
    return f"if(e.{width} IS NULL, '', concat(toString(e.{width}), 'x', toString(e.{height})))"
