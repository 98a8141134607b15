"""Events with schemas that nobody has, or that are slow to come, hold up no others, and lose nothing.

The registry is a real server that is held, down, or knows nothing; what a test waits for is always a step of the
pipeline, so that no time is asserted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snowgauge.actions.failed.retry import Turns, curable, retry
from snowgauge.delivery.memory import MemoryLog
from snowgauge.delivery.worker import Worker
from snowgauge.enrich.enricher import Enricher
from snowgauge.events import payload_record
from snowgauge.events.failed import Processor
from snowgauge.events.log_entry import LogEntry
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.selfdescribing import SchemaKey
from snowgauge.iglu.at_hand import Limits, ValidatorAtHand
from snowgauge.iglu.build import build
from snowgauge.iglu.resolver import IgluResolver
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import Selection, StoreBatch, WriteResult
from snowgauge.store.memory import MemoryStore
from snowgauge.testing.failing import CART, NOON, cart_schema, entities, pixel, tracked, ue
from snowgauge.testing.registry import RegistryServer

LONG = 120.0
ALL = Selection()


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    server = RegistryServer()
    yield server
    server.held.set()
    server.down()


class TellingStore(MemoryStore):
    """Tells when an event of an application is stored."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._apps: set[str | None] = set()

    def write(self, batch: StoreBatch) -> WriteResult:
        result = super().write(batch)
        with self._changed:
            self._apps |= {event.app_id for event in batch.events}
            self._changed.notify_all()
        return result

    def wait_for(self, app_id: str) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: app_id in self._apps, LONG)


class Line:
    """A log, a worker in a thread of its own, and a store. ``settings`` are those of the resolver."""

    def __init__(self, folder: Path, registry: RegistryServer, **settings: Any) -> None:
        given = {"iglu_central": False, "registries": [registry.uri], "batch_patience": "50 ms", "max_wait": "10 ms"}
        self.settings = IgluSettings.model_validate({**given, **settings})
        self.log, self.store = MemoryLog(), TellingStore()
        self.at_hand, self.enricher = self._enricher(Limits.of_batches(self.settings))
        self.worker = Worker(
            self.log.subscribe(),
            self.enricher,
            self.store,
            processor=Processor("snowgauge-enrich", "1"),
        )
        self.thread = threading.Thread(target=self.worker.run)

    def _enricher(self, limits: Limits) -> tuple[ValidatorAtHand, Enricher]:
        resolver, validator = build(self.settings, None)
        at_hand = ValidatorAtHand(resolver, validator, limits)
        return at_hand, Enricher(validator, at_hand=at_hand)

    def send(self, *payloads: CollectorPayload) -> None:
        self.log.writer().append([LogEntry(payload_record.encode(payload), 1) for payload in payloads])

    def recover(self, run: str) -> tuple[list[str], int]:
        resolver, _ = build(self.settings, None)
        _, enricher = self._enricher(Limits.of_single_events(self.settings))
        schemas, totals = retry(self.store, resolver, lambda: enricher, run=run, at=NOON)
        return schemas, totals.recovered

    def __enter__(self) -> Line:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop.set()
        self.thread.join(LONG)
        assert not self.thread.is_alive()


def page_view(app_id: str) -> CollectorPayload:
    return pixel({"e": "pv", "p": "web", "tv": "js-4.0.0", "aid": app_id})


def hostile(count: int, round_: int = 0) -> CollectorPayload:
    made_up = [(f"iglu:com.evil/e{round_}-{n}/jsonschema/1-0-0", {}) for n in range(count)]
    return tracked({"e": "pv", "aid": "evil", "co": entities(*made_up)})


def held(registry: RegistryServer) -> None:
    registry.held.clear()


def nothing(registry: RegistryServer) -> None:
    return


