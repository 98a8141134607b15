"""The systemd unit is one that systemd takes; nothing is enabled unasked. `upgrade check` changes nothing."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from snowgauge.cli.main import app
from snowgauge.errors import SettingsError
from snowgauge.pipeline import build
from snowgauge.pipeline.service_unit import Service, unit
from snowgauge.store.base import Migration


def service(tmp_path: Path, **more: object) -> Service:
    given = {
        "python": Path(sys.executable),
        "user": getpass.getuser(),
        "data_dir": tmp_path,
        "config": None,
        "flags": (),
        "environment_file": tmp_path / "environment",
        "low_ports": False,
        "stop_seconds": 90,
    }
    return Service(**{**given, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "more",
    [{}, {"low_ports": True}, {"flags": ('collector.cookie.name=a b"%h$HOME\\',), "config": Path("/etc/a b.toml")}],
)
def test_systemd_takes_the_unit(tmp_path: Path, more: dict[str, object]) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze on this machine")
    file = tmp_path / "snowgauge.service"
    file.write_text(unit(service(tmp_path, **more)))
    done = subprocess.run([program, "verify", file], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "snowgauge.service" in line]
    assert not complaints


def test_rights_are_as_few_as_can_be(tmp_path: Path) -> None:
    without, with_low_ports = unit(service(tmp_path)), unit(service(tmp_path, low_ports=True))
    assert "\nAmbientCapabilities=\n" in without
    assert "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" in with_low_ports
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077", f'ReadWritePaths="{tmp_path}"'):
        assert line in without


def run(*arguments: str) -> object:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=True)


def test_root_and_strangers_are_refused_as_the_services_user(tmp_path: Path) -> None:
    for user, says in (("root", "must not run as root"), ("nobody-at-all", "useradd")):
        done = run("--set", f"common.data_dir={tmp_path}", "install-service", "--folder", str(tmp_path), "--user", user)
        error = done.exception  # type: ignore[attr-defined]
        assert isinstance(error, SettingsError)
        assert says in str(error)
    assert not list(tmp_path.iterdir())


def test_it_is_only_written_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(subprocess, "run", lambda *given, **_: asked.append(given))
    data = ["--set", f"common.data_dir={tmp_path / 'data'}"]
    done = run(*data, "install-service", "--folder", str(tmp_path), "--user", "nobody")
    if isinstance(done.exception, SettingsError):  # type: ignore[attr-defined]
        pytest.skip("no user nobody on this machine")
    assert done.exit_code == 0, done.output  # type: ignore[attr-defined]
    assert asked == []
    text = (tmp_path / "snowgauge.service").read_text()
    assert f'"common.data_dir={tmp_path / "data"}"' in text
    assert "User=nobody" in text


class Layout:
    """A store that only knows its steps."""

    def __init__(self, *applied: str | None) -> None:
        self._steps = [Migration(number, f"step {number}", at) for number, at in enumerate(applied, 1)]  # type: ignore[arg-type]

    def migrations(self) -> list[Migration]:
        return self._steps

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("applied", "code", "says"),
    [
        (("2024", "2024"), 0, "nothing to migrate"),
        (("2024", None), 3, "Make a backup first"),
        ((None, None), 3, "0 of 2 steps"),
    ],
)
def test_what_the_next_start_would_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, applied: tuple[str | None, ...], code: int, says: str
) -> None:

    monkeypatch.setattr(build, "open_store", lambda _: Layout(*applied))
    done = run("--set", f"common.data_dir={tmp_path}", "upgrade", "check")
    assert done.exit_code == code  # type: ignore[attr-defined]
    assert says in done.output  # type: ignore[attr-defined]
    for number, at in enumerate(applied, 1):
        assert (f"step {number}" in done.output) == (at is None)  # type: ignore[attr-defined]
