"""A private port in memory and a browser-like client for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from snowgauge.testing.console import Browser, PrivatePort


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PrivatePort]:
    made = PrivatePort(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(port: PrivatePort) -> Browser:
    return Browser(port.app)