@pytest.mark.parametrize("state", [held, RegistryServer.down, nothing], ids=["slow", "down", "404"])
def test_nine_thousand_made_up_schemas_in_one_post_hold_up_nobody(
    tmp_path: Path, registry: RegistryServer, state: Callable[[RegistryServer], None]
) -> None:
    state(registry)
    with Line(tmp_path, registry) as line:
        line.send(page_view("before"), hostile(9_000))
        line.send(page_view("beside"))
        line.send(hostile(9_000, 1), page_view("after"))
        assert line.store.wait_for("before")
        assert line.store.wait_for("beside")
        assert line.store.wait_for("after"), "and the registry has not answered yet where it is held"
    asked = {path for path, _ in registry.requests}
    assert len(asked) <= 2 * line.settings.unknown_per_event
    assert (line.worker.tally.records, line.worker.tally.enriched, line.worker.tally.failed) == (5, 3, 2)
    if state is RegistryServer.down:
        registry.up()


def test_a_stop_waits_for_no_registry(tmp_path: Path, registry: RegistryServer) -> None:
    held(registry)
    with Line(tmp_path, registry) as line:
        line.send(hostile(100))
        line.send(page_view("after"))
        assert line.store.wait_for("after")
    assert not registry.held.is_set(), "the worker has ended, and no lookup has"


def test_at_a_cold_start_a_registry_that_works_costs_no_event(tmp_path: Path, registry: RegistryServer) -> None:
    carts = [CART.replace("/cart/", f"/cart{n}/") for n in range(40)]
    for uri in carts:
        registry.put(uri, cart_schema())
    with Line(tmp_path, registry, batch_patience="2 minutes") as line:
        line.send(*[tracked({"aid": f"shop{n}", "ue_pr": ue({"quantity": n}, uri)}) for n, uri in enumerate(carts)])
        assert all(line.store.wait_for(f"shop{n}") for n in range(40))
    assert line.worker.tally.failed == 0
    assert len(registry.requests) == 40


def test_what_came_too_late_is_recovered_once(tmp_path: Path, registry: RegistryServer) -> None:
    registry.put(CART, cart_schema())
    held(registry)
    event = {"eid": "11111111-1111-4111-8111-111111111111", "aid": "shop", "ue_pr": ue({"quantity": 2})}
    with Line(tmp_path, registry) as line:
        line.send(tracked(event))
        line.send(page_view("after"))
        assert line.store.wait_for("after")
        (row,) = line.store.failed_events(ALL)
        assert row["failure_type"] == "schema_violations"
        (message,) = row["data"]["failure"]["messages"]
        assert message["error"]["error"] == "ResolutionError"
        assert [one["repository"] for one in message["error"]["lookupHistory"]] == [f"Custom ({registry.uri})"]
        registry.held.set()
        line.at_hand._lookups.wait([SchemaKey.parse(CART)], LONG)
        line.send(tracked({**event, "eid": "22222222-2222-4222-8222-222222222222", "aid": "next"}))
        assert line.store.wait_for("next"), "the lookup went on, and the next batch has its answer"
    assert line.recover("r1") == ([CART], 1)
    assert line.recover("r2") == ([], 0)
    ids = [str(row["event_id"]) for row in line.store.events("good", ALL) if row["app_id"] == "shop"]
    assert ids == [event["eid"]]


def test_a_recovery_asks_for_what_is_wanted_most_and_for_all_others_in_turn(
    tmp_path: Path, registry: RegistryServer
) -> None:
    names = [f"n{number}" for number in range(7)]
    turns = Turns(per_run=4)
    assert turns.next(names) == ["n0", "n1", "n2", "n3"]
    assert turns.next(names) == ["n0", "n1", "n4", "n5"]
    assert turns.next(names) == ["n0", "n1", "n6", "n2"]
    assert turns.next(["n9", *names]) == ["n9", "n0", "n3", "n4"]

    line = Line(tmp_path, registry, unknown_per_event=1)
    line.send(*[hostile(1, number) for number in range(30)])
    line.send(*[tracked({"aid": "shop", "ue_pr": ue({"quantity": n})}) for n in range(2)])
    line.worker.run(until_empty=True)
    assert len(list(line.store.failed_events(ALL))) == 32
    line.at_hand.close()
    asked: list[SchemaKey] = []

    class Noting(IgluResolver):
        def schema(self, key: SchemaKey) -> dict[str, Any]:
            asked.append(key)
            return super().schema(key)

    assert curable(line.store, Noting([]), Turns(per_run=2)) == []
    assert len(asked) == 2
    assert SchemaKey.parse(CART) in asked, "two events wait for it"
