"""One failed event, edited and tried again."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import msgspec

from snowgauge.actions.failed import edits as edit_list
from snowgauge.actions.failed.document import (
    Document,
    Unwritable,
    document_of,
    event_document,
    written,
    written_event,
)
from snowgauge.actions.failed.edits import Edit, LeftAlone
from snowgauge.actions.failed.recovery_config import RecoveryConfig
from snowgauge.actions.failed.recovery_steps import StepFailed
from snowgauge.actions.failed.row import FailedRow
from snowgauge.actions.failed.subject import NotReplayable, Subject, request_of, subject_of
from snowgauge.actions.failed.where import Condition
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import RegistryOutage
from snowgauge.events import payload_record
from snowgauge.events.failed import bad_row_schema
from snowgauge.events.outcome import Outcome
from snowgauge.events.tracker import TrackerEvent


class NotChosen(Exception):
    """The row is not one of those asked for; nothing is done to it."""


class Waiting(Exception):
    """A registry is unreachable: nothing can be said about the row now."""


class Broken(Exception):
    """The edits did not go through; the text says why."""


class Replayed(msgspec.Struct):
    """``before`` and ``after`` are the document around the edits; ``edited`` tells whether they changed anything."""

    outcomes: list[Outcome]
    before: Document
    after: Document
    edited: bool
    note: str = ""


class Replayer:
    """Not to be used from two threads at a time, like its enricher."""

    def __init__(
        self,
        enricher: Enricher,
        edits: Sequence[Edit] = (),
        *,
        config: RecoveryConfig | None = None,
        conditions: Sequence[Condition] = (),
    ) -> None:
        self._enricher = enricher
        self._edits = edits
        self._event_edits = edit_list.for_events(edits)
        self._config = config
        self._conditions = conditions

    def replay(self, row: FailedRow, at: int) -> Replayed:
        """Raises ``NotChosen``, ``NotReplayable``, ``Waiting`` or ``Broken``. ``at`` is the etl_tstamp."""
        subject = subject_of(row)
        before = document_of(subject)
        if not all(condition.holds(before) for condition in self._conditions):
            raise NotChosen
        changed = self._configured(row, subject)
        after = copy.deepcopy(document_of(changed)) if changed is not subject else copy.deepcopy(before)
        base = copy.deepcopy(after)
        try:
            edit_list.apply(self._edits, after, whole_request=subject.tracker is None)
            changed = written(changed, base, after)
        except LeftAlone:
            raise NotChosen from None
        except Unwritable as error:
            raise Broken(str(error)) from None
        except Exception as error:  # the user's function, most likely
            raise Broken(f"{type(error).__name__}: {error}") from error
        outcomes = self._try(row, changed, at)
        edited = changed != subject or bool(subject.note) or (subject.tracker is None and bool(self._event_edits))
        return Replayed(outcomes, before, document_of(changed), edited, subject.note)

    def _configured(self, row: FailedRow, subject: Subject) -> Subject:
        """What Snowplow's recovery configuration makes of it."""
        if self._config is None:
            return subject
        try:
            payload = self._config.edited(bad_row_schema(row.failure_type), row.data)
        except KeyError:
            raise NotChosen from None
        except StepFailed as error:
            raise Broken(str(error)) from None
        if payload is None:
            raise NotChosen
        if payload == row.data.get("payload"):
            return subject
        if not isinstance(payload, dict):
            raise Broken("the steps left a payload that is no object")
        if subject.tracker is not None:
            return subject_of(msgspec.structs.replace(row, data={**row.data, "payload": payload}))
        kept = request_of(payload)
        changed = {
            name: value
            for name in kept.__struct_fields__
            if (value := getattr(kept, name)) != getattr(request_of(row.data["payload"]), name)
        }
        return Subject(msgspec.structs.replace(subject.payload, **changed))

    def _try(self, row: FailedRow, subject: Subject, at: int) -> list[Outcome]:
        seed = row.seed or f"failed/{row.id}"
        try:
            record = payload_record.encode(subject.payload)
        except (ValueError, OverflowError, TypeError) as error:
            raise Broken(f"the edited request cannot be written: {error}") from None
        try:
            if subject.tracker is not None:
                return [
                    self._enricher.process_tracker_event(
                        subject.tracker,
                        record,
                        seed,
                        index=row.event_index or 0,
                        at=at,
                        event_id=row.event_id or _known_id(row.data),
                    )
                ]
            return self._enricher.process_payload(
                subject.payload,
                record,
                seed,
                at=at,
                item=row.event_index,
                edit=self._edit_event if self._event_edits else None,
            )
        except RegistryOutage as outage:
            raise Waiting(str(outage)) from None
        except (Unwritable, RecursionError) as error:
            raise Broken(str(error)) from None

    def _edit_event(self, tracker: TrackerEvent) -> TrackerEvent:
        before = event_document(tracker)
        after = copy.deepcopy(before)
        edit_list.apply(self._event_edits, after, whole_request=False)
        return written_event(tracker, before, after)


def _known_id(data: dict[str, Any]) -> str | None:
    """The id that the event had when it failed, in a Snowplow bad row."""
    payload = data.get("payload")
    enriched = payload.get("enriched") if isinstance(payload, dict) else None
    found = enriched.get("event_id") if isinstance(enriched, dict) else None
    return found if isinstance(found, str) else None


__all__ = ["Broken", "NotChosen", "NotReplayable", "Replayed", "Replayer", "Waiting"]
