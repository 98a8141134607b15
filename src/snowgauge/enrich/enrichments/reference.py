"""Reference pages of the enrichments, made of the classes themselves: one page each, and a table of all."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterable
from typing import Any

from snowgauge.enrich.enrichments.base import Enrichment
from snowgauge.enrich.enrichments.registry import Registry, criteria, find

INDEX = "index.md"


def pages(registry: Registry | None = None) -> dict[str, str]:
    """Markdown by file name: ``index.md`` and one ``<module>.md`` per enrichment, in the order of running."""
    classes = (registry or find()).classes
    return {INDEX: _index(classes)} | {f"{module_name(found)}.md": page(found) for found in classes}


def module_name(found: type[Enrichment]) -> str:
    return found.__module__.rpartition(".")[2]


def page(found: type[Enrichment]) -> str:
    """One enrichment's page."""
    sample: dict[str, Any] | None = getattr(found, "sample", None)
    columns = ", ".join(f"`{name}`" for name in found.fields if name != "*")
    rows = [
        ("Configuration", "<br>".join(f"`{criterion}`" for criterion in criteria(found)) or "none"),
        ("Runs at", str(found.runs_at)),
        ("Columns", "any" if "*" in found.fields else columns or "none"),
        ("Name in failures", f"`{found.identifier}`"),
        ("Several at once", "yes" if found.repeats else "no, the last file counts"),
        ("Without configuration", _default(found)),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    text = f"# {title(found)}\n\n{_prose(found)}\n\n| | |\n|---|---|\n{table}\n"
    if sample is not None:
        text += f"\n## Configuration\n\n```json\n{json.dumps(sample, indent=2, ensure_ascii=False)}\n```\n"
    return text


def title(found: type[Enrichment]) -> str:
    """The first words of the module's docstring: ``IP lookups``."""
    first = (sys.modules[found.__module__].__doc__ or "").strip().partition("\n")[0]
    name, colon, _ = first.partition(":")
    return name if colon and len(name) < 50 else module_name(found).replace("_", " ").capitalize()


def _prose(found: type[Enrichment]) -> str:
    return inspect.cleandoc(found.__doc__ or "").replace("``", "`")


def _default(found: type[Enrichment]) -> str:
    if found.default is None:
        return "off"
    if found.default_needs:
        return f"on when there is a {found.default_needs}"
    return f"on, with `{json.dumps(found.default, ensure_ascii=False)}`" if found.default else "on"


def _index(classes: Iterable[type[Enrichment]]) -> str:
    lines = [
        "# Enrichments",
        "",
        "In the order in which they run. Each is configured by a file of its own in the enrichments folder.",
        "",
        "| Runs at | Enrichment | Configuration | Without configuration |",
        "|---|---|---|---|",
    ]
    for found in classes:
        names = "<br>".join(f"`{criterion.name}`" for criterion in criteria(found))
        default = "off" if found.default is None else "when possible" if found.default_needs else "on"
        lines.append(f"| {found.runs_at} | [{title(found)}]({module_name(found)}.md) | {names} | {default} |")
    return "\n".join(lines) + "\n"
