"""Tracking code made of schemas: it compiles, whatever schemas are called, and takes just the data that it should."""

from __future__ import annotations

import json
import py_compile
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.build import build
from snowgauge.iglu.code.languages import WRITERS
from snowgauge.iglu.code.shape import Choice, Field, ListOf, MapOf, Of, Record, shape_of
from snowgauge.iglu.settings import IgluSettings

ROOT = Path(__file__).parents[2]
TSC = ROOT / "web/node_modules/.bin/tsc"
HOSTILE = ["class", "1st", "a-b", "a_b", "aB", "A-B", "", " ", "é", "日本", "__proto__", "constructor", "toString",
           "self", "it", "init", "value", "None",
           'q"uote', "new\nline", "$x", "${x}", "\\", "*/", "//", "\u2028", "𝒳", "'" * 3,
           "default", "var", "payload", "schema", "data", "toMap", "print", "str"]  # fmt: skip
NESTED: dict[str, Any] = {
    "type": "object", "description": 'Ends */ here, """ there, and \\ and \n on two lines.',
    "required": ["kind", "gone", "list"],
    "properties": {
        "kind": {"enum": ["a", "A", "a b", "1", "", "class", "é", '"', "$y"]},
        "gone": {"type": ["string", "null"], "description": "May be */ null."},
        "note": {"type": ["integer", "null"]},
        "open": {"enum": ["x", None]},
        "list": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}, "class": {}}}},
        "holes": {"type": "array", "items": {"type": ["object", "null"], "properties": {"n": {"type": "number"}}}},
        "prices": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        "lists": {"type": "object", "additionalProperties": {"type": "array", "items": {"enum": ["u", "v"]}}},
        "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        "flag": {"type": "boolean"}, "deep": {"type": "object", "properties": {"deep": {"type": "object",
                 "required": ["end"], "properties": {"end": {"const": "stop"}}}}},
    },
}  # fmt: skip


def key(name: str, vendor: str = "com.acme", version: str = "1-0-0") -> SchemaKey:
    return SchemaKey(vendor, name, "jsonschema", *map(int, version.split("-")))


SCHEMAS: dict[SchemaKey, Any] = {
    key("order"): NESTED,
    key("order", "org.other"): {"type": "object", "properties": {"id": {"type": "string"}}},
    key("order", version="2-0-0"): {"type": "object", "properties": {"id": {"type": "number"}}},
    key("order_kind"): {"type": "object", "properties": {}},
    key("string"): {"type": "object", "properties": {"s": {"type": "string"}}},
    key("class"): {
        "type": "object", "properties": {name: {"type": "string"} for name in HOSTILE}, "required": HOSTILE[:9],
    },
    key("any-map"): {"type": "object", "additionalProperties": {"type": "string"}},
    key("many"): {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(300)}},
    key("9lives"): {"type": "array"},
}  # fmt: skip


def written(language: Any, schemas: dict[SchemaKey, Any]) -> str:
    return WRITERS[language]({one: shape_of(schema) for one, schema in schemas.items()})


@pytest.fixture(scope="module")
def bundled() -> dict[SchemaKey, Any]:
    """Snowplow's own."""
    resolver, _ = build(IgluSettings(iglu_central=False), None)
    return {one: resolver.schema(one) for one in resolver.keys() if one.vendor.startswith("com.snowplowanalytics.")}  # noqa: SIM118 - its own method


def test_the_shape_of_data() -> None:
    found = shape_of(NESTED)
    assert isinstance(found, Record)
    by_name = {field.name: field for field in found.fields}
    assert by_name["gone"] == Field("gone", Of("text"), True, True, "May be */ null.")
    assert by_name["open"].shape == Choice(("x",))
    assert (by_name["open"].nullable, by_name["open"].required) == (True, False)
    assert by_name["prices"].shape == MapOf(Of("number"), True)
    assert isinstance(by_name["list"].shape, ListOf)
    assert by_name["either"].shape == Of("any")
    assert shape_of(SCHEMAS[key("many")]) == MapOf(Of("any"), False)


