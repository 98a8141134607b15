"""The root group: it knows every command's name and one line of help, and imports a command's module when it is used.

Importing every module takes a hundred times as long as printing the help. Names and lines stand in ``index.py``, which
``snowgauge docs reference`` makes from the modules themselves.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from snowgauge import cli
from snowgauge.cli.index import INDEX


class Entry(NamedTuple):
    """One command of the root: its module, its line of help, the heading it stands under ("" for the general one)."""

    module: str
    help: str
    panel: str
    hidden: bool


ENTRIES: Mapping[str, Entry] = {name: Entry(*row) for name, row in INDEX.items()}


def modules() -> list[str]:
    """Names of the modules of this folder that hold commands; each has ``register(app)``."""
    return sorted(module.name for module in pkgutil.iter_modules(cli.__path__) if module.name.endswith("_command"))


def commands_of(module: str) -> dict[str, Any]:
    """The commands that a module registers, by name."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(lambda: None)  # a group, even of a single command
    importlib.import_module(f"snowgauge.cli.{module}").register(app)
    return dict(get_group(app).commands)


def entries() -> dict[str, Entry]:
    """What the index must say; imports every module."""
    return {
        name: Entry(module, command.get_short_help_str(1000), command.rich_help_panel or "", command.hidden)
        for module in modules()
        for name, command in commands_of(module).items()
    }


class Commands(MutableMapping[str, Any]):
    """Commands by name, each made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made.update(commands_of(ENTRIES[name].module))
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(ENTRIES)

    def __len__(self) -> int:
        return len(ENTRIES)


class LazyGroup(TyperGroup):
    """The root of the command line; its help and the completion of its commands need no command's module."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0].startswith("-"):
            return super().parse_args(ctx, args)
        # No option of the root is given. To give each its default, the library would import pydantic, which takes
        # longer than everything else that a help text needs.
        options, self.params, self.add_help_option = self.params, [], False
        try:
            return super().parse_args(ctx, args)
        finally:
            self.params, self.add_help_option = options, True

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the library's signature
        sections: dict[str, list[tuple[str, str]]] = {"Running": [], "": []}
        for name, entry in sorted(ENTRIES.items()):
            if not entry.hidden:
                sections.setdefault(entry.panel, []).append((name, entry.help))
        width = max(map(len, ENTRIES))
        for title, rows in sections.items():
            with formatter.section(title or "Commands"):
                formatter.write_dl([(name.ljust(width), line) for name, line in rows])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        real = self.commands
        self.commands = {
            name: TyperCommand(name, help=entry.help, hidden=entry.hidden) for name, entry in ENTRIES.items()
        }
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self.commands = real


def index() -> str:
    """The text of ``index.py``."""
    rows = "".join(f"    {json.dumps(name)}: {tuple(entry)!r},\n" for name, entry in sorted(entries().items()))
    return (
        '"""Commands of the root: module, line of help, heading, hidden. Made by `snowgauge docs reference`."""\n\n'
        "# fmt: off\n# ruff: noqa: E501\n"
        f"INDEX: dict[str, tuple[str, str, str, bool]] = {{\n{rows}}}\n"
    )
