"""`snowgauge schema`: looking at schemas, drafting them from data, and adding them to the local registry."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import orjson
import typer

from snowgauge.cli.context import JsonOption, err, out, print_json, records, settings_of, table
from snowgauge.errors import SelfDescribingError, SnowgaugeError

if TYPE_CHECKING:
    from snowgauge.events.selfdescribing import SchemaKey
    from snowgauge.iglu.lint import Finding

FileArgument = Annotated[Path, typer.Argument(help="File with a self-describing schema.", exists=True, dir_okay=False)]
KeyArgument = Annotated[str, typer.Argument(help="URI of a schema, such as iglu:com.acme/cart/jsonschema/1-0-0.")]
_NEEDED = {
    "none": "no difference that matters to data",
    "addition": "a new ADDITION (1-0-0 to 1-0-1) is enough",
    "model": "a new MODEL is needed (1-0-0 to 2-0-0), or a REVISION if no stored data is affected",
}
PlaceHelp = "URI of a schema, or a file with one."


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Schemas: look, check, draft from data, add.", no_args_is_help=True)
    group.command("list")(list_schemas)
    group.command("show")(show)
    group.command("lint")(lint_files)
    group.command("diff")(show_diff)
    group.command("infer")(infer_schema)
    group.command("code")(code)
    group.command("add")(add)
    app.add_typer(group, name="schema")


def list_schemas(
    ctx: typer.Context,
    part: Annotated[str, typer.Argument(help="Only those whose URI has this in it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the schemas of the registries that can list theirs: bundled ones and folders.

    Example: `snowgauge schema list com.acme`
    """
    from snowgauge.pipeline.build import open_iglu

    resolver, _ = open_iglu(settings_of(ctx))
    keys = resolver.keys()
    known = [key.uri for key in keys if part in key.uri]
    if as_json:
        print_json(known)
        return
    for uri in known:
        out.print(uri, markup=False)


def show(ctx: typer.Context, key: KeyArgument) -> None:
    """Print a schema, from whichever registry has it.

    Example: `snowgauge schema show iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0`
    """
    _print(_found(ctx, key))


def lint_files(
    files: Annotated[list[Path], typer.Argument(help="Files with schemas, or folders of them.", exists=True)],
    as_json: JsonOption = False,
) -> None:
    """Look schemas over: errors that would fail every event, warnings about likely mistakes.

    Example: `snowgauge schema lint ./schemas`
    """
    from snowgauge.iglu.lint import lint

    errors = 0
    found: list[dict[str, object]] = []
    for file in files:
        for each in sorted(p for p in file.rglob("*") if p.is_file()) if file.is_dir() else [file]:
            findings = lint(_read(each), _key_of_place(each))
            errors += sum(finding.level == "error" for finding in findings)
            if as_json:
                found += [{"file": str(each), **msgspec.structs.asdict(finding)} for finding in findings]
                continue
            _print_findings(findings, str(each))
            if not findings:
                out.print(f"{each}: no problems", markup=False)
    if as_json:
        print_json(found)
    if errors:
        raise typer.Exit(1)


def show_diff(
    ctx: typer.Context,
    old: Annotated[str, typer.Argument(help=PlaceHelp)],
    new: Annotated[str, typer.Argument(help=PlaceHelp)],
    as_json: JsonOption = False,
) -> None:
    """What changed between two schemas, and what of it can break data that was valid.

    Example: `snowgauge schema diff iglu:com.acme/cart/jsonschema/1-0-0 cart-1-0-1.json`
    """
    from rich.markup import escape

    from snowgauge.iglu.diff import diff, needed_part

    changes = diff(_given(ctx, old), _given(ctx, new))
    needed = needed_part(changes)
    columns = ("effect", "place", "change")
    if as_json:
        rows = [(change.effect, change.pointer, change.message) for change in changes]
        print_json({"changes": records(columns, rows), "needed": needed})
        return
    out.print(table(columns, [(c.effect, escape(c.pointer), escape(c.message)) for c in changes]))
    out.print(_NEEDED[needed])


def infer_schema(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of data: JSON, or JSON lines.", exists=True, dir_okay=False)
    ] = None,
    from_failed: Annotated[
        str | None, typer.Option(help="Id of a group of failed events to take the data from.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="URI of the schema to draft; of a group: the one at fault.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.")
    ] = None,
) -> None:
    """Draft a schema from data: types, null, required, enumerations, lengths, formats, ranges. Look it over.

    Example: `snowgauge schema infer --from-failed 3f2a9c01d7 --output cart.json`
    """
    from snowgauge.actions.failed.instances import instances_of_group, schema_of_group
    from snowgauge.events.json_text import plain
    from snowgauge.pipeline.build import open_store

    if (from_failed is None) is (not files):
        raise typer.BadParameter("give either files of data or --from-failed GROUP")
    if from_failed is not None:
        store = open_store(settings_of(ctx))
        try:
            at_fault = schema_of_group(store, from_failed)
            wanted = _parsed(key or at_fault)
            draft = _draft(wanted, (plain(data) for data in instances_of_group(store, from_failed, at_fault)))
        finally:
            store.close()
    else:
        if key is None:
            raise typer.BadParameter("say which schema it is to be: --key iglu:VENDOR/NAME/jsonschema/1-0-0")
        draft = _draft(_parsed(key), _data(files or []))
    if output is None:
        _print(draft)
        return
    output.write_bytes(orjson.dumps(draft, option=orjson.OPT_INDENT_2) + b"\n")
    err.print(f"{output}: look it over, then: snowgauge schema add {output}", markup=False)


def _draft(key: SchemaKey, instances: Iterable[Any]) -> dict[str, Any]:
    from snowgauge.iglu.infer import infer

    try:
        return infer(key, instances)
    except ValueError as error:
        raise SnowgaugeError(str(error)) from None


