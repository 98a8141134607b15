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
from typing import Any

import msgspec

from snowgauge.enrich import entities, failures, payload_checks
from snowgauge.enrich.adapters.base import Adapter, AdapterInput, Partial
from snowgauge.enrich.adapters.registry import AdapterRegistry
from snowgauge.enrich.enrichments.base import DropEvent, Enrichment, EnrichmentSource
from snowgauge.enrich.enrichments.lenient_base64 import decode_text
from snowgauge.enrich.entities import Check, Checked
from snowgauge.enrich.explain import Explanation, Trace
from snowgauge.enrich.failures import Violation
from snowgauge.enrich.lengths import NEVER_UNSET, LengthLimits
from snowgauge.enrich.payload_checks import CheckedPayload
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.enrich.steps import Step, steps_of
from snowgauge.enrich.transform import parameters as parameter_map
from snowgauge.enrich.transform.ips import first_ip
from snowgauge.errors import AdapterFailure, EnrichmentFailure, PayloadRecordError, RegistryOutage
from snowgauge.events import bad_row, payload_record
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent, Processor
from snowgauge.events.json_text import read
from snowgauge.events.outcome import Dropped, Enriched, Failed, Outcome
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.timestamps import MAX_MS, MIN_MS, far_text
from snowgauge.events.tracker import TrackerEvent
from snowgauge.iglu.contract import Invalid, Validator, ValidSchema
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

log = logger("enrich")

_IDS = uuid.UUID("6c0f7d3e-4b0f-5f0e-9d5e-2f5a8f1f7c11")
_USER_AGENT = str.maketrans({"\r": "", "\n": "", "\t": "    "})


def _now() -> int:
    return time.time_ns() // 1_000_000


