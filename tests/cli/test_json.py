"""What commands print for programs, and `snowgauge help`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from snowgauge.cli.main import app

Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--set", f"common.data_dir={tmp_path}", *arguments])

    return run


def said(result: Result) -> Any:
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


def test_people_and_keys(command: Command) -> None:
    assert said(command("access", "list", "--json")) == {"people": [], "invitations": [], "keys": []}
    command("access", "add-key", "ci", "--scope", "read:health")
    (key,) = said(command("access", "list", "--json"))["keys"]
    assert (key["key"], key["scopes"], key["last_used"]) == ("ci", "read:health", "never")


def test_enrichments(command: Command) -> None:
    listed = said(command("enrichments", "list", "--json"))
    assert {"place", "enrichment", "state", "configured_in", "files"} == set(listed[0])
    assert "ua_parser" in str(listed)


def test_schemas(command: Command, tmp_path: Path) -> None:
    uris = said(command("schema", "list", "web_page", "--json"))
    assert "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0" in uris
    file = tmp_path / "schema.json"
    file.write_text('{"type": "objekt"}')
    findings = said(command("schema", "lint", str(file), "--json"))
    assert {"file", "level", "pointer", "message"} == set(findings[0])
    changes = said(command("schema", "diff", uris[0], str(file), "--json"))
    assert changes["needed"] == "model"


def test_help_of_a_command_and_of_a_topic(command: Command) -> None:
    assert "Replay failed events" in command("help", "failed", "recover").output
    assert "130" in command("help", "exit-codes").output
    assert "# " in command("help", "privacy").output
    assert "privacy" in command("help").output
    unknown = command("help", "nothing")
    assert unknown.exit_code == 1
    assert "neither a command nor a topic" in str(unknown.exception)