def add(ctx: typer.Context, file: FileArgument) -> None:
    """Add a schema to the local registry (the folder schemas of the data folder). A published version never changes.

    Example: `snowgauge schema add cart.json`
    """
    from rich.markup import escape

    from snowgauge.iglu.publish import NotPublished, publish
    from snowgauge.pipeline.build import local_schemas, open_iglu

    settings = settings_of(ctx)
    resolver, _ = open_iglu(settings)
    try:
        done = publish(_read(file), local_schemas(settings), resolver)
    except NotPublished as refused:
        _print_findings(refused.findings, str(file))
        raise SnowgaugeError(f"{file}: {refused}") from None
    _print_findings(done.findings, str(file))
    for change in done.breaking:
        err.print(f"[yellow]breaking:[/] {escape(change.pointer)}: {escape(change.message)}")
    if done.breaking:
        err.print(f"within a model nothing should break: data of {done.before} may not fit {done.key}", markup=False)
    out.print(f"{done.key} {'was there already' if done.unchanged else 'added'}: {done.path}", markup=False)


def code(
    ctx: typer.Context,
    places: Annotated[
        list[str],
        typer.Argument(help="URIs of schemas, files with one, or the beginning of URIs: iglu:com.acme for all of it."),
    ],
    language: Annotated[
        Literal["typescript", "python", "kotlin", "swift"], typer.Option("--language", "-l", help="What to write.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.")
    ] = None,
) -> None:
    """Write typed tracking code: a type for each schema, and what makes self-describing JSON of it.

    Example: `snowgauge schema code iglu:com.acme --language typescript --output tracking.ts`
    """
    from snowgauge.iglu.code.languages import WRITERS
    from snowgauge.iglu.code.shape import shape_of

    schemas = {key: shape_of(schema) for place in places for key, schema in _of_place(ctx, place)}
    written = WRITERS[language](schemas)
    if output is None:
        sys.stdout.write(written)
        return
    output.write_text(written, "utf-8")
    err.print(f"{output}: code for {len(schemas):,} schemas", markup=False)


def _of_place(ctx: typer.Context, place: str) -> list[tuple[SchemaKey, dict[str, Any]]]:
    from snowgauge.pipeline.build import open_iglu

    if not place.startswith("iglu:"):
        schema = _given(ctx, place)
        own = schema.get("self")
        if not isinstance(own, dict):
            raise SnowgaugeError(f"{place}: has no `self` with vendor, name, format and version")
        names = ("vendor", "name", "format", "version")
        return [(_parsed("iglu:" + "/".join(str(own.get(name)) for name in names)), schema)]
    if place.count("/") == 3:
        return [(_parsed(place), _found(ctx, place))]
    resolver, _ = open_iglu(settings_of(ctx))
    newest: dict[tuple[str, str, int], SchemaKey] = {}
    for key in sorted(resolver.keys()):
        if key.uri.startswith(f"{place.rstrip('/')}/"):
            newest[key.vendor, key.name, key.model] = key
    if not newest:
        raise SnowgaugeError(f"no schema of the registries that list theirs begins with {place}")
    return [(key, resolver.schema(key)) for key in newest.values()]


def _found(ctx: typer.Context, uri: str) -> dict[str, Any]:
    from snowgauge.pipeline.build import open_iglu

    resolver, _ = open_iglu(settings_of(ctx))
    return resolver.schema(_parsed(uri))


def _given(ctx: typer.Context, place: str) -> dict[str, Any]:
    schema = _found(ctx, place) if place.startswith("iglu:") else _read(Path(place))
    if not isinstance(schema, dict):
        raise SnowgaugeError(f"{place}: a schema must be a JSON object")
    return schema


def _parsed(uri: str) -> SchemaKey:
    from snowgauge.events.selfdescribing import SchemaKey

    try:
        return SchemaKey.parse(uri)
    except SelfDescribingError as error:
        raise SnowgaugeError(
            f"{uri!r} is no schema URI ({error.code}); write iglu:VENDOR/NAME/jsonschema/1-0-0"
        ) from None


def _key_of_place(file: Path) -> SchemaKey | None:
    """The key that a file in Iglu's layout stands for."""
    from snowgauge.events.selfdescribing import SchemaKey

    try:
        return SchemaKey.parse("iglu:" + "/".join(file.absolute().parts[-4:]))
    except SelfDescribingError:
        return None


def _read(file: Path) -> Any:
    try:
        return orjson.loads(file.read_bytes())
    except OSError as error:
        raise SnowgaugeError(f"{file}: cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise SnowgaugeError(f"{file}: is not JSON: {error}") from None


def _data(files: list[Path]) -> Iterable[Any]:
    """Whole files of JSON (a list is many instances), or one value per line."""
    for file in files:
        text = file.read_bytes()
        try:
            values = orjson.loads(text)
            values = values if isinstance(values, list) else [values]
        except orjson.JSONDecodeError:
            values = []
            for number, line in enumerate(text.splitlines(), start=1):
                if line.strip():
                    try:
                        values.append(orjson.loads(line))
                    except orjson.JSONDecodeError as error:
                        raise SnowgaugeError(f"{file}, line {number}: is not JSON: {error}") from None
        for value in values:
            wrapped = isinstance(value, dict) and value.keys() == {"schema", "data"}
            yield value["data"] if wrapped else value


def _print_findings(findings: list[Finding], place: str) -> None:
    from rich.markup import escape

    for finding in findings:
        style = "red" if finding.level == "error" else "yellow"
        err.print(f"[{style}]{finding.level}:[/] {escape(place)}{escape(finding.pointer)}: {escape(finding.message)}")


def _print(schema: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n")
