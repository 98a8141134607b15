"""Settings of the schema resolver and the validator."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from snowgauge.part_settings import ByteSize, Duration, PartSettings, Secret

IGLU_CENTRAL = "http://iglucentral.com"


class IgluSettings(PartSettings):
    """Where schemas are found and how long they are kept.

    Always asked: the bundled schemas, then the folder ``schemas`` of the data directory. Then what is configured here.
    """

    resolver: Path | None = None
    """A Snowplow ``resolver.json``. Its registries, cache size and cache time then hold instead of ``iglu_central``,
    ``cache_size`` and ``cache_ttl``."""

    registries: list[str] = Field(default_factory=list)
    """More registries, asked in this order: paths of folders (holding ``vendor/name/jsonschema/1-0-0``, or a folder
    ``schemas`` that does) and http(s) addresses."""

    api_keys: dict[str, Secret] = Field(default_factory=dict)
    """API keys by address, for those of ``registries`` that need one."""

    iglu_central: bool = True
    """Ask Iglu Central, Snowplow's public registry, last. Switch it off on a machine without internet."""

    cache_size: int = Field(default=500, ge=0)
    """Number of schemas kept compiled in memory. 0 looks every schema up for every event."""

    cache_ttl: Duration | None = timedelta(minutes=10)
    """How long a schema, or its absence, is believed before registries are asked again. Null: it never expires."""

    folder_check: Duration = timedelta(seconds=2)
    """How soon a schema that was added to or changed in a local folder is seen."""

    timeout: Duration = timedelta(seconds=5)
    """How long one request to a registry may take."""

    max_retry: int = Field(default=2, ge=0)
    """Repetitions of a request that met a broken connection or the status 408, 500, 502, 503 or 504."""

    max_wait: Duration = timedelta(seconds=1)
    """The longest pause between repetitions; pauses double up to it."""

    max_schema_size: ByteSize = 1_000_000
    """The largest answer that is read from a registry."""

    requests_per_second: float = Field(default=50, gt=0)
    """How often each process asks one registry at most. Twice as many requests go at once after a quiet time."""

    lookups_at_once: int = Field(default=8, ge=1, le=256)
    """How many schemas each pipeline worker looks for at the same time."""

    batch_patience: Duration = timedelta(seconds=1)
    """How long a batch of events waits for schemas that have to be looked for. Each worker spends a twentieth of its
    time on such waits at most. The events of those that have not come by then fail, and are recovered."""

    unknown_per_batch: int = Field(default=500, ge=1)
    """How many schemas are looked for on account of one batch of events."""

    unknown_per_event: int = Field(default=50, ge=1)
    """How many schemas are looked for on account of one event. Of an event that names more which have to be looked
    for, the rest is not asked for: it fails as if they were missing."""

    proxy: str | None = None
    """Address of an HTTP proxy for requests to registries."""
