"""One collector per test: the real application on the real memory log, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from snowgauge.collector.admission.settings import SecuritySettings
from snowgauge.collector.app import create_app
from snowgauge.collector.settings import CollectorSettings
from snowgauge.delivery.memory import MemoryLog
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode
from snowgauge.testing.asgi import Client, Response

NOW = 1_775_037_600_000  # 2026-04-01T10:00:00Z
FRESH_ID = "11111111-2222-4333-8444-555555555555"


class Collecting:
    """A collector, what it answers, and what it kept."""

    def __init__(self, client: Client, log: MemoryLog) -> None:
        self.client = client
        self._log = log
        self.now = NOW
        self.fresh_id = FRESH_ID

    def __call__(self, method: str, target: str | bytes, *headers: tuple[str, Any], **more: Any) -> Response:
        return self.client.request(method, target, headers, **more)

    @property
    def kept(self) -> list[CollectorPayload]:
        return [decode(entry.body) for entry in self._log.peek() if entry.kind == "payload"]

    @property
    def bad_rows(self) -> list[Any]:
        return [msgspec.json.decode(entry.body) for entry in self._log.peek() if entry.kind == "bad_row"]

    @property
    def one(self) -> CollectorPayload:
        (payload,) = self.kept
        return payload


@pytest.fixture
def collecting() -> Iterator[Callable[..., Collecting]]:
    """``collecting(cookie={"enabled": False})`` is a collector with these settings."""
    with ExitStack() as stack:

        def make(
            *, more: Any = None, name: str = "test-collector", security: Any = None, **settings: Any
        ) -> Collecting:
            log = MemoryLog()
            app = create_app(
                CollectorSettings.model_validate(settings),
                log.writer(),
                name=name,
                clock=lambda: NOW,
                new_uuid=lambda: FRESH_ID,
                more=more,
                security=SecuritySettings.model_validate(security or {}),
            )
            return Collecting(stack.enter_context(Client(app)), log)

        yield make
