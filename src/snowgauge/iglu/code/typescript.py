"""TypeScript: an interface for each schema, and a function that makes self-describing JSON of it.

Names of properties stay as they are, in quotes: nothing has to be translated when data are sent.
"""

from __future__ import annotations

import json

from snowgauge.iglu.code.names import Scope, comment
from snowgauge.iglu.code.shape import Record
from snowgauge.iglu.code.types import Grammar, Named, Schemas, Types

RESERVED = (
    "Array", "Boolean", "Date", "Error", "Function", "JSON", "Map", "Math", "Number", "Object", "Promise", "Proxy",
    "Record", "Reflect", "RegExp", "SelfDescribing", "Set", "String", "Symbol", "WeakMap",
)  # fmt: skip
_WORDS = (
    "any", "arguments", "as", "async", "await", "boolean", "break", "case", "catch", "class", "const",
    "constructor", "continue", "data", "debugger", "declare", "default", "delete", "do", "else", "enum", "eval",
    "export", "extends", "false", "finally", "for", "from", "function", "get", "if", "implements", "import", "in",
    "instanceof", "interface", "let", "module", "namespace", "never", "new", "null", "number", "object", "of",
    "package", "private", "protected", "public", "require", "return", "set", "static", "string", "super", "switch",
    "symbol", "this", "throw", "true", "try", "type", "typeof", "undefined", "unknown", "var", "void", "while",
    "with", "yield",
)  # fmt: skip
_GRAMMAR = Grammar(
    {"text": "string", "whole": "number", "number": "number", "flag": "boolean", "any": "unknown"},
    lambda of: f"({of})[]",
    lambda of: f"{{ [name: string]: {of} }}",
    lambda of: of if of == "unknown" else f"{of} | null",
    lambda choice: " | ".join(json.dumps(value) for value in choice.values),
)


def write(schemas: Schemas) -> str:
    """One module."""
    types = Types(schemas, RESERVED)
    functions = Scope(_WORDS)
    parts = [
        "/** Made by `snowgauge schema code`. Track what a function gives: as an event with the tracker's\n"
        " * trackSelfDescribingEvent, or as one of its entities. */",
        "export interface SelfDescribing<T> {\n  schema: string;\n  data: T;\n}",
    ]
    parts += [_type(one, types, functions) for one in types.order]
    return "\n\n".join(part for part in parts if part) + "\n"


def _type(one: Named, types: Types, functions: Scope) -> str:
    shape = one.shape
    if isinstance(shape, Record):
        lines = [*_comment(shape.description, ""), f"export interface {one.name} {{"]
        for field in shape.fields:
            of = _GRAMMAR.nullable(_GRAMMAR.write(types, one.name, field.name, field.shape), field.nullable)
            lines += [
                *_comment(field.description, "  "),
                f"  {json.dumps(field.name)}{'' if field.required else '?'}: {of};",
            ]
        lines.append("}")
    elif one.key is None:
        return ""  # a choice is written where it is used
    else:
        lines = [f"export type {one.name} = {_GRAMMAR.write(types, one.name, '', shape)};"]
    if one.key is not None:
        function = functions.take(one.name[:1].lower() + one.name[1:])
        lines += [
            "", f"export function {function}(data: {one.name}): SelfDescribing<{one.name}> {{",
            f"  return {{ schema: {json.dumps(one.key.uri)}, data }};", "}",
        ]  # fmt: skip
    return "\n".join(lines)


def _comment(text: str, indent: str) -> list[str]:
    lines = comment(text)
    if len(lines) < 2:
        return [f"{indent}/** {line} */" for line in lines]
    return [f"{indent}/**", *(f"{indent} * {line}" for line in lines), f"{indent} */"]
