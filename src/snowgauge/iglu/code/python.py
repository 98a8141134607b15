"""Python: a ``TypedDict`` for each schema, and a function that makes self-describing JSON of it.

The functional form takes any text as a name, so names of properties stay as they are.
"""

from __future__ import annotations

import builtins
import keyword

from snowgauge.iglu.code.names import Scope, comment, snake
from snowgauge.iglu.code.shape import Record
from snowgauge.iglu.code.types import Grammar, Named, Schemas, Types

RESERVED = ("Any", "Literal", "Mapping", "NotRequired", "Required", "SelfDescribing", "TypedDict", *dir(builtins))
_GRAMMAR = Grammar(
    {"text": "str", "whole": "int", "number": "float", "flag": "bool", "any": "Any"},
    lambda of: f"list[{of}]",
    lambda of: f"Mapping[str, {of}]",
    lambda of: of if of == "Any" else f"{of} | None",
    lambda choice: f"Literal[{', '.join(ascii(value) for value in choice.values)}]",
)


def write(schemas: Schemas) -> str:
    """One module, for Python 3.11 and later."""
    types = Types(schemas, RESERVED)
    functions = Scope((*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "data"))
    parts = [
        '"""Made by `snowgauge schema code`. Hand schema and data of a result to the tracker as SelfDescribingJson."""',
        "from collections.abc import Mapping\nfrom typing import Any, Literal, NotRequired, Required, TypedDict",
        'SelfDescribing = TypedDict("SelfDescribing", {"schema": str, "data": Mapping[str, Any]})',
    ]
    parts += [_type(one, types, functions) for one in types.order]
    return "\n\n".join(part for part in parts if part) + "\n"


def _type(one: Named, types: Types, functions: Scope) -> str:
    shape = one.shape
    if isinstance(shape, Record):
        lines = [*(f"# {line}" for line in comment(shape.description)), f'{one.name} = TypedDict("{one.name}", {{']
        for field in shape.fields:
            of = _GRAMMAR.nullable(_GRAMMAR.write(types, one.name, field.name, field.shape), field.nullable)
            lines += [f"    # {line}" for line in comment(field.description)]
            lines.append(f"    {field.name!a}: {'Required' if field.required else 'NotRequired'}[{of}],")
        lines.append("})")
    elif one.key is None:
        return ""  # a choice is written where it is used
    else:
        lines = [f"{one.name} = {_GRAMMAR.write(types, one.name, '', shape)}"]
    if one.key is not None:
        lines += [
            "", "", f"def {functions.take(snake(one.name))}(data: {one.name}) -> SelfDescribing:",
            f'    return {{"schema": {one.key.uri!a}, "data": data}}',
        ]  # fmt: skip
    return "\n".join(lines)
