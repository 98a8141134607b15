"""The whole life of an event, from a collector payload to what became of it (enrich 6.10).

1. The payload is checked and its adapter makes tracker events of it.
2. Each event, on its own: parameters become columns, self-describing data is validated (phase 1); enrichments run on
   what is there, even after errors (phase 2); what they made is validated (phase 3).
3. No error: an enriched event. Else one bad row, of the first phase that has errors, and the event as far as it got.

``process`` is a function of the record, a seed for ids, and the clock: run twice, it gives the same ids.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import msgspec

from snowgauge.enrich import compressed, entities, failures
from snowgauge.enrich.adapters.base import Adapter
from snowgauge.enrich.enrichments.base import DropEvent, Enrichment, EnrichmentSource
from snowgauge.enrich.entities import Checked
from snowgauge.enrich.explain import Explanation, Trace
from snowgauge.enrich.failures import Violation
from snowgauge.enrich.lengths import NEVER_UNSET, LengthLimits
from snowgauge.enrich.payload_events import IDS, Batch, PayloadReader
from snowgauge.enrich.schemas import Schemas, Settled, Wanted
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.enrich.sizes import SizeLimit
from snowgauge.enrich.steps import StepRunner
from snowgauge.enrich.transform import parameters as parameter_map
from snowgauge.enrich.transform.base64_text import decode_text
from snowgauge.errors import PayloadRecordError, RegistryOutage
from snowgauge.events import bad_row, payload_record
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent, Processor
from snowgauge.events.json_text import compact
from snowgauge.events.outcome import Dropped, Enriched, Failed, Outcome
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.tracker import TrackerEvent
from snowgauge.iglu.contract import SchemasAtHand, Validator
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

log = logger("enrich")

Made = TypeVar("Made")

_PUT_OFF = Dropped("put off", {})
"""Stands for an event until it is processed again."""


def _now() -> int:
    return time.time_ns() // 1_000_000


class Enricher:
    """Turns payloads into outcomes: one per event, or one per failure of a whole payload; never none.

    ``adapters`` are adapter classes beside the built-in ones. Not to be used from two threads at a time.
    """

    def __init__(
        self,
        validator: Validator,
        settings: EnrichSettings | None = None,
        enrichments: Sequence[Enrichment] = (),
        *,
        adapters: Iterable[type[Adapter]] = (),
        at_hand: SchemasAtHand | None = None,
        clock: Callable[[], int] = _now,
    ) -> None:
        """Without ``at_hand`` the validator is waited for, whatever its registries take."""
        self._at_hand = at_hand
        self._settings = settings or EnrichSettings()
        self._validator = validator
        self._clock = clock
        self.processor = Processor(self._settings.processor_artifact, self._settings.processor_version)
        self._payloads = PayloadReader(self._settings, self.processor, adapters)
        self._steps = StepRunner(enrichments)
        self._limits = LengthLimits(self._settings.atomic_fields_limits)
        self._sizes = SizeLimit(self._settings.max_record_size, self.processor)
        self._accepted_invalid = 0

    # ---- payloads ---------------------------------------------------------------------------------------------

    def process(self, record: bytes, seed: str | None = None, *, at: int | None = None) -> list[Outcome]:
        """What became of one record. ``at`` is the etl_tstamp (default: the clock). Never raises for bad data.

        A schema that does not come, for whatever reason, is a failure of the event.
        """
        made = self.attempt(record, seed, at=at)
        if made is None:
            self.settle()
            made = self.conclude(record, seed, at=at)
        return made

    def attempt(self, record: bytes, seed: str | None = None, *, at: int | None = None) -> list[Outcome] | None:
        """The same without waiting: ``None`` for a record with schemas that have to be looked for, which begins.

        The caller does other records meanwhile, then calls ``settle`` once for all that were put off, and ``conclude``
        for each.
        """
        if self._at_hand is None:
            return self.conclude(record, seed, at=at)
        wanted = Wanted(self._at_hand, outages_fail=True)
        outcomes = self._process(record, seed, at, wanted)
        return None if wanted.put_off() else outcomes

    def settle(self) -> None:
        """Wait, within the limits of ``at_hand``, for the schemas of what was put off."""
        if self._at_hand is not None:
            self._at_hand.settle()

    def conclude(self, record: bytes, seed: str | None = None, *, at: int | None = None) -> list[Outcome]:
        """What became of a record with the schemas that have come by now."""
        return self._process(record, seed, at, self._settled(outages_fail=True))

    def _process(self, record: bytes, seed: str | None, at: int | None, schemas: Schemas) -> list[Outcome]:
        at = self._clock() if at is None else at
        try:
            kind = compressed.kind_of(record)
            if kind is not None:
                return self._compressed(record, kind, seed, at, schemas)
            return self._record(record, seed, at, schemas)
        except Exception as error:
            whole = self._batch(CollectorPayload(), record, seed, at, schemas)
            return [self._broken(error, whole, record.decode("utf-8", "backslashreplace"))]

    def _compressed(
        self, record: bytes, kind: compressed.Kind, seed: str | None, at: int, schemas: Schemas
    ) -> list[Outcome]:
        whole = self._batch(CollectorPayload(), record, seed, at, schemas)
        largest = self._settings.max_decompressed_size
        outcomes: list[Outcome] = []
        try:
            for place, inner in enumerate(compressed.payloads(record, kind, largest)):
                outcomes += self._record(inner, f"{whole.seed}/{place}", at, schemas)
        except compressed.Damaged as error:
            violation = self._payloads.format_violation(whole, {"error": str(error)}, 0, error.loader)
            outcomes.append(self._sizes.applied(violation, whole, 0))
        except compressed.TooLarge as error:
            outcomes.append(self._payloads.too_large(whole, error.size, largest, kind))
        return outcomes

    def _record(self, record: bytes, seed: str | None, at: int | None, schemas: Schemas) -> list[Outcome]:
        try:
            payload = payload_record.decode(record)
        except PayloadRecordError as error:
            batch = self._batch(CollectorPayload(), record, seed, at, schemas)
            return [self._sizes.applied(self._payloads.format_violation(batch, {"error": str(error)}, 0), batch, 0)]
        batch = self._batch(payload, record, seed, at, schemas)
        events, outcomes = self._payload_outcomes(batch)
        return outcomes + [self._outcome(batch, tracker, index) for index, tracker in events]

    # ---- recovery ---------------------------------------------------------------------------------------------

    def process_payload(
        self,
        payload: CollectorPayload,
        record: bytes | None = None,
        seed: str | None = None,
        *,
        at: int | None = None,
        item: int | None = None,
        edit: Callable[[TrackerEvent], TrackerEvent] | None = None,
    ) -> list[Outcome]:
        """The same for a payload that is decoded already; ``record`` is its record, where there is one.

        Raises ``RegistryOutage`` where a schema may still come. ``item`` is the only item of the payload that counts
        (none comes out where the payload has fewer items now); ``edit`` may change what the adapter made, before it is
        checked.
        """

        def made(schemas: Schemas) -> list[Outcome]:
            batch = self._batch(payload, record, seed, at, schemas)
            events, outcomes = self._payload_outcomes(batch)
            if item is not None:
                outcomes = [o for o in outcomes if isinstance(o, Failed) and o.failure.event_index in (None, item)]
            for index, tracker in events:
                if item is None or index == item:
                    outcomes.append(self._outcome(batch, tracker if edit is None else edit(tracker), index))
            return outcomes

        return self._patiently(made, outages_fail=False)

    def process_tracker_event(
        self,
        tracker: TrackerEvent,
        record: bytes | None = None,
        seed: str | None = None,
        *,
        index: int = 0,
        at: int | None = None,
        event_id: str | None = None,
    ) -> Outcome:
        """One event that an adapter has made already. ``event_id`` is its id if it brings none itself.

        Raises ``RegistryOutage`` where a schema may still come.
        """

        def made(schemas: Schemas) -> Outcome:
            batch = self._batch(tracker.payload, record, seed, at, schemas)
            self._payloads.initial_columns(batch)
            return self._outcome(batch, tracker, index, event_id=event_id)

        return self._patiently(made, outages_fail=False)

    def _patiently(self, made: Callable[[Schemas], Made], *, outages_fail: bool) -> Made:
        if self._at_hand is not None:
            wanted = Wanted(self._at_hand, outages_fail=outages_fail)
            first = made(wanted)
            if not wanted.put_off():
                return first
            self.settle()
        return made(self._settled(outages_fail=outages_fail))

    def _settled(self, *, outages_fail: bool) -> Settled:
        check = self._validator.check if self._at_hand is None else self._at_hand.check
        return Settled(check, outages_fail=outages_fail)

    # ---- explanations -----------------------------------------------------------------------------------------

    def explain(self, record: bytes, seed: str | None = None, *, at: int | None = None) -> list[Explanation]:
        """What ``process`` does, with what each step changed and how long it took."""
        try:
            payload = payload_record.decode(record)
        except PayloadRecordError:
            return [Explanation(outcome, []) for outcome in self.process(record, seed, at=at)]

        def made(schemas: Schemas) -> list[Explanation]:
            batch = self._batch(payload, record, seed, at, schemas)
            events, outcomes = self._payload_outcomes(batch)
            explained = [Explanation(outcome, []) for outcome in outcomes]
            for index, tracker in events:
                trace = Trace()
                explained.append(Explanation(self._outcome(batch, tracker, index, trace), trace.steps))
            return explained

        return self._patiently(made, outages_fail=True)

    def flush_metrics(self) -> None:
        """Hand the counts since the last call over to telemetry; cheap enough for once per batch."""
        self._steps.flush_metrics()
        if self._accepted_invalid:
            count("enrich_accepted_invalid", self._accepted_invalid)
            self._accepted_invalid = 0

    def _batch(
        self, payload: CollectorPayload, record: bytes | None, seed: str | None, at: int | None, schemas: Schemas
    ) -> Batch:
        if seed is None:
            record = payload_record.encode(payload) if record is None else record
            seed = hashlib.sha256(record).hexdigest()
        return Batch(payload, record, seed, self._clock() if at is None else at, schemas, {}, [])

    def _payload_outcomes(self, batch: Batch) -> tuple[Iterable[tuple[int, TrackerEvent]], list[Outcome]]:
        events, outcomes = self._payloads.events(batch)
        return events, [self._sizes.applied(outcome, batch, place) for place, outcome in enumerate(outcomes)]

    # ---- one event --------------------------------------------------------------------------------------------

    def _outcome(
        self,
        batch: Batch,
        tracker: TrackerEvent,
        index: int,
        trace: Trace | None = None,
        event_id: str | None = None,
    ) -> Outcome:
        try:
            return self._live(batch, tracker, index, trace, event_id)
        except RegistryOutage:
            raise
        except Exception as error:  # a bug of ours must cost one event, not those that came with it
            return self._broken(error, batch, compact(tracker.parameters), index)

    def _broken(self, error: Exception, batch: Batch, text: str, index: int | None = None) -> Failed:
        """The failure of an event or a whole record that no work could be done on; ``text`` stands in its bad row."""
        log.error("enricher_broken", seed=batch.seed, place=index, exc_info=error)
        reason = f"{type(error).__name__}: {error}".encode("utf-8", "replace").decode()
        failure = bad_row.generic_error(
            self.processor, batch.at, batch.id("broken", index), [reason], text, record=batch.whole_record()
        )
        failure.seed, failure.event_index = batch.seed, index
        return Failed(failure)

    def _live(
        self,
        batch: Batch,
        tracker: TrackerEvent,
        index: int,
        trace: Trace | None = None,
        event_id: str | None = None,
    ) -> Outcome:
        if tracker.payload is not batch.payload:  # the adapter knows better when and from where the event came
            batch = msgspec.structs.replace(
                batch, payload=tracker.payload, record=batch.whole_record(), columns={}, problems=[]
            )
            self._payloads.initial_columns(batch)
        columns = dict(batch.columns)
        problems = batch.problems + parameter_map.columns(tracker.parameters, columns)
        event = EnrichedEvent(**columns)
        if event.event_id is None:
            event.event_id = event_id or self._event_id(batch, tracker, index)
        if trace is not None:
            trace.start(event, [failures.atomic_parse_errors(problems)] if problems else [])

        invalid_input, notes = self._read_self_describing(batch, tracker, event, problems, trace)
        if batch.schemas.put_off():
            return _PUT_OFF
        source = EnrichmentSource(tracker, (), [], batch.at)
        try:
            failed_steps, rewritten = self._steps.run(event, source, trace)
        except DropEvent as drop:
            return Dropped(str(drop), tracker.parameters)
        invalid_output = self._check_output(batch, event, source, notes, rewritten, trace)

        violations = invalid_input + failed_steps + invalid_output
        event.derived_contexts = [violation.entity(self.processor, batch.at) for violation in violations]
        event.derived_contexts += source.entities
        event.derived_contexts += _distinct(notes)
        if not violations:
            return self._sizes.applied(Enriched(event, tracker.parameters), batch, index, tracker)
        if invalid_input or not failed_steps:
            kind, reported = "schema_violations", invalid_input or invalid_output
        else:
            kind, reported = "enrichment_failures", failed_steps
        failure = self._event_failure(batch, tracker, event, index, kind, reported)
        outcome = Failed(failure, event if self._settings.emit_incomplete else None, tracker.parameters)
        return self._sizes.applied(outcome, batch, index, tracker)

    def _event_id(self, batch: Batch, tracker: TrackerEvent, index: int) -> str:
        """Of version 4, as enrich's are, but made of the record: a second try at it gives the same event."""
        if tracker.identity is not None:
            # the sender's own name for the event: sent again, it is the same event
            name = f"{tracker.vendor}/{tracker.version}/{tracker.identity}"
        else:
            name = f"{batch.seed}/event/{index}"
        return str(uuid.UUID(bytes=uuid.uuid5(IDS, name).bytes, version=4))

    def _read_self_describing(
        self,
        batch: Batch,
        tracker: TrackerEvent,
        event: EnrichedEvent,
        problems: list[parameter_map.Problem],
        trace: Trace | None,
    ) -> tuple[list[Violation], list[SelfDescribing]]:
        """The rest of phase 1: the event's own data and its entities. Gives violations and validation notes."""
        parameters, depth = tracker.parameters, self._settings.max_json_depth
        violations = [failures.atomic_parse_errors(problems)] if problems else []
        notes: list[SelfDescribing] = []

        def take(checked: Checked) -> list[SelfDescribing]:
            violations.extend(checked.violations)
            notes.extend(checked.notes)
            return checked.items

        if (text := _either(parameters, "ue_px", "ue_pr")) is not None:
            with _watched(trace, "self-describing event", event, [], violations):
                items = take(entities.read_event(text, batch.schemas.check, depth))
                event.unstruct_event = items[0] if items else None
        if (text := _either(parameters, "cx", "co")) is not None:
            with _watched(trace, "entities", event, [], violations):
                event.contexts = take(entities.read_contexts(text, batch.schemas.check, depth))
        return violations, notes

    def _check_output(
        self,
        batch: Batch,
        event: EnrichedEvent,
        source: EnrichmentSource,
        notes: list[SelfDescribing],
        rewritten: bool,
        trace: Trace | None,
    ) -> list[Violation]:
        """Phase 3: entities of enrichments, lengths of columns, and what the user's own code rewrote."""
        violations: list[Violation] = []

        def valid(origin: str, items: Sequence[SelfDescribing]) -> list[SelfDescribing]:
            checked = entities.check_items(origin, items, batch.schemas.check)
            violations.extend(checked.violations)
            notes.extend(checked.notes)
            return checked.items

        with _watched(trace, "output validation", event, [], violations):
            derived_notes_from = len(notes)
            source.entities[:] = valid("derived_contexts", source.entities)
            derived_notes = notes[derived_notes_from:]
            del notes[derived_notes_from:]
            self._check_lengths(event, violations)
            if rewritten:
                if event.unstruct_event is not None:
                    event.unstruct_event = next(iter(valid("unstruct", [event.unstruct_event])), None)
                event.contexts = valid("contexts", event.contexts)
            notes.extend(derived_notes)  # enrich lists them after those of the tracker's own data
        return violations

    def _check_lengths(self, event: EnrichedEvent, violations: list[Violation]) -> None:
        exceeded = self._limits.exceeded(event)
        if not exceeded:
            return
        if self._settings.accept_invalid:
            self._accepted_invalid += 1
        else:
            violations.append(failures.atomic_length_errors(exceeded))
        if self._settings.emit_incomplete:
            # as in enrich 6.10, with ``accept_invalid`` this unsets the column of a good event
            for column in exceeded:
                if column.column not in NEVER_UNSET:
                    setattr(event, column.column, None)

    def _event_failure(
        self,
        batch: Batch,
        tracker: TrackerEvent,
        event: EnrichedEvent,
        index: int,
        kind: str,
        violations: list[Violation],
    ) -> FailedEvent:
        return bad_row.event_failure(
            self.processor,
            batch.at,
            batch.id("failed", index),
            kind,
            [violation.message for violation in violations],
            event=event,
            tracker=tracker,
            record=batch.whole_record(),
            event_index=index,
            seed=batch.seed,
        )


def _either(parameters: dict[str, str | None], encoded: str, plain: str) -> str | None:
    """The text of a self-describing parameter; its Base64 form is preferred where a tracker sent both."""
    text = parameters.get(encoded)
    return parameters.get(plain) if text is None else decode_text(text)


def _watched(
    trace: Trace | None, name: str, event: EnrichedEvent, items: list[SelfDescribing], violations: list[Violation]
) -> AbstractContextManager[None]:
    return nullcontext() if trace is None else trace.step(name, event, items, violations)


def _distinct(notes: list[SelfDescribing]) -> list[SelfDescribing]:
    if len(notes) < 2:
        return notes
    return list({(note.data["originalSchema"], note.data["validatedWith"]): note for note in notes}.values())
