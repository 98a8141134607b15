"""Simple Snowplow's own command lines, letter by letter."""

import io
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from snowgauge.cli.main import app
from snowgauge.testing.web import Web, serving


@pytest.fixture
def releases():
    plugins = io.BytesIO()
    with zipfile.ZipFile(plugins, "w") as archive:
        archive.writestr("plugins/browser-plugin-x/dist/index.umd.min.js", "x()")
    with serving() as web:
        for name, body in (
            ("sp.js", b"sp()"),
            ("sp.js.map", b'{"file":"sp.js"}'),
            ("plugins.umd.zip", plugins.getvalue()),
        ):
            web.answers[f"/4.6.6/{name}"] = (200, body)
        yield web


def run(releases: Web, *arguments: str):
    address = f"scripts.release_url={releases.url}/{{version}}/{{file}}"
    return CliRunner().invoke(app, ["--set", address, "scripts", "download", *arguments])


@pytest.mark.parametrize(("word", "copied"), [("True", True), ("False", False), ("false", False)])
def test_scripts_download(releases: Web, tmp_path: Path, word: str, copied: bool) -> None:
    done = run(releases, "--version", "4.6.6", "--output_dir", str(tmp_path), "--create_loader_copy", word)
    assert done.exit_code == 0, done.output
    assert "Downloaded tracker scripts version 4.6.6" in done.output
    assert (tmp_path / "loader.js").exists() is copied
    assert (tmp_path / "plugins" / "browser-plugin-x" / "dist" / "index.umd.min.js").exists()
    assert "already present" in run(releases, "--version", "4.6.6", "--output_dir", str(tmp_path)).output
    assert run(releases, "--version", "4.6.6", "--output_dir", str(tmp_path), "--force").exit_code == 0


def test_a_missing_version_is_named(releases: Web, tmp_path: Path) -> None:
    done = run(releases, "--version", "9.9.9", "--output_dir", str(tmp_path))
    assert done.exit_code != 0
    assert "Failed to download sp.js: HTTP 404" in str(done.exception)
