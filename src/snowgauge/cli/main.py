"""The command line's root: options in front of every command, errors for people, commands found by folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import snowgauge
from snowgauge.cli.context import Options, err
from snowgauge.cli.lazy import LazyGroup
from snowgauge.errors import SettingsError, SnowgaugeError

app = typer.Typer(
    cls=LazyGroup,
    name="snowgauge",
    help="A self-hosted behavioural-data pipeline that speaks Snowplow.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"snowgauge {snowgauge.__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings file; default: snowgauge.toml where it is run.")
    ] = None,
    flags: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, as section.key=value. May be repeated.")
    ] = None,
    _asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    ctx.obj = Options(config, list(flags or []))


def _in_front(arguments: Sequence[str]) -> list[str]:
    """Options of the root may stand anywhere: people put `--set` behind the command.

    Behind `failed recover` they are that command's own: there `--set` changes events.
    """
    front: list[str] = []
    rest: list[str] = []
    left = list(arguments)
    while left:
        word = left.pop(0)
        if word == "--" or rest[:2] == ["failed", "recover"]:
            rest += [word, *left]
            break
        if word in ("--set", "--config") and left:
            front += [word, left.pop(0)]
        elif word.startswith(("--set=", "--config=")):
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest]


def run() -> None:
    """Run the command line; a failure that Snowgauge itself reports is one readable message, not a traceback."""
    try:
        app(_in_front(sys.argv[1:]), standalone_mode=True)
    except SettingsError as error:
        err.print("[bold red]settings:[/] ", end="")
        err.print(str(error), markup=False, soft_wrap=True)
        sys.exit(2)
    except SnowgaugeError as error:
        err.print("[bold red]error:[/] ", end="")
        err.print(str(error), markup=False, soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
