"""What every command shares: where settings come from, and how tables and errors are shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from snowgauge.cli.late_console import late_console
from snowgauge.errors import SettingsError

if TYPE_CHECKING:  # the settings and rich take longer to import than most commands take to run
    from rich.console import Console
    from rich.table import Table

    from snowgauge.settings.load import Loaded
    from snowgauge.settings.model import Settings


def _console(*, to_errors: bool = False) -> Console:
    from rich.console import Console

    if to_errors:
        return Console(stderr=True, highlight=False)
    return Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)


out = late_console(_console)
"""Results go here, to standard output; never folded where a program reads them."""

EXIT_CODES = {
    0: "Done; nothing is wrong.",
    1: "The command failed, or what it checked is not in order. The message says what to do.",
    2: "The command line or the settings cannot be used; nothing was done.",
    3: "`status`: nothing runs. `upgrade check`: the layout lacks steps.",
    130: "Interrupted by Ctrl-C.",
}
"""What the exit codes of all commands mean."""

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]

err = late_console(lambda: _console(to_errors=True))
"""Progress, hints and errors go here."""


@dataclass
class Options:
    """The options in front of every command."""

    config: Path | None = None
    flags: list[str] = field(default_factory=list)
    loaded: Loaded | None = None


def options(ctx: typer.Context) -> Options:
    found = ctx.find_object(Options)
    assert found is not None
    return found


def load_settings(ctx: typer.Context, *flags: str, as_root: bool = False) -> Loaded:
    """Read the settings once; ``flags`` are ``section.key=value`` from a command's own options.

    Where root runs the command and ``common.user`` names someone, it goes on as that user, so that what it makes is
    not root's: not with ``as_root``, for commands that are root's business.
    """
    from snowgauge.pipeline import privileges
    from snowgauge.settings.load import load, refuse_secrets
    from snowgauge.telemetry import logs

    chosen = options(ctx)
    refuse_secrets(chosen.flags)
    chosen.flags.extend(flags)
    loaded = load(file=chosen.config, environment=os.environ, flags=chosen.flags)
    chosen.loaded = loaded
    logging = loaded.settings.logging
    logs.configure("DEBUG" if loaded.settings.common.debug else logging.level, json_format=logging.json_format)
    for notice in loaded.notices:
        logs.logger("settings").warning("setting_retired", notice=notice)
    if not as_root:
        privileges.become(loaded.settings, os.environ)
    return loaded


def settings_of(ctx: typer.Context, *flags: str, as_root: bool = False) -> Settings:
    return load_settings(ctx, *flags, as_root=as_root).settings


def store_url(text: str) -> str:
    """A store's URL as a command was given it: itself, or what the variable of ``env:NAME`` holds.

    Raises ``SettingsError`` for one with a password: every user of this machine can read its command lines.
    """
    if text.startswith("env:"):
        name = text.removeprefix("env:")
        if name not in os.environ:
            raise SettingsError(f"{text}: there is no variable {name}")
        return os.environ[name]
    if "://" in text and urlsplit(text).password is not None:
        raise SettingsError(
            "a URL with a password does not belong on the command line, where every user of this machine can read it: "
            "put it into a variable, and write env:NAME in its place"
        )
    return text


def child_arguments(ctx: typer.Context) -> tuple[str, ...]:
    """The options in front, to be handed on to a child process of the same deployment."""
    chosen = options(ctx)
    arguments: list[str] = []
    if chosen.config is not None:
        arguments += ["--config", str(chosen.config)]
    for flag in chosen.flags:
        arguments += ["--set", flag]
    return tuple(arguments)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """A table in the project's plain style."""
    from rich.table import Table

    made = Table(title=title, box=None, pad_edge=False, header_style="bold", title_justify="left")
    for index, column in enumerate(columns):
        made.add_column(column, overflow="fold", no_wrap=index == 0)
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


def records(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[dict[str, object]]:
    """The rows of a table for programs: objects whose keys are its headings in snake case."""
    keys = ["_".join(heading.replace("(", "").replace(")", "").lower().split()) for heading in columns]
    return [dict(zip(keys, row, strict=True)) for row in rows]


def print_json(value: Any) -> None:
    """A result for programs, on standard output; dates as text."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], *, as_json: bool) -> None:
    """Rows as a table for people, or as a JSON array for programs."""
    if as_json:
        print_json(records(columns, rows))
    else:
        out.print(table(columns, rows))
