"""`snowgauge help`: a command's help, or a page of the documentation, in the terminal."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from snowgauge.cli.context import EXIT_CODES, err, out, table
from snowgauge.errors import SnowgaugeError


def register(app: typer.Typer) -> None:
    app.command("help")(help_command)


def help_command(
    ctx: typer.Context,
    topic: Annotated[list[str] | None, typer.Argument(help="A command, or a topic; none: what there is.")] = None,
) -> None:
    """Show the help of a command, or a page of the documentation.

    Example: `snowgauge help failed recover`, `snowgauge help privacy`, `snowgauge help exit-codes`
    """
    root = ctx.find_root()
    if not topic:
        typer.echo(root.get_help())
        out.print("\nTopics: " + ", ".join(["exit-codes", *_guides()]), soft_wrap=True)
    elif topic == ["exit-codes"]:
        out.print(table(("code", "meaning"), list(EXIT_CODES.items())))
    elif (command := _command(root, topic)) is not None:
        typer.echo(command.get_help(typer.Context(command, info_name=" ".join(["snowgauge", *topic]))))
    elif len(topic) == 1 and topic[0] in (guides := _guides()):
        _show(guides[topic[0]])
    else:
        known = [*_guides(), "exit-codes"]
        raise SnowgaugeError(f"{' '.join(topic)!r} is neither a command nor a topic. Topics: {', '.join(known)}")


def _command(root: Any, words: list[str]) -> Any | None:
    command = root.command
    for word in words:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            return None
    return command


def _guides() -> dict[str, Any]:
    """The guides' files by their names."""
    from snowgauge.console.docs import folder

    return {file.stem: file for file in sorted((folder() / "guide").glob("*.md"))}


def _show(file: Any) -> None:
    from rich.markdown import Markdown

    text = file.read_text("utf-8")
    if out.is_terminal:
        with out.pager(styles=True):
            out.print(Markdown(text))
    else:
        typer.echo(text)
    err.print(f"[dim]{file.name}: the console shows it with pictures, under /docs/guide/{file.stem}[/]")
