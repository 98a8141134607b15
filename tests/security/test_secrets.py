"""Secrets come from files and the environment, and come out nowhere: not on command lines, not in what is printed."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest
from typer.testing import CliRunner

from snowgauge.cli.main import app
from snowgauge.errors import SettingsError
from snowgauge.settings.load import leaf_names, load, refuse_secrets
from snowgauge.testing.deployment import Deployment

SECRET = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    "flag",
    [
        f"clickhouse.engine.password={SECRET}",
        f"clickhouse.connection.password={SECRET}",
        f"store.url=postgresql://me:{SECRET}@db.example/snowplow",
        f"sentry.dsn={SECRET}",
        f" tls.acme.eab_hmac_key ={SECRET}",
    ],
)
def test_a_secret_on_the_command_line_is_refused_with_the_place_for_it(flag):
    with pytest.raises(SettingsError) as refused:
        refuse_secrets([flag])
    assert SECRET not in str(refused.value)
    assert "_FILE" in str(refused.value)


@pytest.mark.parametrize("flag", ["store.url=memory://", "store.url=clickhouse://db.example:8123/x", "store.url="])
def test_a_url_without_a_password_is_none(flag):
    refuse_secrets([flag, "collector.port=8000"])


@pytest.mark.parametrize(
    "command",
    [
        ["store", "copy", "here", f"postgresql://me:{SECRET}@db.example/snowplow"],
        ["store", "copy", f"clickhouse://me:{SECRET}@db.example:8123", "here"],
        ["migrate", "simple-snowplow", "--url", f"clickhouse://me:{SECRET}@db.example:8123"],
    ],
)
def test_commands_take_a_password_in_a_variable_only(tmp_path, command):
    done = CliRunner().invoke(app, ["--set", f"common.data_dir={tmp_path}", *command])
    assert isinstance(done.exception, SettingsError)
    assert "env:NAME" in str(done.exception)
    assert SECRET not in str(done.exception)


def test_files_hold_secrets_and_nothing_prints_them(tmp_path):
    """Every setting that is a secret, given by a file, and shown in every way there is."""
    from pydantic import SecretStr

    from snowgauge.settings.load import _annotation, _flatten

    names = [
        name
        for name in leaf_names()
        if any(kind is SecretStr for kind in _flatten(_annotation(tuple(name.split(".")))))
    ]
    assert len(names) >= 5
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "url").write_text(f"postgresql://me:{SECRET}@db.example/snowplow\n")
    accepted = set()
    for name in names:
        variable = "SNOWPLOW_" + name.upper().replace(".", "__") + "_FILE"
        file = tmp_path / ("url" if name.endswith("url") else "secret")
        try:
            said = repr(load(environment={variable: str(file)}))
            accepted.add(name)
        except SettingsError as error:  # it wants another form, or more beside it
            said = str(error)
        assert SECRET not in said
    assert {"store.url", "clickhouse.engine.password"} < accepted
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SNOWPLOW_")}
    environment["SNOWPLOW_STORE__URL_FILE"] = str(tmp_path / "url")
    environment["SNOWPLOW_CLICKHOUSE__ENGINE__PASSWORD_FILE"] = str(tmp_path / "secret")
    for how in ([], ["--json"], ["--raw"]):
        done = subprocess.run(
            [sys.executable, "-m", "snowgauge", "settings", *how],
            env=environment, capture_output=True, text=True, check=True, cwd=tmp_path,
        )  # fmt: skip
        assert SECRET not in done.stdout + done.stderr


@pytest.mark.e2e
def test_no_process_shows_a_secret_and_no_line_of_the_log_does(tmp_path):
    """The embedded engine's password reaches all who need it; ``ps`` and the log, at its most talkative, do not."""
    (tmp_path / "password").write_text(SECRET)
    settings = {
        "clickhouse.engine.password_FILE": str(tmp_path / "password"),
        "iglu.iglu_central": "false",
        "logging.level": "DEBUG",
    }
    with Deployment(tmp_path / "data", settings) as running:
        first = psutil.Process(running.pid("collector")).parent()
        for process in [first, *first.children(recursive=True)]:
            assert SECRET not in " ".join(process.cmdline())
        assert b"snowgauge" in running.command("sql", "SELECT 'snowgauge'")
        with pytest.raises(AssertionError, match="Authentication failed"):
            running.sql("SELECT 1")
    assert SECRET not in running.log_file.read_text(errors="replace")
