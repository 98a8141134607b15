"""A record of what each step did to one event, for people who ask why it came out as it did."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from snowgauge.enrich.failures import Violation
from snowgauge.events.enriched import ATOMIC_FIELDS, EnrichedEvent
from snowgauge.events.enriched_tsv import as_json
from snowgauge.events.outcome import Outcome
from snowgauge.events.selfdescribing import SelfDescribing


class StepReport(msgspec.Struct):
    """``set`` are the columns a step changed, with their new values as in the canonical JSON; ``entities`` those it
    attached; ``failure`` the messages of what went wrong in it."""

    name: str
    microseconds: int
    set: dict[str, Any] = {}
    entities: list[dict[str, Any]] = []
    failure: list[dict[str, Any]] = []


class Explanation(msgspec.Struct):
    """One event: its outcome, and the steps that led there."""

    outcome: Outcome
    steps: list[StepReport]


class Trace:
    """Watches one event go through its steps. The enricher asks for it only when someone wants to know."""

    def __init__(self) -> None:
        self.steps: list[StepReport] = []
        self._attached: list[tuple[SelfDescribing, StepReport, int]] = []
        self._began = time.perf_counter_ns()

    def start(self, event: EnrichedEvent, violations: list[Violation]) -> None:
        """The columns that payload and tracker parameters alone fill."""
        elapsed = time.perf_counter_ns() - self._began
        filled = {column: value for column, value in as_json(event).items() if value is not None}
        messages = [violation.message for violation in violations]
        self.steps.append(StepReport("tracker parameters", elapsed // 1000, filled, [], messages))

    @contextmanager
    def step(
        self,
        name: str,
        event: EnrichedEvent,
        entities: list[SelfDescribing],
        violations: list[Violation],
        *,
        conceals: bool = False,
    ) -> Iterator[None]:
        """Compare event, entities and failures before and after. What a step ``conceals`` is, in the steps before it,
        shown as that step left it: nobody learns here what the pipeline has been told to hide."""
        before = msgspec.structs.astuple(event)
        held = list(entities)
        lists = [list(value) if isinstance(value, list) else value for value in before]
        had, failed = {id(item) for item in entities}, {id(violation) for violation in violations}
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            elapsed = time.perf_counter_ns() - started
            after = msgspec.structs.astuple(event)
            changed = [
                field.name for field, old, new in zip(ATOMIC_FIELDS, lists, after, strict=True) if not _same(old, new)
            ]
            shown = as_json(event) if changed else {}
            if conceals:
                self._conceal({column: shown[column] for column in changed}, held, entities)
            new = [] if conceals else [item for item in entities if id(item) not in had]
            report = StepReport(
                name,
                elapsed // 1000,
                {column: shown[column] for column in changed},
                [item.as_json() for item in new],
                [violation.message for violation in violations if id(violation) not in failed],
            )
            self._attached += [(item, report, place) for place, item in enumerate(new)]
            self.steps.append(report)

    def _conceal(self, columns: dict[str, Any], before: list[SelfDescribing], after: list[SelfDescribing]) -> None:
        for step in self.steps:
            step.set.update((column, value) for column, value in columns.items() if column in step.set)
        replaced = {id(old): new for old, new in zip(before, after, strict=True) if old is not new}
        for at, (item, report, place) in enumerate(self._attached):
            if id(item) in replaced:
                concealed = replaced[id(item)]
                report.entities[place] = concealed.as_json()
                self._attached[at] = (concealed, report, place)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(a is b for a, b in zip(old, new, strict=True))
    return old is new or (not isinstance(old, SelfDescribing) and bool(old == new))