class _Batch(msgspec.Struct):
    """What is the same for all events of one payload."""

    payload: CollectorPayload
    record: bytes | None
    seed: str
    at: int
    check: Check
    columns: dict[str, Any]
    problems: list[parameter_map.Problem]

    def whole_record(self) -> bytes:
        if self.record is None:
            self.record = payload_record.encode(self.payload)
        return self.record

    def id(self, *of: object) -> str:
        """A UUID that depends on the seed and on ``of`` alone."""
        return str(uuid.uuid5(_IDS, "/".join([self.seed, *map(str, of)])))


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
        clock: Callable[[], int] = _now,
    ) -> None:
        self._settings = settings or EnrichSettings()
        self._validator = validator
        self._clock = clock
        self._adapters = AdapterRegistry(adapters)
        self._secrets = {
            path: {name: secret.get_secret_value() for name, secret in secrets.items()}
            for path, secrets in self._settings.adapters.secrets.items()
        }
        self._steps = steps_of(enrichments)
        self._limits = LengthLimits(self._settings.atomic_fields_limits)
        self.processor = Processor(self._settings.processor_artifact, self._settings.processor_version)
        self._v_etl = f"{self.processor.artifact}-{self.processor.version}"
        self._seconds = {step.name: 0.0 for step in self._steps if step.enrichment is not None}
        self._errors = dict.fromkeys(self._seconds, 0)
        self._accepted_invalid = 0
        self._bugs_seen: set[str] = set()

    # ---- payloads ---------------------------------------------------------------------------------------------

    def process(
        self, record: bytes, seed: str | None = None, *, at: int | None = None, outage_is_failure: bool = False
    ) -> list[Outcome]:
        """What became of one record. ``at`` is the etl_tstamp (default: the clock).

        Raises ``RegistryOutage`` only; with ``outage_is_failure`` an unreachable registry is a failure of the event.
        """
        try:
            payload = payload_record.decode(record)
        except PayloadRecordError as error:
            batch = self._batch(CollectorPayload(), record, seed, at, outage_is_failure)
            return [self._format_violation(batch, {"error": str(error)}, 0)]
        return self.process_payload(payload, record, seed, at=at, outage_is_failure=outage_is_failure)

    def process_payload(
        self,
        payload: CollectorPayload,
        record: bytes | None = None,
        seed: str | None = None,
        *,
        at: int | None = None,
        outage_is_failure: bool = False,
    ) -> list[Outcome]:
        """The same for a payload that is decoded already; ``record`` is its record, where there is one."""
        batch = self._batch(payload, record, seed, at, outage_is_failure)
        events, outcomes = self._tracker_events(batch)
        for index, tracker in enumerate(events):
            outcomes.append(self._live(batch, tracker, index))
        return outcomes

    def process_tracker_event(
        self,
        tracker: TrackerEvent,
        record: bytes | None = None,
        seed: str | None = None,
        *,
        index: int = 0,
        at: int | None = None,
        outage_is_failure: bool = False,
    ) -> Outcome:
        """One event that an adapter has made already (recovery)."""
        batch = self._batch(tracker.payload, record, seed, at, outage_is_failure)
        self._initial_columns(batch)
        return self._live(batch, tracker, index)

    def explain(self, record: bytes, seed: str | None = None, *, at: int | None = None) -> list[Explanation]:
        """What ``process`` does, with what each step changed and how long it took."""
        try:
            payload = payload_record.decode(record)
        except PayloadRecordError:
            return [Explanation(outcome, []) for outcome in self.process(record, seed, at=at)]
        batch = self._batch(payload, record, seed, at, outage_is_failure=True)
        events, outcomes = self._tracker_events(batch)
        explained = [Explanation(outcome, []) for outcome in outcomes]
        for index, tracker in enumerate(events):
            trace = Trace()
            explained.append(Explanation(self._live(batch, tracker, index, trace), trace.steps))
        return explained

    def flush_metrics(self) -> None:
        """Hand the counts since the last call over to telemetry; cheap enough for once per batch."""
        for name, seconds in self._seconds.items():
            if seconds:
                count("enrichment_seconds", seconds, enrichment=name)
                self._seconds[name] = 0.0
            if self._errors[name]:
                count("enrichment_errors", self._errors[name], enrichment=name)
                self._errors[name] = 0
        if self._accepted_invalid:
            count("enrich_accepted_invalid", self._accepted_invalid)
            self._accepted_invalid = 0

    def _batch(
        self, payload: CollectorPayload, record: bytes | None, seed: str | None, at: int | None, outage_is_failure: bool
    ) -> _Batch:
        if seed is None:
            record = payload_record.encode(payload) if record is None else record
            seed = hashlib.sha256(record).hexdigest()
        check = self._check_through_outage if outage_is_failure else self._validator.check
        return _Batch(payload, record, seed, self._clock() if at is None else at, check, {}, [])

    def _check_through_outage(self, item: SelfDescribing) -> ValidSchema | Invalid:
        try:
            return self._validator.check(item)
        except RegistryOutage as outage:
            return Invalid({"error": "ResolutionError", "lookupHistory": outage.history})

    def _tracker_events(self, batch: _Batch) -> tuple[list[TrackerEvent], list[Outcome]]:
        """The events of a payload, and the failures of it as a whole."""
        checked = payload_checks.check(batch.payload)
        if isinstance(checked, list):
            return [], [self._format_violation(batch, problem, i) for i, problem in enumerate(checked)]
        batch.payload = checked.payload
        self._initial_columns(batch)
        adapter = self._adapters.adapter(checked.vendor, checked.version)
        try:
            events = adapter.events(self._adapter_input(batch, checked))
            if not events:
                raise AdapterFailure([_bug(checked, f"{type(adapter).__name__} made no event of the payload")])
        except AdapterFailure as failure:
            return [], [self._adapter_failure(batch, adapter, checked, failure.messages, 0)]
        except Partial as partial:
            failed: list[Outcome] = [
                self._adapter_failure(batch, adapter, checked, messages, i)
                for i, messages in enumerate(partial.failures)
            ]
            return partial.events, failed
        except RegistryOutage:
            raise
        except Exception as error:
            log.exception("adapter_broken", adapter=type(adapter).__name__)
            message = _bug(checked, f"{type(adapter).__name__} could not read the payload: {error!r}")
            return [], [self._adapter_failure(batch, adapter, checked, [message], 0)]
        return events, []

    def _adapter_input(self, batch: _Batch, checked: CheckedPayload) -> AdapterInput:
        def validate(item: SelfDescribing) -> dict[str, Any] | None:
            verdict = batch.check(item)
            return {"schemaKey": item.schema.uri, "error": verdict.error} if isinstance(verdict, Invalid) else None

        return AdapterInput(
            payload=batch.payload,
            vendor=checked.vendor,
            version=checked.version,
            querystring=checked.querystring,
            parameters=dict(checked.querystring),
            validate=validate,
            parse_json=lambda text: read(text, self._settings.max_json_depth),
            secrets=self._secrets.get(f"{checked.vendor}/{checked.version}", {}),
        )

    def _format_violation(self, batch: _Batch, message: dict[str, Any], index: int) -> Failed:
        failure_id = batch.id("payload", index)
        return Failed(bad_row.format_violation(self.processor, batch.at, failure_id, message, batch.whole_record()))

    def _adapter_failure(
        self, batch: _Batch, adapter: Adapter, checked: CheckedPayload, messages: bad_row.Messages, index: int
    ) -> Failed:
        return Failed(
            bad_row.adapter_failure(
                self.processor,
                batch.at,
                batch.id("adapter", index),
                messages,
                vendor=checked.vendor,
                version=checked.version,
                querystring=checked.querystring,
                payload=batch.payload,
                record=batch.whole_record(),
                protocol=adapter.protocol,
            )
        )

    def _initial_columns(self, batch: _Batch) -> None:
        """What the payload alone says about each of its events."""
        payload = batch.payload
        batch.columns = {
            "etl_tstamp": batch.at,
            "v_etl": self._v_etl,
            "v_collector": payload.collector or None,
            "network_userid": payload.network_user_id or None,
            "user_ipaddress": first_ip(payload.ip_address),
            "useragent": _user_agent(payload.user_agent),
        }
        if MIN_MS <= payload.timestamp <= MAX_MS:
            batch.columns["collector_tstamp"] = payload.timestamp
        else:
            text = far_text(payload.timestamp)
            batch.problems.append(("collector_tstamp", f"Formatted as {text} is not Redshift-compatible", text))

    # ---- one event --------------------------------------------------------------------------------------------

    def _live(self, batch: _Batch, tracker: TrackerEvent, index: int, trace: Trace | None = None) -> Outcome:
        columns = dict(batch.columns)
        problems = batch.problems + parameter_map.columns(tracker.parameters, columns)
        event = EnrichedEvent(**columns)
        if event.event_id is None:
            event.event_id = self._event_id(batch, tracker, index)
        if trace is not None:
            trace.start(event, [failures.atomic_parse_errors(problems)] if problems else [])

        invalid_input, notes = self._read_self_describing(batch, tracker, event, problems, trace)
        source = EnrichmentSource(tracker, (), [], batch.at)
        try:
            failed_steps, rewritten = self._enrich(event, source, trace)
        except DropEvent as drop:
            return Dropped(str(drop), tracker.parameters)
        invalid_output = self._check_output(batch, event, source, notes, rewritten, trace)

        violations = invalid_input + failed_steps + invalid_output
        event.derived_contexts = [violation.entity(self.processor, batch.at) for violation in violations]
        event.derived_contexts += source.entities
        event.derived_contexts += _distinct(notes)
        if not violations:
            return Enriched(event, tracker.parameters)
        if invalid_input or not failed_steps:
            kind, reported = "schema_violations", invalid_input or invalid_output
        else:
            kind, reported = "enrichment_failures", failed_steps
        failure = self._event_failure(batch, tracker, event, index, kind, reported)
        return Failed(failure, event if self._settings.emit_incomplete else None, tracker.parameters)

    def _event_id(self, batch: _Batch, tracker: TrackerEvent, index: int) -> str:
        if tracker.identity is not None:
            # the sender's own name for the event: sent again, it is the same event
            return str(uuid.uuid5(_IDS, f"{tracker.vendor}/{tracker.version}/{tracker.identity}"))
        return batch.id("event", index)

    def _read_self_describing(
        self,
        batch: _Batch,
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
                items = take(entities.read_event(text, batch.check, depth))
                event.unstruct_event = items[0] if items else None
        if (text := _either(parameters, "cx", "co")) is not None:
            with _watched(trace, "entities", event, [], violations):
                event.contexts = take(entities.read_contexts(text, batch.check, depth))
        return violations, notes

    def _enrich(
        self, event: EnrichedEvent, source: EnrichmentSource, trace: Trace | None
    ) -> tuple[list[Violation], bool]:
        """Phase 2: every step runs, whatever went wrong before. New entities and failures go in front of earlier ones.

        The second value tells whether the tracker's own event or entities were rewritten by code of the user's.
        """
        violations: list[Violation] = []
        rewritten = False
        for step in self._steps:
            had = (event.unstruct_event, *event.contexts) if step.rewrites else ()
            if trace is None:
                self._run(step, event, source, violations)
            else:
                with trace.step(step.name, event, source.entities, violations):
                    self._run(step, event, source, violations)
            if step.rewrites:
                has = (event.unstruct_event, *event.contexts)
                rewritten |= len(had) != len(has) or any(a is not b for a, b in zip(had, has, strict=True))
        return violations, rewritten

    def _run(self, step: Step, event: EnrichedEvent, source: EnrichmentSource, violations: list[Violation]) -> None:
        enrichment = step.enrichment
        if enrichment is None:
            try:
                step.run(event, source)
            except EnrichmentFailure as failure:
                violations.insert(0, failures.enrichment_failure(failure))
            return
        started = time.perf_counter()
        failed: Sequence[BaseException] = ()
        try:
            produced = step.run(event, source)
            if produced:
                source.entities[:0] = produced
        except DropEvent:
            raise DropEvent(step.name) from None
        except ExceptionGroup as group:
            failed = _flat(group)
        except Exception as error:
            failed = (error,)
        if failed:
            self._errors[step.name] += 1
            violations[:0] = [self._violation(step, enrichment, error) for error in failed]
        self._seconds[step.name] += time.perf_counter() - started

    def _violation(self, step: Step, enrichment: Enrichment, error: BaseException) -> Violation:
        if not isinstance(error, EnrichmentFailure):
            if (bug := f"{step.name}: {error!r}") not in self._bugs_seen and len(self._bugs_seen) < 1000:
                self._bugs_seen.add(bug)
                log.error("enrichment_broken", enrichment=step.name, exc_info=error)
            error = EnrichmentFailure(f"Unexpected error in the enrichment: {error!r}")
        return failures.enrichment_failure(error, enrichment.schema_key.uri, enrichment.identifier)

    def _check_output(
        self,
        batch: _Batch,
        event: EnrichedEvent,
        source: EnrichmentSource,
        notes: list[SelfDescribing],
        rewritten: bool,
        trace: Trace | None,
    ) -> list[Violation]:
        """Phase 3: entities of enrichments, lengths of columns, and what the user's own code rewrote."""
        violations: list[Violation] = []

        def valid(origin: str, items: Sequence[SelfDescribing]) -> list[SelfDescribing]:
            checked = entities.check_items(origin, items, batch.check)
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
        batch: _Batch,
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
        )


def _either(parameters: dict[str, str | None], encoded: str, plain: str) -> str | None:
    """The text of a self-describing parameter; its Base64 form is preferred where a tracker sent both."""
    text = parameters.get(encoded)
    return parameters.get(plain) if text is None else decode_text(text)


def _watched(
    trace: Trace | None, name: str, event: EnrichedEvent, items: list[SelfDescribing], violations: list[Violation]
) -> AbstractContextManager[None]:
    return nullcontext() if trace is None else trace.step(name, event, items, violations)


def _user_agent(text: str | None) -> str | None:
    return (text if text.isprintable() else text.translate(_USER_AGENT)) or None if text else None


def _distinct(notes: list[SelfDescribing]) -> list[SelfDescribing]:
    if len(notes) < 2:
        return notes
    return list({(note.data["originalSchema"], note.data["validatedWith"]): note for note in notes}.values())


def _flat(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [leaf for e in group.exceptions for leaf in (_flat(e) if isinstance(e, BaseExceptionGroup) else [e])]


def _bug(checked: CheckedPayload, text: str) -> dict[str, Any]:
    return {"field": "vendor/version", "value": f"{checked.vendor}/{checked.version}", "expectation": text}
