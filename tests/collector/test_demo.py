"""The demo shop is served whole, and loads nothing from other hosts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from snowgauge.collector import demo
from snowgauge.collector.app import create_app
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.memory import MemoryLog
from snowgauge.pipeline.public_paths import public_apps
from snowgauge.settings.load import load
from snowgauge.testing.asgi import Client


def shop() -> Client:
    return Client(create_app(CollectorSettings(), MemoryLog().writer(), more={demo.PREFIX: demo.demo()}))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/demo", "text/html"),
        ("/demo/", "text/html"),
        ("/demo/demo.js", "text/javascript"),
        ("/demo/demo.css", "text/css"),
    ],
)
def test_its_files_are_served(path: str, kind: str) -> None:
    with shop() as client:
        answer = client.request("GET", path)
    assert answer.status == 200
    assert str(answer["content-type"]).startswith(kind)


def test_its_own_code_is_not() -> None:
    with shop() as client:
        assert client.request("GET", "/demo/__init__.py").status == 404


def test_it_is_there_only_when_asked_for(tmp_path: Path) -> None:
    plain = load(flags=[f"common.data_dir={tmp_path}"]).settings
    asked = load(flags=[f"common.data_dir={tmp_path}"], environment={"SNOWPLOW_COMMON__DEMO": "true"}).settings
    assert "/demo" not in public_apps(plain)
    assert "/demo" in public_apps(asked)


def test_it_loads_nothing_from_other_hosts() -> None:
    folder = Path(demo.__file__).parent / "files"
    page = (folder / "index.html").read_text("utf-8")
    assert all(found.startswith("/demo/") for found in re.findall(r'(?:src|href)="([^"]+)"', page))
    assert not re.search(r"url\(|@import", (folder / "demo.css").read_text("utf-8"))
