"""Every backend keeps the contract."""

from __future__ import annotations

import pytest

from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.spool import SpoolLog
from snowgauge.testing.eventlog.contract import EventLogContract


class TestMemory(EventLogContract):
    @pytest.fixture
    def make_log(self):
        opened = []

        def make(capacity=None, **limits):
            if not opened:
                opened.append(MemoryLog(capacity_bytes=capacity, **limits))
            return opened[0]

        return make


class TestSpool(EventLogContract):
    @pytest.fixture
    def make_log(self, tmp_path):
        def make(capacity=8 * 1024**3, **limits):
            return SpoolLog(tmp_path / "spool", max_bytes=capacity, min_free_bytes=0, linger=0, **limits)

        return make


class TestSpoolWithoutFsync(EventLogContract):
    @pytest.fixture
    def make_log(self, tmp_path):
        def make(capacity=8 * 1024**3, **limits):
            return SpoolLog(
                tmp_path / "spool", max_bytes=capacity, min_free_bytes=0, linger=0.01, fsync=False, **limits
            )

        return make
