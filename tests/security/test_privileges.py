"""Started by root with `common.user`, everything runs as that user; what it makes is that user's alone."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import sysconfig
import tempfile
import urllib.request
from pathlib import Path

import psutil
import pytest

import snowgauge
from snowgauge.errors import SettingsError
from snowgauge.pipeline import privileges
from snowgauge.settings.load import load
from snowgauge.testing.deployment import Deployment

BIND = 1 << 10
"""The capability to listen below 1024, as a bit."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root up")


def reachable(path):
    """Can any user get there?"""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in Path(path).resolve().parents)


@pytest.fixture
def nobody():
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        pytest.skip("no user nobody on this machine")


@pytest.fixture
def python(monkeypatch):
    """A Python that others may run, with this one's packages."""
    packages = [str(Path(snowgauge.__file__).parents[1]), sysconfig.get_path("purelib")]
    if not all(map(reachable, packages)):
        pytest.skip("the packages lie in a folder that only root may enter")
    chosen = sys.executable
    if not reachable(chosen):
        chosen = f"/usr/bin/python3.{sys.version_info.minor}"
        if not os.access(chosen, os.X_OK):
            pytest.skip("this Python lies in a folder that only root may enter, and there is no other of its version")
    monkeypatch.setattr(sys, "executable", chosen)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(packages))
    return chosen


@pytest.fixture
def open_folder():
    """A folder that others may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="snowgauge-privileges-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def low_port():
    for port in range(1023, 600, -1):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("every port below 1024 is taken")


def status(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@as_root
@pytest.mark.e2e
def test_root_is_given_up_by_every_process_and_every_file(nobody, python, open_folder):
    running = Deployment(open_folder / "data", {"common.user": "nobody", "iglu.iglu_central": "false"})
    running.port = low_port()
    with running:
        with urllib.request.urlopen(f"{running.url}/i?e=pv&p=web&tv=t&aid=given-up", timeout=10) as answer:
            assert answer.status == 200
        running.events("given-up", 1)
        first = psutil.Process(running.pid("collector")).parent()
        processes = [first, *first.children(recursive=True)]
        assert len(processes) >= 5
        for process in processes:
            said = status(process.pid)
            assert said["Uid"].split() == [str(nobody.pw_uid)] * 4, process.cmdline()
            assert said["Gid"].split() == [str(nobody.pw_gid)] * 4
            assert "0" not in said["Groups"].split()
            for kept in ("CapEff", "CapPrm", "CapInh"):
                assert int(said[kept], 16) == BIND, f"{kept} of {process.cmdline()}"
            assert said["NoNewPrivs"] == "1"
        running.command("db", "status")  # root's own command makes nothing that is root's
    for path in [running.data_dir, *running.data_dir.rglob("*")]:
        found = path.lstat()
        assert found.st_uid == nobody.pw_uid, path
        if not stat.S_ISLNK(found.st_mode):
            assert not found.st_mode & 0o077, f"{path} can be read by others: {found.st_mode:o}"


@as_root
def test_without_low_ports_no_right_is_kept(nobody, python, open_folder):
    code = (
        "import os; from pathlib import Path\n"
        "from snowgauge.pipeline import privileges; from snowgauge.settings.load import load\n"
        f"flags = ['common.user=nobody', 'common.data_dir={open_folder / 'data'}']\n"
        "privileges.become(load(flags=flags).settings, os.environ)\n"
        "print(Path('/proc/self/status').read_text(), os.environ['USER'])"
    )
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, cwd="/").stdout
    for line in ("CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "CapAmb:\t0000000000000000", "nobody\n"):
        assert line in said


def settings(folder, **common):
    return load(
        flags=[f"common.data_dir={folder}", *(f"common.{key}={value}" for key, value in common.items())]
    ).settings


def test_users_that_make_no_sense_are_refused(tmp_path):
    for user, says in (("nobody-at-all", "no user"), ("root", "to be given up")):
        with pytest.raises(SettingsError, match=says):
            privileges.become(settings(tmp_path, user=user), {})
    with pytest.raises(SettingsError, match="no group"):
        privileges.account(pwd.getpwuid(os.getuid()).pw_name, "no-such-group")
    with pytest.raises(SettingsError, match="name a user too"):
        settings(tmp_path, group=grp.getgrgid(os.getgid()).gr_name)


def test_only_root_can_become_somebody_else(tmp_path, nobody, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(SettingsError, match="only root can become nobody"):
        privileges.become(settings(tmp_path, user="nobody"), {})


def test_who_is_that_user_already_goes_on(tmp_path, nobody, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: nobody.pw_uid)
    assert privileges.become(settings(tmp_path, user="nobody"), {}) is False


@as_root
def test_a_folder_with_content_is_not_handed_over(tmp_path, nobody):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "somebodys").write_text("")
    with pytest.raises(SettingsError, match="chown"):
        privileges.become(settings(tmp_path / "data", user="nobody"), {})
    assert (tmp_path / "data").stat().st_uid == 0


@as_root
@pytest.mark.e2e
@pytest.mark.parametrize("role", ["serve", "collector", "pipeline", "console"])
@pytest.mark.parametrize("flag", ["common.run_as_root=false", "tls.domains=collector.example.com"])
def test_running_as_root_is_refused_on_the_internet_and_where_that_is_wanted(tmp_path, flag, role):
    chosen = ["--set", f"common.data_dir={tmp_path / 'data'}", "--set", flag]
    done = subprocess.run(
        [sys.executable, "-m", "snowgauge", *chosen, role], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert "common.user" in done.stderr
    assert "common.run_as_root = true" in done.stderr
    assert not (tmp_path / "data").exists()


def test_who_chose_root_is_not_told(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    environment = {}
    for more in ([], ["tls.domains=collector.example.com"]):
        privileges.check_root(load(flags=["common.run_as_root=true", *more]).settings, environment)
    assert environment == {}


@as_root
@pytest.mark.e2e
def test_running_as_root_is_told(tmp_path):
    """The start is refused for want of an admin right after, which is quick."""
    done = subprocess.run(
        [sys.executable, "-m", "snowgauge", "--set", f"common.data_dir={tmp_path / 'data'}", "serve",
         "--set", "console.host=0.0.0.0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("runs_as_root") == 1
    assert "common.user" in done.stderr
