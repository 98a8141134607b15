"""Settings of enrich; those of the enrichments as a whole stand beside them in ``enrichments/settings.py``."""

from __future__ import annotations

import difflib

from pydantic import Field, field_validator

import snowgauge
from snowgauge.events.enriched import ATOMIC_FIELD
from snowgauge.events.json_text import MOST_DEPTH
from snowgauge.part_settings import ByteSize, PartSettings, Secret


class AdapterSettings(PartSettings):
    """What webhook adapters need to know about their senders."""

    secrets: dict[str, dict[str, Secret]] = {}
    """Secrets by path and name, for adapters that check where a message comes from, for example
    ``[enrich.adapters.secrets."com.acme/v1"]`` with ``signing_secret = "..."``."""


class EnrichSettings(PartSettings):
    """How payloads become enriched events."""

    atomic_fields_limits: dict[str, int] = {}
    """Longest texts by column, in UTF-16 code units, over enrich 6.10's own limits: ``{mkt_clickid = 2000}``. Events
    with a longer text fail (see ``accept_invalid``)."""

    accept_invalid: bool = False
    """Let events with texts that are too long pass. With ``emit_incomplete`` such a column is set to null."""

    max_json_depth: int = Field(default=50, ge=1, le=MOST_DEPTH)
    """Deepest nesting of JSON in events, entities, bodies and schemas; scalars count as a level. At most 200."""

    max_record_size: ByteSize = Field(default=9_000_000, ge=1000)
    """Largest enriched event as TSV, largest bad row, and largest incomplete event, in bytes. What is larger becomes a
    ``size_violation`` (an incomplete event is left out); its request is kept with it. Snowplow's limits: 9000000 on
    Pub/Sub, 1000000 on Kinesis and Kafka."""

    max_decompressed_size: ByteSize = Field(default=10_000_000, ge=1000)
    """Largest payload in a record that a Snowplow collector compressed, in bytes. From a larger one on, the record
    becomes a ``size_violation``."""

    emit_incomplete: bool = True
    """Keep, beside a failed event's bad row, the event as far as it got, with its failures as entities (enrich 6's
    failed events)."""

    processor_artifact: str = Field(default="snowgauge-enrich", max_length=512)
    """Name of this software in ``v_etl`` and in failed events."""

    processor_version: str = Field(default=snowgauge.__version__, max_length=32)
    """Version of this software in ``v_etl`` and in failed events."""

    adapters: AdapterSettings = AdapterSettings()
    """Settings of the webhook adapters."""

    @field_validator("atomic_fields_limits")
    @classmethod
    def _known_columns(cls, limits: dict[str, int]) -> dict[str, int]:
        texts = [name for name, field in ATOMIC_FIELD.items() if field.kind == "string"]
        for column, limit in limits.items():
            if column not in texts:
                near = difflib.get_close_matches(column, texts, 1)
                what = "has no text" if column in ATOMIC_FIELD else "is not a column of the enriched event"
                raise ValueError(f"{column!r} {what}" + (f"; did you mean {near[0]!r}?" if near else ""))
            if limit < 0:
                raise ValueError(f"the limit of {column!r} is {limit}, but a length is never below 0")
        return limits
