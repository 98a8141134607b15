"""Every command of the tutorials does what the page says, in the order of the page, against a deployment.

A block titled with a file name is written into the folder that the reader works in; a `console` block is run. What a
page shows below a command has to come in its output: `...` stands for anything, and an ID that it shows stands for
the one that the command really prints, also in the commands that follow.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from snowgauge.testing.deployment import Deployment, wait_until

pytestmark = pytest.mark.e2e

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorial"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.M | re.S)
GROUP_ID = r"\b[0-9a-f]{10}\b"
READS = ("snowgauge sql", "snowgauge failed groups", "curl -s http://127.0.0.1:8001/api/v1/analytics/query")
"""Commands that may be repeated until their output is what the page shows: events take a moment to be stored."""


@dataclass(frozen=True)
class Command:
    line: str
    output: tuple[str, ...]


def steps(page: str) -> Iterator[tuple[str, str] | Command]:
    """What a reader does: files to save, as name and text, and commands to run."""
    for language, title, body in BLOCK.findall(page):
        if title:
            yield title, body
        elif language == "console":
            for command in re.split(r"^\$ ", body, flags=re.M)[1:]:
                line, *output = command.splitlines()
                yield Command(line, tuple(output))


def pattern(shown: str) -> str:
    """A shown line as a regular expression: blanks of any width, `...` for anything, IDs as groups."""
    pieces = (re.sub(GROUP_ID, "([0-9a-f]{10})", re.escape(piece)) for piece in shown.strip().split("..."))
    return ".*".join(re.sub(r"(\\\s)+", r"\\s+", piece) for piece in pieces)


class Reader:
    """Someone with a terminal, whose deployment listens on other ports than the page says."""

    def __init__(self, folder: Path, deployment: Deployment) -> None:
        self._folder = folder
        self._deployment = deployment
        self._ids: dict[str, str] = {}
        self._environment = {
            **deployment._environment,
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        }

    def save(self, name: str, text: str) -> None:
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, command: Command) -> None:
        line = command.line.replace("http://127.0.0.1:8000", self._deployment.url)
        line = line.replace("127.0.0.1:8001", f"127.0.0.1:{self._deployment.console_port}")
        for shown, real in self._ids.items():
            line = line.replace(shown, real)
        printed = ""

        def as_shown() -> bool:
            nonlocal printed
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,  # as in a terminal
                text=True,
                check=False,
            )
            printed = f"{done.stdout}(exit code {done.returncode})"
            return done.returncode == 0 and self._has(done.stdout, command.output)

        try:
            # what a command changes is changed once; one that reads is asked until the events have been stored
            wait_until(as_shown, "the output of the page", within=120 if command.line.startswith(READS) else 0)
        except AssertionError:
            shown = "\n".join(command.output)
            log = self._deployment.log_tail()
            raise AssertionError(f"{line}\nprints\n{printed}\ninstead of\n{shown}\n{log}") from None

    def _has(self, printed: str, shown: tuple[str, ...]) -> bool:
        lines = iter(printed.splitlines())
        for text in shown:
            match = next(filter(None, (re.match(rf"\s*{pattern(text)}\s*$", line) for line in lines)), None)
            if match is None:
                return False
            self._ids.update(zip(re.findall(GROUP_ID, text), match.groups(), strict=True))
        return True


def enrichments(page: Path) -> list[tuple[str, str]]:
    """The enrichments that a tutorial has its reader write: workers load them when they start."""
    files = (step for step in steps(page.read_text("utf-8")) if not isinstance(step, Command))
    return [(name, text) for name, text in files if name.startswith("enrichments/")]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The one that pages go on with as they find it."""
    folder = tmp_path_factory.mktemp("tutorials")
    with Deployment(folder / "data", {"iglu.iglu_central": "false"}) as running:
        yield running


@contextmanager
def deployment_of(page: Path, shared: Deployment, folder: Path) -> Iterator[Deployment]:
    """A page that has enrichments of its own written does not change the events of the others."""
    written = enrichments(page)
    if not written:
        yield shared
        return
    for name, text in written:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    settings = {"iglu.iglu_central": "false", "enrichments.folder": str(folder / "enrichments")}
    with Deployment(folder / "data", settings) as running:
        yield running


@pytest.mark.parametrize("page", sorted(TUTORIALS.glob("*.md")), ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_says(page: Path, deployment: Deployment, tmp_path: Path) -> None:
    commands = 0
    with deployment_of(page, deployment, tmp_path) as running:
        reader = Reader(tmp_path, running)
        for step in steps(page.read_text("utf-8")):
            if isinstance(step, Command):
                reader.run(step)
                commands += 1
            else:
                reader.save(*step)
    assert commands, "a tutorial without a command that is checked"


def test_a_command_that_prints_something_else_is_noticed(deployment: Deployment, tmp_path: Path) -> None:
    reader = Reader(tmp_path, deployment)
    reader.run(Command("echo a  b; echo 0123456789", ("a b", "abcdefabcd")))
    reader.run(Command("echo abcdefabcd", ("0123456789",)))
    with pytest.raises(AssertionError, match=r"prints\nb\n"):
        reader.run(Command("echo b", ("a",)))
    with pytest.raises(AssertionError, match="exit code 1"):
        reader.run(Command("false", ()))
