"""A registry server on this machine, and a clock that a test moves."""

import pytest

from snowgauge.testing.registry import RegistryServer


@pytest.fixture
def server():
    running = RegistryServer()
    yield running
    running.down()


class Clock:
    def __init__(self):
        self.now = 1_714_557_600.123

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()
