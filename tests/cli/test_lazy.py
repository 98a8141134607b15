"""The command line loads what a command uses, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from snowgauge.cli import lazy
from snowgauge.cli.main import app

HEAVY = ("pydantic", "fastapi", "chdb", "clickhouse_connect", "psycopg", "httpx", "jsonschema_rs", "rich.markdown")


def loaded_by(*helps: list[str]) -> list[str]:
    """Which of the heavy packages a process has imported after it has shown these helps."""
    program = (
        "import sys\n"
        "from snowgauge.cli.main import app\n"
        f"for arguments in {list(helps)!r}:\n"
        "    try:\n"
        "        app(arguments)\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 0, arguments\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    last = done.stdout.splitlines()[-1]
    assert last.startswith("LOADED"), done.stdout + done.stderr
    return last.split()[1:]


def test_the_index_says_what_the_modules_register() -> None:
    index = Path(lazy.__file__).with_name("index.py")
    assert index.read_text("utf-8") == lazy.index(), "run `snowgauge docs reference`"


@pytest.mark.e2e
def test_help_loads_nothing_that_only_commands_need() -> None:
    assert loaded_by(["--help"], ["--version"], *([name, "--help"] for name in lazy.ENTRIES)) == []


@pytest.mark.e2e
def test_asking_a_store_loads_no_other_part(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from snowgauge.cli.main import app\n"
        "try:\n"
        f"    app(['--set', 'common.data_dir={tmp_path}', '--set', 'store.url=memory://', 'sql', 'SELECT 1'])\n"
        "except BaseException: pass\n"
        "parts = ('enrich.enricher', 'alerts.rules', 'collector.app', 'api.app', 'analytics.engine')\n"
        "print('LOADED', *[part for part in parts if f'snowgauge.{part}' in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.splitlines()[-1].split() == ["LOADED"], done.stdout + done.stderr


def test_completion_offers_commands_and_their_groups() -> None:
    shown = CliRunner().invoke(
        app, env={"_ROOT_COMPLETE": "complete_bash", "COMP_WORDS": "root st", "COMP_CWORD": "1"}, prog_name="root"
    )
    assert {"status", "store"} <= set(shown.output.split())
    inside = CliRunner().invoke(
        app,
        env={"_ROOT_COMPLETE": "complete_bash", "COMP_WORDS": "root failed gr", "COMP_CWORD": "2"},
        prog_name="root",
    )
    assert inside.output.split() == ["groups"]


def test_a_command_that_does_not_exist_is_named_with_the_nearest() -> None:
    shown = CliRunner().invoke(app, ["statsu"])
    assert shown.exit_code == 2
    assert "status" in shown.output


def test_options_of_the_root_are_read_where_they_are_given(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["--set", f"common.data_dir={tmp_path}/x", "settings", "--json"])
    shown_default = CliRunner().invoke(app, ["settings", "--json"])
    assert f"{tmp_path}/x" in shown.output
    assert f"{tmp_path}/x" not in shown_default.output
