"""From one payload to its tracker events, and to the failures of it as a whole."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable
from typing import Any

import msgspec

from snowgauge.enrich import payload_checks
from snowgauge.enrich.adapters.base import Adapter, AdapterInput, Partial
from snowgauge.enrich.adapters.registry import AdapterRegistry
from snowgauge.enrich.payload_checks import CheckedPayload
from snowgauge.enrich.schemas import Schemas
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.enrich.transform.ips import first_ip
from snowgauge.enrich.transform.parameters import Problem
from snowgauge.errors import AdapterFailure, RegistryOutage
from snowgauge.events import bad_row, payload_record
from snowgauge.events.failed import Processor
from snowgauge.events.json_text import read
from snowgauge.events.outcome import Failed, Outcome
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.selfdescribing import SelfDescribing
from snowgauge.events.timestamps import MAX_MS, MIN_MS, tsv_text
from snowgauge.events.tracker import TrackerEvent
from snowgauge.iglu.contract import Invalid
from snowgauge.telemetry.logs import logger

log = logger("enrich")

IDS = uuid.UUID("6c0f7d3e-4b0f-5f0e-9d5e-2f5a8f1f7c11")
"""Namespace of every id that enrich makes."""

_USER_AGENT = str.maketrans({"\r": "", "\n": "", "\t": "    "})


class Batch(msgspec.Struct):
    """What is the same for all events of one payload."""

    payload: CollectorPayload
    record: bytes | None
    seed: str
    at: int
    schemas: Schemas
    columns: dict[str, Any]
    problems: list[Problem]

    def whole_record(self) -> bytes:
        if self.record is None:
            self.record = payload_record.encode(self.payload)
        return self.record

    def id(self, *of: object) -> str:
        """A UUID that depends on the seed and on ``of`` alone."""
        return str(uuid.uuid5(IDS, "/".join([self.seed, *map(str, of)])))


class PayloadReader:
    """Checks payloads, and has the adapter of their path make tracker events of them."""

    def __init__(self, settings: EnrichSettings, processor: Processor, adapters: Iterable[type[Adapter]]) -> None:
        self._adapters = AdapterRegistry(adapters)
        self._processor = processor
        self._max_json_depth = settings.max_json_depth
        self._v_etl = f"{processor.artifact}-{processor.version}"
        self._secrets = {
            path: {name: secret.get_secret_value() for name, secret in secrets.items()}
            for path, secrets in settings.adapters.secrets.items()
        }

    def events(self, batch: Batch) -> tuple[Iterable[tuple[int, TrackerEvent]], list[Outcome]]:
        """Events with their places, and the failures of the payload as a whole; never none of both.

        Raises ``RegistryOutage``.
        """
        checked = payload_checks.check(batch.payload)
        if isinstance(checked, list):
            return [], [self.format_violation(batch, problem, i) for i, problem in enumerate(checked)]
        batch.payload = checked.payload
        self.initial_columns(batch)
        adapter = self._adapters.adapter(checked.vendor, checked.version)
        try:
            events = adapter.events(self._adapter_input(batch, checked))
            if not events:
                raise AdapterFailure([_bug(checked, f"{type(adapter).__name__} made no event of the payload")])
        except AdapterFailure as failure:
            return [], [self._adapter_failure(batch, adapter, checked, failure.messages)]
        except Partial as partial:
            failed: list[Outcome] = [
                self._adapter_failure(batch, adapter, checked, messages, place)
                for place, messages in zip(partial.failed_places, partial.failures, strict=True)
            ]
            return zip(partial.places, partial.events, strict=True), failed
        except RegistryOutage:
            raise
        except Exception as error:
            log.exception("adapter_broken", adapter=type(adapter).__name__)
            message = _bug(checked, f"{type(adapter).__name__} could not read the payload: {error!r}")
            return [], [self._adapter_failure(batch, adapter, checked, [message])]
        return enumerate(events), []

    def _adapter_input(self, batch: Batch, checked: CheckedPayload) -> AdapterInput:
        def validate(item: SelfDescribing) -> dict[str, Any] | None:
            verdict = batch.schemas.check(item)
            return {"schemaKey": item.schema.uri, "error": verdict.error} if isinstance(verdict, Invalid) else None

        return AdapterInput(
            payload=batch.payload,
            vendor=checked.vendor,
            version=checked.version,
            querystring=checked.querystring,
            parameters=dict(checked.querystring),
            validate=validate,
            parse_json=lambda text: read(text, self._max_json_depth),
            secrets=self._secrets.get(f"{checked.vendor}/{checked.version}", {}),
            max_json_depth=self._max_json_depth,
        )

    def format_violation(self, batch: Batch, message: dict[str, Any], index: int, loader: str = "thrift") -> Failed:
        """A record that is no payload, or one thing wrong with a payload."""
        failure_id = batch.id("payload", index)
        record = batch.whole_record()
        return Failed(
            bad_row.format_violation(
                self._processor, batch.at, failure_id, message, record, seed=batch.seed, loader=loader
            )
        )

    def too_large(self, batch: Batch, actual: int, largest: int, kind: str) -> Failed:
        """A compressed record with a payload of ``actual`` bytes; the record is kept whole."""
        violation = bad_row.size_violation(
            self._processor,
            batch.at,
            batch.id("size", "inflated", 0),
            maximum=largest,
            actual=actual,
            expectation=f"Collector payload will exceed maximum allowed size of {largest} after {kind} decompression",
            payload=base64.b64encode(batch.whole_record()).decode(),
        )
        violation.record, violation.seed = batch.record, batch.seed
        return Failed(violation)

    def _adapter_failure(
        self,
        batch: Batch,
        adapter: Adapter,
        checked: CheckedPayload,
        messages: bad_row.Messages,
        item: int | None = None,
    ) -> Failed:
        # ids of the whole and of its items differ: a replay of the whole may leave some items failed
        return Failed(
            bad_row.adapter_failure(
                self._processor,
                batch.at,
                batch.id("adapter", 0) if item is None else batch.id("adapter-item", item),
                messages,
                vendor=checked.vendor,
                version=checked.version,
                querystring=checked.querystring,
                payload=batch.payload,
                record=batch.whole_record(),
                protocol=adapter.protocol,
                seed=batch.seed,
                item=item,
            )
        )

    def initial_columns(self, batch: Batch) -> None:
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
            text = tsv_text(payload.timestamp)
            batch.problems.append(("collector_tstamp", f"Formatted as {text} is not Redshift-compatible", text))


def _user_agent(text: str | None) -> str | None:
    return (text if text.isprintable() else text.translate(_USER_AGENT)) or None if text else None


def _bug(checked: CheckedPayload, text: str) -> dict[str, Any]:
    return {"field": "vendor/version", "value": f"{checked.vendor}/{checked.version}", "expectation": text}
