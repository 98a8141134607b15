"""The reference pages say what the code does, and the guides' commands exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from snowgauge.cli.docs_command import pages
from snowgauge.cli.main import app
from snowgauge.settings.load import leaf_names

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROSE = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize(("name", "text"), list(pages()), ids=lambda value: value if len(value) < 60 else "")
def test_a_reference_page_is_up_to_date(name: str, text: str) -> None:
    assert (DOCS / "reference" / name).read_text("utf-8") == text, "run `snowgauge docs reference`"


def commands() -> Iterator[tuple[str, Any]]:
    def walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        children = getattr(command, "commands", {})
        for child_name, child in children.items():
            yield from walk(child, f"{name} {child_name}".strip())
        if not children or (getattr(command, "invoke_without_command", False) and name):
            yield name, command

    yield from walk(typer.main.get_command(app), "")


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_has_help_with_an_example(name: str, command: Any) -> None:
    assert command.help
    assert f"snowgauge {name}" in command.help, "the help needs an example"
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{parameter.name} has no help"


LISTING = {"list", "status", "check", "stats", "plan", "certificates", "columns", "lint", "diff", "groups", "runs"}


@pytest.mark.parametrize(
    ("name", "command"), [(name, command) for name, command in commands() if name.split()[-1] in LISTING]
)
def test_a_command_that_lists_has_json_for_programs(name: str, command: Any) -> None:
    assert "--json" in {option for parameter in command.params for option in parameter.opts}, name


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_named_in_prose_exist(page: Path) -> None:
    known = {name for name, _ in commands()}
    known |= {name.rpartition(" ")[0] for name in known if name.count(" ") > 1}  # a group inside of a group
    groups = {name.split()[0] for name in known}
    for found in re.findall(
        r"(?:^|`)(?:\$ )?snowgauge ((?:[a-z][a-z-]*)(?: [a-z][a-z0-9_-]*)?)", page.read_text("utf-8"), re.M
    ):
        first, _, second = found.partition(" ")
        assert first in groups, f"{page.name} names `snowgauge {found}`"
        if first not in known:
            assert f"{first} {second}" in known, f"{page.name} names `snowgauge {found}`"


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_named_in_prose_exist(page: Path) -> None:
    known = set(leaf_names())
    variables = {"SNOWPLOW_" + "__".join(name.split(".")).upper() for name in known} | {"SNOWPLOW_ENV"}
    prefixes = {name.rpartition(".")[0] for name in known}
    for written in re.findall(r"\bSNOWPLOW_[A-Z][A-Z_]*[A-Z]\b", page.read_text("utf-8")):
        found = written if written in variables else re.sub("__?FILE$", "", written)
        below = any(variable.startswith(found + "__") for variable in variables)
        inside_map = any(found.startswith(variable + "__") for variable in variables)
        assert found in variables or below or inside_map, f"{page.name} names {found}"
    assert prefixes
