"""The plug-in in a test run of its own, and the guide's example."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "micro"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:randomly",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            ".",
            *arguments,
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.e2e
def test_each_test_begins_with_an_empty_micro_and_reads_what_differs(tmp_path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nsnowgauge_micro_arguments = --set iglu.iglu_central=false\n")
    (tmp_path / "test_it.py").write_text(
        "import urllib.request\n"
        "def send(micro, query):\n"
        "    urllib.request.urlopen(f'{micro.url}/i?e=pv&{query}').close()\n"
        "def test_one(snowgauge_micro):\n"
        "    send(snowgauge_micro, 'aid=one')\n"
        "    snowgauge_micro.assert_sent({'app_id': 'one'})\n"
        "def test_two(snowgauge_micro):\n"
        "    snowgauge_micro.assert_nothing_sent()\n"
        "    send(snowgauge_micro, 'aid=two')\n"
        "    snowgauge_micro.assert_sent({'app_id': 'shop'})\n"
    )
    done = run(tmp_path)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "expected 1 event(s), 1 came" in done.stdout
    assert 'app_id: expected "shop", found "two"' in done.stdout


@pytest.mark.e2e
@pytest.mark.browser
def test_the_guides_example_tests_a_page_in_chromium(tmp_path) -> None:
    if shutil.which("chromium") is None and shutil.which("google-chrome") is None:
        pytest.skip("no Chromium on this machine, so the example of the guide cannot run")
    for file in EXAMPLE.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nsnowgauge_micro_arguments = --set iglu.iglu_central=false\n")
    done = run(tmp_path)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_guide_shows_the_example_as_it_runs() -> None:
    guide = (ROOT / "docs" / "guide" / "micro.md").read_text("utf-8")
    for name in ("shop.html", "test_shop.py"):
        assert (EXAMPLE / name).read_text("utf-8").strip() in guide, f"the guide's {name} differs from {EXAMPLE / name}"
