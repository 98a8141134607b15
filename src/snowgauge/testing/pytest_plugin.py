"""The pytest plug-in: the fixture ``snowgauge_micro``, an own Micro for each test run and an empty one for each test.

Installed with the package (entry point ``pytest11``). The process is started when the first test asks for it and is
shared by the tests of one worker; options of the command go into the ini setting ``snowgauge_micro_arguments``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from snowgauge.testing.micro import Micro

_ARGUMENTS = "snowgauge_micro_arguments"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(_ARGUMENTS, "Options of `snowgauge micro` for the fixture snowgauge_micro.", type="args", default=[])


@pytest.fixture(scope="session")
def snowgauge_micro_process(request: pytest.FixtureRequest) -> Iterator[Micro]:
    """A running Micro. Tests ask for ``snowgauge_micro``, which is empty at their start."""
    from snowgauge.testing.micro import Micro

    with Micro(*request.config.getini(_ARGUMENTS)) as micro:
        yield micro


@pytest.fixture
def snowgauge_micro(snowgauge_micro_process: Micro) -> Micro:
    """Snowplow Micro with no events in it: point the tracker under test to ``snowgauge_micro.url``."""
    snowgauge_micro_process.reset()
    return snowgauge_micro_process
