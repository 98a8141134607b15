"""What the deployment files are checked with."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool():
    """Runs a program of the development environment or of this machine; skips aloud where it is not there."""

    def run(name, *arguments, **options):
        beside = Path(sys.executable).parent / name
        program = str(beside) if beside.exists() else shutil.which(name)
        if program is None:
            pytest.skip(f"no {name} on this machine")
        return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, cwd=ROOT, **options)

    return run


@pytest.fixture
def program_exists():
    """Is there such a command of Snowgauge, with such options?"""
    import typer

    from snowgauge.cli.main import app

    def check(words):
        command = typer.main.get_command(app)
        left = list(words)
        while left and not left[0].startswith("-") and left[0] in getattr(command, "commands", {}):
            command = command.commands[left.pop(0)]
        assert not getattr(command, "commands", None), f"snowgauge {' '.join(words)}: no such command"
        known = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
        for word in left:
            if word.startswith("--"):
                assert word.partition("=")[0] in known, f"snowgauge {' '.join(words)}: no option {word}"

    return check
