"""A log, a store and a sink more: each is a folder and one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from snowgauge.delivery.backends import LogPlace, LogSettings, SinkSettings
from snowgauge.delivery.contract import EventLog, Refusal, Sink
from snowgauge.delivery.dead_letters import DeadLetters
from snowgauge.delivery.followers import Followers
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.settings import EventLogSettings, SinksSettings
from snowgauge.delivery.worker import Worker
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import Processor
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.outcome import Enriched, Outcome
from snowgauge.store import build as store_build
from snowgauge.store.base import Selection, StoreBatch
from snowgauge.store.memory import MemoryStore
from snowgauge.store.settings import ClickHouseSettings, StoreSettings

# what would be the folders


class ToyLog(MemoryLog):
    """A log under another name."""


class ToyLogSettings(LogSettings):
    name: str = "toy"

    def open(self, url: str, place: LogPlace) -> EventLog:
        return ToyLog(max_batch_entries=place.limits.entries)


class ToySink:
    def __init__(self, told: list[str]) -> None:
        self.told = told

    def deliver(self, batch: StoreBatch) -> Sequence[Refusal]:
        self.told += [str(event.app_id) for event in batch.events]
        return ()

    def close(self) -> None: ...


class ToySinkSettings(SinkSettings):
    on: bool = False

    def open(self, name: str, data_dir: Path) -> Mapping[str, Sink]:
        return {name: ToySink(TOLD)} if self.on else {}


class ToyStore(MemoryStore):
    """A store under another name."""


TOLD: list[str] = []

# the lines


class WithToyLog(EventLogSettings):
    toy: ToyLogSettings = ToyLogSettings()


class WithToySink(SinksSettings):
    toy: ToySinkSettings = ToySinkSettings()


class Enricher:
    def settle(self) -> None: ...

    def conclude(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]:
        raise AssertionError("nothing is put off")

    def attempt(self, record: bytes, seed: str, *, at: int | None = None) -> list[Outcome]:
        return [Enriched(EnrichedEvent(event_id="3b3b3b3b-0000-4000-8000-000000000000", app_id=record.decode()))]

    def flush_metrics(self) -> None: ...


def test_a_toy_of_each_moves_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(store_build.BACKENDS, "toy", lambda _: ToyStore())
    log = WithToyLog.model_validate({"url": "toy://", "toy": {"name": "x"}}).open(tmp_path)
    store = store_build.build(StoreSettings.model_validate({"url": "toy://x"}), ClickHouseSettings())
    sinks = WithToySink.model_validate({"toy": {"on": True}}).open(tmp_path)
    assert isinstance(log, ToyLog)
    assert isinstance(store, ToyStore)
    letters = DeadLetters(tmp_path / "letters", most_bytes=2**30)
    followers = Followers(tmp_path / "sinks", sinks, backlog_bytes=2**30, dead_letters=letters)
    followers.start()
    log.writer().append([LogEntry(b"shop", 1)])
    worker = Worker(log.subscribe(), Enricher(), store, processor=Processor("t", "1"), followers=followers)
    worker.run(until_empty=True)
    assert followers.wait(30)
    followers.close()
    assert store.count("good", Selection()) == 1
    assert TOLD == ["shop"]


def test_what_is_not_registered_is_refused_with_what_is() -> None:
    with pytest.raises(ValueError, match=r"toy://, found 'other://x'"):
        WithToyLog.model_validate({"url": "other://x"})
