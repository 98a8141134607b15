"""Fixtures that every part's tests share."""

import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from snowgauge.telemetry import metrics

# deployments that tests start ask no registry for the tracker
os.environ["SNOWPLOW_SCRIPTS__DOWNLOAD"] = "manual"

# a loaded machine is slow, which says nothing about the code
settings.register_profile("snowgauge", deadline=None)
settings.load_profile("snowgauge")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that runs inside a test sets up logging; the next test has it as it was."""
    before = structlog.get_config() if structlog.is_configured() else None
    level = logging.getLogger().level
    yield
    root = logging.getLogger()
    root.handlers[:] = [h for h in root.handlers if not isinstance(h.formatter, structlog.stdlib.ProcessorFormatter)]
    root.setLevel(level)
    if before is None:
        structlog.reset_defaults()
    else:
        structlog.configure(**before)


@pytest.fixture(autouse=True)
def figures_forgotten() -> Iterator[None]:
    """Figures belong to a process, which many tests share: the next test's deployment has neither proxy nor registries
    of this one's."""
    yield
    for name in ("tls_certificate_expires_timestamp", "iglu_registry_up"):
        if name in metrics._live:
            metrics._live[name].clear()
            for key in [key for key in metrics._bound if key[0] == name]:
                del metrics._bound[key]
