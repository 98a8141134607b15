"""Swift: a struct for each schema, with its URI and a payload for the tracker's ``SelfDescribing``."""

from __future__ import annotations

from snowgauge.iglu.code.names import Scope, camel, comment
from snowgauge.iglu.code.shape import Choice, Field, ListOf, MapOf, Of, Record, Shape
from snowgauge.iglu.code.types import Grammar, Named, Schemas, Types

RESERVED = (
    "Any", "Array", "Bool", "Character", "Date", "Dictionary", "Double", "Error", "Float", "Int", "NSNull", "Never",
    "Optional", "Protocol", "Result", "Self", "Set", "String", "Type", "Void",
)  # fmt: skip
_WORDS = (
    "as", "associatedtype", "associativity", "await", "break", "case", "catch", "class", "continue", "convenience",
    "default", "defer", "deinit", "didSet", "do", "dynamic", "else", "enum", "extension", "fallthrough", "false",
    "fileprivate", "final", "for", "func", "get", "guard", "if", "import", "in", "indirect", "infix", "init",
    "inout", "internal", "is", "lazy", "left", "let", "made", "mutating", "nil", "none", "nonmutating", "open",
    "operator", "optional", "override", "payload", "postfix", "precedence", "prefix", "private", "protocol",
    "public", "rawValue", "repeat", "required", "rethrows", "return", "right", "schema", "self", "set", "some",
    "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "type", "typealias",
    "unowned", "value", "var", "weak", "where", "while", "willSet",
)  # fmt: skip
_GRAMMAR = Grammar(
    {"text": "String", "whole": "Int", "number": "Double", "flag": "Bool", "any": "Any"},
    lambda of: f"[{of}]",
    lambda of: f"[String: {of}]",
    lambda of: f"{of}?",
)


def write(schemas: Schemas) -> str:
    """One file."""
    types = Types(schemas, RESERVED)
    parts = [
        "// Made by `snowgauge schema code`.\n"
        "// Track: tracker.track(SelfDescribing(schema: X.schema, payload: x.payload()))",
        "import Foundation",
    ]
    parts += [_choice(one, one.shape) if isinstance(one.shape, Choice) else _struct(one, types) for one in types.order]
    return "\n\n".join(parts) + "\n"


def _choice(one: Named, choice: Choice) -> str:
    scope = Scope(_WORDS)
    lines = [f"public enum {one.name}: String {{"]
    lines += [f"    case {scope.take(camel(value, 'empty'))} = {text(value)}" for value in choice.values]
    return "\n".join([*lines, "}"])


def _struct(one: Named, types: Types) -> str:
    shape = one.shape
    assert not isinstance(shape, Choice)
    # a schema without known properties takes a dictionary as it is
    fields = shape.fields if isinstance(shape, Record) else (Field("", shape, False, True, ""),)
    scope = Scope(_WORDS)
    named = [(scope.take(camel(field.name, "values" if not field.name else "value")), field) for field in fields]
    lines = [*_comment(shape.description if isinstance(shape, Record) else "", ""), f"public struct {one.name} {{"]
    if one.key is not None:
        lines += [f"    public static let schema = {text(one.key.uri)}", ""]
    of = {
        name: _GRAMMAR.nullable(
            _GRAMMAR.write(types, one.name, field.name, field.shape), field.nullable or not field.required
        )
        for name, field in named
    }
    for name, field in named:
        lines += [*_comment(field.description, "    "), f"    public var {name}: {of[name]}"]
    # what must be there comes first, so that one can leave out the rest
    ordered = sorted(named, key=lambda pair: not pair[1].required)
    given = ", ".join(f"{name}: {of[name]}{'' if field.required else ' = nil'}" for name, field in ordered)
    lines += [
        "",
        f"    public init({given}) {{",
        *(f"        self.{name} = {name}" for name, _ in ordered),
        "    }",
        "",
    ]
    lines.append("    public func payload() -> [String: Any] {")
    if isinstance(shape, Record):
        lines += ["        var made: [String: Any] = [:]", *(f"        {_put(*pair)}" for pair in named)]
        lines.append("        return made")
    else:
        lines.append(f"        return {_plain(named[0][0], shape, 0)}")
    return "\n".join([*lines, "    }", "}"])


def _put(name: str, field: Field) -> str:
    place = f"made[{text(field.name)}]"
    if not field.required:
        return f"if let value = self.{name} {{ {place} = {_plain('value', field.shape, 0)} }}"
    return f"{place} = {_or_null(f'self.{name}', field.shape, field.nullable, 0)}"


def _plain(value: str, shape: Shape, depth: int) -> str:
    """The value as the tracker takes it: of texts, numbers, lists and dictionaries only."""
    inner = f"v{depth}"
    match shape:
        case Of():
            return value
        case Choice():
            return f"{value}.rawValue"
        case Record():
            return f"{value}.payload()"
        case ListOf(items, nullable):
            return f"{value}.map {{ {inner} -> Any in {_or_null(inner, items, nullable, depth + 1)} }}"
        case MapOf(values, nullable):
            return f"{value}.mapValues {{ {inner} -> Any in {_or_null(inner, values, nullable, depth + 1)} }}"


def _or_null(value: str, shape: Shape, nullable: bool, depth: int) -> str:
    if not nullable:
        return _plain(value, shape, depth)
    inner = f"n{depth}"
    return f"{value}.map {{ {inner} -> Any in {_plain(inner, shape, depth)} }} ?? NSNull()"


def text(given: str) -> str:
    """A literal. Half a surrogate pair is no character here, and becomes U+FFFD."""
    return '"' + "".join(map(_char, given)) + '"'


def _char(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if 32 <= ord(char) < 127:
        return char
    return f"\\u{{{0xFFFD if 0xD800 <= ord(char) <= 0xDFFF else ord(char):x}}}"


def _comment(given: str, indent: str) -> list[str]:
    return [f"{indent}/// {line}" for line in comment(given)]
