"""`snowgauge docs`: the reference pages, made from the code they describe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import snowgauge
from snowgauge.cli import lazy
from snowgauge.cli.context import err, out
from snowgauge.errors import SnowgaugeError


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The reference pages of the documentation, made from the code.", no_args_is_help=True)
    group.command("reference")(reference)
    group.command("openapi")(openapi)
    app.add_typer(group, name="docs")


def reference(
    folder: Annotated[Path, typer.Argument(help="Folder to write to.")] = Path("docs/reference"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a page is out of date.")] = False,
) -> None:
    """Write the reference pages: settings, commands, metrics, endpoints, modelled tables, the analytics query, and one
    page per enrichment.

    Example: `snowgauge docs reference --check`
    """
    stale = []
    index = Path(lazy.__file__).with_name("index.py")
    for path, text in [*((folder / name, text) for name, text in pages()), (index, lazy.index())]:
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        if check:
            stale.append(path.name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            err.print(f"wrote {path}")
    if stale:
        raise SnowgaugeError(f"out of date: {', '.join(stale)}; run `snowgauge docs reference`")
    out.print("reference pages are up to date" if check else "done")


def openapi(
    file: Annotated[Path, typer.Argument(help="File to write to.")] = Path("openapi.json"),
) -> None:
    """Write the OpenAPI document of the console's API, from which its client is made.

    Example: `snowgauge docs openapi openapi.json`
    """
    import json

    from snowgauge.api.app import describe

    text = json.dumps(describe(snowgauge.__version__), indent=1) + "\n"
    if not file.is_file() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")
    out.print(f"wrote {file}")


def pages() -> Iterator[tuple[str, str]]:
    """File name and text of every page."""
    from snowgauge.analytics import reference as analytics_reference
    from snowgauge.enrich.enrichments import reference as enrichments_reference
    from snowgauge.modelling import reference as modelling_reference
    from snowgauge.settings import reference as settings_reference

    yield "settings.md", settings_reference.markdown()
    yield "commands.md", _commands()
    yield "metrics.md", _metrics()
    yield "endpoints.md", _endpoints()
    yield "tables.md", modelling_reference.markdown()
    yield "analytics.md", analytics_reference.markdown()
    for name, text in enrichments_reference.pages().items():
        yield f"enrichments/{name}", text


def _endpoints() -> str:
    from snowgauge.api import reference

    return reference.markdown()


def _metrics() -> str:
    from snowgauge.telemetry.metrics import METRICS

    rows = [
        "# Metrics",
        "",
        "Served in Prometheus' text format at `/metrics` of the private port (default 8001), for all processes.",
        "Counters end in `_total`, as Prometheus' clients write them.",
        "",
        "| metric | kind | labels | meaning | when it looks wrong |",
        "|---|---|---|---|---|",
    ]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        name = f"snowgauge_{metric.name}" + ("_total" if metric.kind == "counter" else "")
        rows.append(f"| `{name}` | {metric.kind} | {labels} | {metric.meaning} | {metric.cure} |")
    return "\n".join(rows) + "\n"


def _commands() -> str:
    from snowgauge.cli.context import EXIT_CODES
    from snowgauge.cli.main import app

    root: Any = typer.main.get_command(app)
    # from the modules themselves, since the index may be older
    root.commands = {name: made for module in lazy.modules() for name, made in lazy.commands_of(module).items()}
    lines = ["# Commands", "", "`snowgauge` and `python -m snowgauge` are the same.", "", *_options_table(root)]
    lines += ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    lines += list(_walk(root, "snowgauge"))
    return "\n".join(lines).rstrip() + "\n"


def _walk(command: Any, name: str) -> Iterator[str]:
    for child_name, child in sorted(getattr(command, "commands", {}).items()):
        if child.hidden:
            continue
        full = f"{name} {child_name}"
        arguments = " ".join(
            f"[{p.name.upper()}]" if not p.required else p.name.upper()
            for p in child.params
            if p.param_type_name == "argument"
        )
        yield from ("", f"## {full}", "")
        if not getattr(child, "commands", None) or child.callback is not None:
            yield from ("```", f"{full}{' ' + arguments if arguments else ''}", "```", "")
        yield from (_paragraphs(child.help or ""))
        yield from _options_table(child)
        yield from _walk(child, full)


def _paragraphs(text: str) -> Iterator[str]:
    for line in text.replace("\b", "").splitlines():
        yield line.strip()
    yield ""


def _options_table(command: Any) -> list[str]:
    rows = []
    for parameter in command.params:
        if parameter.name in ("help", "install_completion", "show_completion"):
            continue
        names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
        if parameter.param_type_name == "argument":
            names = f"`{parameter.name.upper()}`"
        default = parameter.default
        shown = (
            f"`{default}`" if isinstance(default, str | int | float | Path) and not isinstance(default, bool) else ""
        )
        rows.append(f"| {names} | {' '.join((getattr(parameter, 'help', '') or '').split())} | {shown} |")
    return ["| option | meaning | default |", "|---|---|---|", *rows, ""] if rows else []
