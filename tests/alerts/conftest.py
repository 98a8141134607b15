"""A world with a clock that is moved by hand, and a server that takes messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from snowgauge.alerts.delivering.postman import Postman
from snowgauge.testing.alerting import AlertWorld, means
from snowgauge.testing.web import Web, serving


@pytest.fixture
def world() -> AlertWorld:
    return AlertWorld()


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as running:
        running.answers["/hook"] = (200, b"ok")
        yield running


@pytest.fixture
def postman() -> Iterator[Callable[..., Postman]]:
    """Makes one for a world; all connections are closed at the end."""
    with ExitStack() as stack:

        def make(world: AlertWorld, **more) -> Postman:
            made = stack.enter_context(means(**more))
            return Postman(world.book, made.post, made.console)

        yield make
