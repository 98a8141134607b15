"""Kotlin: a class for each schema, with its URI and a map for the tracker's ``SelfDescribingJson``."""

from __future__ import annotations

from snowgauge.iglu.code.names import Scope, camel, comment, pascal
from snowgauge.iglu.code.shape import Choice, Field, ListOf, MapOf, Of, Record, Shape
from snowgauge.iglu.code.types import Grammar, Named, Schemas, Types

RESERVED = (
    "Any", "Array", "Boolean", "Char", "Companion", "Double", "Enum", "Float", "Int", "List", "Long", "Map", "Nothing",
    "Number", "Object", "Pair", "Set", "String", "Unit",
)  # fmt: skip
_WORDS = (
    "as", "break", "by", "catch", "class", "companion", "const", "constructor", "continue", "copy", "data", "do",
    "dynamic", "else", "entries", "enum", "equals", "false", "field", "file", "finally", "for", "fun", "get",
    "getClass", "hashCode", "if", "import", "in", "init", "inner", "interface", "internal", "is", "it", "lazy",
    "let", "map", "null", "object", "open", "operator", "out", "override", "package", "private", "protected",
    "public", "put", "return", "sealed", "set", "super", "suspend", "this", "throw", "toMap", "toString", "true",
    "try", "typealias", "typeof", "val", "value", "var", "vararg", "when", "where", "while",
)  # fmt: skip
_GRAMMAR = Grammar(
    {"text": "String", "whole": "Long", "number": "Double", "flag": "Boolean", "any": "Any"},
    lambda of: f"List<{of}>",
    lambda of: f"Map<String, {of}>",
    lambda of: f"{of}?",
)


def write(schemas: Schemas) -> str:
    """One file."""
    types = Types(schemas, RESERVED)
    parts = ["// Made by `snowgauge schema code`.\n"
             "// Track: tracker.track(SelfDescribing(SelfDescribingJson(X.SCHEMA, x.toMap())))"]  # fmt: skip
    parts += [_choice(one, one.shape) if isinstance(one.shape, Choice) else _class(one, types) for one in types.order]
    return "\n\n".join(parts) + "\n"


def _choice(one: Named, choice: Choice) -> str:
    scope = Scope(RESERVED)
    lines = [f"enum class {one.name}(val value: String) {{"]
    lines += [f"    {scope.take(pascal(value, 'Empty'))}({text(value)})," for value in choice.values]
    return "\n".join([*lines, "}"])


def _class(one: Named, types: Types) -> str:
    shape = one.shape
    assert not isinstance(shape, Choice)
    # a schema without known properties takes a map as it is
    fields = shape.fields if isinstance(shape, Record) else (Field("", shape, False, True, ""),)
    scope = Scope(_WORDS)
    named = [(scope.take(camel(field.name, "values" if not field.name else "value")), field) for field in fields]
    lines = _comment(shape.description if isinstance(shape, Record) else "", "")
    lines.append(f"data class {one.name}(")
    # what must be there comes first, so that one can leave out the rest
    for name, field in sorted(named, key=lambda pair: not pair[1].required):
        of = _GRAMMAR.write(types, one.name, field.name, field.shape)
        optional = field.nullable or not field.required
        lines += _comment(field.description, "    ")
        lines.append(f"    val {name}: {of}{'?' if optional else ''}{'' if field.required else ' = null'},")
    lines.append(") {")
    if isinstance(shape, Record):
        lines += [
            "    fun toMap(): Map<String, Any?> = buildMap {",
            *(f"        {_put(*pair)}" for pair in named),
            "    }",
        ]
    else:
        lines.append(f"    fun toMap(): Map<String, Any?> = {_plain(named[0][0], shape, 0)}")
    if one.key is not None:
        lines += ["", "    companion object {", f"        const val SCHEMA: String = {text(one.key.uri)}", "    }"]
    return "\n".join([*lines, "}"])


def _put(name: str, field: Field) -> str:
    place = text(field.name)
    if not field.required:
        return f"{name}?.let {{ put({place}, {_plain('it', field.shape, 0)}) }}"
    value = f"{name}?.let {{ {_plain('it', field.shape, 0)} }}" if field.nullable else _plain(name, field.shape, 0)
    return f"put({place}, {value})"


def _plain(value: str, shape: Shape, depth: int) -> str:
    """The value as the tracker takes it: of texts, numbers, lists and maps only."""
    inner = f"v{depth}"
    match shape:
        case Of() | ListOf(Of()) | MapOf(Of()):
            return value
        case Choice():
            return f"{value}.value"
        case Record():
            return f"{value}.toMap()"
        case ListOf(items, nullable):
            of = _plain(f"{inner}?" if nullable else inner, items, depth + 1)
            return f"{value}.map {{ {inner} -> {of} }}"
        case MapOf(values, nullable):
            of = _plain(f"{inner}?" if nullable else inner, values, depth + 1)
            return f"{value}.mapValues {{ (_, {inner}) -> {of} }}"


def text(given: str) -> str:
    """A literal; ``$`` would begin a template."""
    return '"' + "".join(map(_char, given)) + '"'


def _char(char: str) -> str:
    if char in '"\\$':
        return f"\\{char}"
    if 32 <= ord(char) < 127:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _comment(given: str, indent: str) -> list[str]:
    lines = comment(given)
    return [f"{indent}/** {' '.join(lines)} */"] if lines else []
