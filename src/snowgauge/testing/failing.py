"""A pipeline in one process, for tests of failed events: requests in, rows out, schemas that come later."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from snowgauge.actions.failed.edits import EditOptions
from snowgauge.actions.failed.recover import Report, Totals, recover
from snowgauge.actions.failed.recovery_config import RecoveryConfig
from snowgauge.actions.failed.replay import Replayer
from snowgauge.actions.failed.row import FailedRow
from snowgauge.actions.failed.where import Choice
from snowgauge.enrich.enricher import Enricher
from snowgauge.enrich.enrichments.base import Enrichment
from snowgauge.enrich.settings import EnrichSettings
from snowgauge.events import payload_record
from snowgauge.events.outcome import Enriched, Failed
from snowgauge.events.payload import CollectorPayload
from snowgauge.iglu.build import build
from snowgauge.iglu.settings import IgluSettings
from snowgauge.store.base import Selection, Store, StoreBatch

NOON = 1_714_564_800_000
UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
PAYLOAD_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
CART = "iglu:com.acme/cart/jsonschema/1-0-0"
ALL = Selection()


def cart_schema(version: str = "1-0-0", **properties: Any) -> dict[str, Any]:
    """``com.acme/cart``: an integer quantity, and what else is asked for."""
    return {
        "$schema": "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#",
        "self": {"vendor": "com.acme", "name": "cart", "format": "jsonschema", "version": version},
        "type": "object",
        "properties": {"quantity": {"type": "integer", "minimum": 0, "maximum": 1000}, **properties},
        "required": ["quantity"],
        "additionalProperties": False,
    }


def ue(data: Any, schema: str = CART) -> str:
    """The text of ``ue_pr``."""
    return json.dumps({"schema": UNSTRUCT, "data": {"schema": schema, "data": data}})


def entities(*items: tuple[str, Any]) -> str:
    """The text of ``co``."""
    return json.dumps({"schema": CONTEXTS, "data": [{"schema": uri, "data": data} for uri, data in items]})


def b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def tracked(*events: Mapping[str, str], **fields: Any) -> CollectorPayload:
    """A POST of tp2 with these events; ``e``, ``p`` and ``tv`` are added."""
    plain = {"e": "ue", "p": "web", "tv": "js-4.0.0", "aid": "shop"}
    body = json.dumps({"schema": PAYLOAD_DATA, "data": [{**plain, **event} for event in events]})
    return request("/com.snowplowanalytics.snowplow/tp2", body, **fields)


def request(path: str, body: str | None = None, **fields: Any) -> CollectorPayload:
    """A request as the collector keeps it."""
    given: dict[str, Any] = {
        "timestamp": NOON,
        "collector": "ssc-3.4.0-test",
        "ip_address": "203.0.113.9",
        "user_agent": "Mozilla/5.0",
        "headers": ["Host: c.example.com", "Cookie: sp=1"],
        "content_type": "application/json" if body is not None else None,
        "network_user_id": "6d1cf1a1-2c2f-4b29-8b6e-7c6f0c5b2b11",
        **fields,
    }
    return CollectorPayload(path=path, body=body, **given)


def pixel(parameters: Mapping[str, str], **fields: Any) -> CollectorPayload:
    """A GET of the pixel."""
    return request("/i", querystring=urlencode(dict(parameters)), **fields)


class FailingPipeline:
    """Enricher and store with a folder of schemas, as the worker uses them. ``publish`` adds a schema."""

    def __init__(self, store: Store, schemas: Path, *, enrichments: Sequence[Enrichment] = ()) -> None:
        self.store = store
        self.schemas = schemas
        self.enrichments = enrichments
        self.batches = 0
        self.refresh()

    def refresh(self) -> None:
        """A new process: nothing is known of schemas."""
        self.schemas.mkdir(parents=True, exist_ok=True)
        settings = IgluSettings(iglu_central=False, registries=[str(self.schemas)])
        self.resolver, self.validator = build(settings, None)
        self.enricher = Enricher(self.validator, EnrichSettings(), self.enrichments)

    def publish(self, schema: Mapping[str, Any]) -> None:
        own = schema["self"]
        place = self.schemas / own["vendor"] / own["name"] / own["format"] / own["version"]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(schema))
        self.refresh()

    def take(self, *payloads: CollectorPayload) -> StoreBatch:
        """One batch, as the worker makes and stores it."""
        batch = StoreBatch(f"log-{self.batches}")
        self.batches += 1
        for index, payload in enumerate(payloads):
            for outcome in self.enricher.process(payload_record.encode(payload), f"{batch.id}/{index}", at=NOON + 1000):
                if isinstance(outcome, Enriched):
                    batch.events.append(outcome.event)
                elif isinstance(outcome, Failed):
                    batch.failed.append(outcome.failure)
        self.store.write(batch)
        return batch

    def recover(
        self,
        choice: Choice | None = None,
        *,
        run: str = "20240501-120000-000001",
        config: RecoveryConfig | None = None,
        dry_run: bool = False,
        reports: list[Report] | None = None,
        **edits: Any,
    ) -> Totals:
        """``edits`` are those of ``EditOptions``."""
        chosen = choice or Choice()
        replayer = Replayer(self.enricher, EditOptions(**edits).edits(), config=config, conditions=chosen.conditions())
        tell = None if reports is None else reports.append
        return recover(self.store, replayer, chosen.selection(), run=run, at=NOON + 60_000, dry_run=dry_run, tell=tell)

    def good(self) -> list[dict[str, Any]]:
        return self.store.events("good", ALL, limit=10_000, newest_first=False)

    def failed(self) -> list[FailedRow]:
        return [FailedRow.of(row) for row in self.store.failed_events(ALL)]