@pytest.mark.parametrize("language", list(WRITERS))
def test_the_same_schemas_give_the_same_code(language: str) -> None:
    assert written(language, SCHEMAS) == written(language, dict(reversed(SCHEMAS.items())))


GOOD = {"kind": "a b", "gone": None, "list": [{"id": 1}], "holes": [None, {"n": 1.5}], "prices": {"EUR": None},
        "lists": {"l": ["u"]}, "either": 3, "deep": {"deep": {"end": "stop"}}}  # fmt: skip
WRONG = [
    {**GOOD, "kind": "b"}, {**GOOD, "gone": 1}, {**GOOD, "list": [{"id": "1"}]}, {**GOOD, "flag": None},
    {**GOOD, "deep": {"deep": {}}}, {name: value for name, value in GOOD.items() if name != "gone"},
    {**GOOD, "prices": {"EUR": "1"}}, {**GOOD, "lists": {"l": ["w"]}},
]  # fmt: skip


def test_typescript(tmp_path: Path, bundled: dict[SchemaKey, Any]) -> None:
    if not TSC.exists() or shutil.which("node") is None:
        pytest.skip("tsc is not installed: run `make console`")
    (tmp_path / "tracking.ts").write_text(written("typescript", {**SCHEMAS, **bundled}), "utf-8")
    use = ['import { acmeOrderV1_0_0 as order } from "./tracking";', f"order({json.dumps(GOOD)});"]
    use += [f"// @ts-expect-error\norder({json.dumps(wrong)});" for wrong in WRONG]
    (tmp_path / "use.ts").write_text("\n".join(use))
    found = subprocess.run(
        [TSC, "--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--module", "es2022",
         "--moduleResolution", "bundler", "use.ts"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[:3000]


def test_python(tmp_path: Path, bundled: dict[SchemaKey, Any]) -> None:
    file = tmp_path / "tracking.py"
    file.write_text(written("python", {**SCHEMAS, **bundled}), "utf-8")
    py_compile.compile(str(file), doraise=True)
    made = runpy.run_path(str(file))["acme_order_v_1_0_0"](GOOD)
    assert made == {"schema": "iglu:com.acme/order/jsonschema/1-0-0", "data": GOOD}
    file.write_text(written("python", SCHEMAS), "utf-8")
    use = ["from tracking import acme_order_v_1_0_0 as order", f"order({GOOD!r})"]
    use += [f"order({wrong!r})  # wrong" for wrong in WRONG]
    (tmp_path / "use.py").write_text("\n".join(use) + "\n")
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--no-error-summary", "--config-file", "",
         "--python-executable", sys.executable, "use.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    lines = {int(line) for line in re.findall(r"^use\.py:(\d+): error", found.stdout, re.MULTILINE)}
    assert lines == set(range(3, 3 + len(WRONG))), found.stdout[:3000]
    assert "tracking.py" not in found.stdout, found.stdout[:3000]


@pytest.mark.parametrize(("language", "compiler", "options"), [
    ("kotlin", "kotlinc", ["-d", "out.jar"]), ("swift", "swiftc", ["-parse-as-library", "-emit-module"]),
])  # fmt: skip
def test_compiled(
    tmp_path: Path, bundled: dict[SchemaKey, Any], language: str, compiler: str, options: list[str]
) -> None:
    name = {"kotlin": "Tracking.kt", "swift": "Tracking.swift"}[language]
    text = written(language, {**SCHEMAS, **bundled})
    # what can be said without a compiler: nothing is open, and no line break, quote or `$` came out of the data
    assert text.count("{") == text.count("}")
    assert "\u2028" not in text
    assert language != "kotlin" or '"${x}"' not in text
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed: the code was written, not compiled")
    (tmp_path / name).write_text(text, "utf-8")
    found = subprocess.run(
        [compiler, name, *options], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False
    )
    assert found.returncode == 0, found.stderr[:3000]
