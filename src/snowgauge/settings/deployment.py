"""Settings of the pipeline itself and of the deployment as a whole."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, HttpUrl, PlainValidator, model_validator

from snowgauge.collector.settings import UrlPath
from snowgauge.errors import SettingsError
from snowgauge.part_settings import Duration, PartSettings
from snowgauge.settings.processors import processors
from snowgauge.store.settings import SimpleSnowplowSchemas

_MOST, _MOST_BY_DEFAULT = 256, 8


def _read_processes(value: Any) -> Any:
    if value == "auto":
        return value
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise ValueError(f"expected auto, or a number from 1 to {_MOST}")
    return value


Processes = Annotated[int | Literal["auto"], PlainValidator(_read_processes)]
"""A number of processes, or `auto`."""


class PipelineSettings(PartSettings):
    """How payloads are taken from the event log, enriched and stored."""

    workers: Processes = "auto"
    """Worker processes; each takes its share of the event log. `auto`: `serve` runs half as many as
    there are processors, since the engine works as hard as they do; a role that runs alone counts one worker."""

    collectors: Processes = "auto"
    """Collector processes. They share the port; the kernel spreads connections over them. `auto`: `serve` runs half as
    many as there are processors, since a worker reads what whole collectors have written."""

    store: Literal["", "none"] = ""
    """`none`: events go to `sinks.*` alone, as Snowplow's enrich sends them, and no store is written. Only
    `snowgauge collector` and `snowgauge pipeline` run then. Empty: events go to the store of `store.url`."""

    auto_recover: bool = True
    """Replay failed events that only wanted for a schema, once it is available."""

    auto_recover_interval: Duration = timedelta(minutes=1)
    """How often to look whether missing schemas have come."""

    drain_timeout: Duration = timedelta(seconds=20)
    """How long a stop waits for what has been received to be stored. What is left waits safely in the event log."""

    def refuse_index(self, index: int) -> None:
        """Raises ``SettingsError`` for the number of a worker that there is not."""
        workers = self.worker_count()
        if index >= workers:
            raise SettingsError(
                f"--index {index}: pipeline.workers is {workers}, so the workers are numbered from 0 to "
                f"{workers - 1}; set pipeline.workers to the same number for all of them"
            )

    def worker_count(self) -> int:
        """How many workers there are; 1 where `serve` has not chosen the number."""
        return 1 if self.workers == "auto" else self.workers

    def collector_count(self) -> int:
        """How many collectors there are; 1 where `serve` has not chosen the number."""
        return 1 if self.collectors == "auto" else self.collectors

    def counted(self) -> PipelineSettings:
        """The same with numbers that fit this machine in the place of `auto`."""
        fitting = max(1, min(_MOST_BY_DEFAULT, processors() // 2))
        update = {name: fitting for name in ("workers", "collectors") if getattr(self, name) == "auto"}
        return self.model_copy(update=update)


class SimpleSnowplowEndpoints(PartSettings):
    """Paths that Simple Snowplow's trackers and webhooks know. They are served beside those of `collector`."""

    post_endpoint: UrlPath = "/tracker"
    """Path on which trackers POST; one more of `collector.post_paths`."""

    get_endpoint: UrlPath = "/i"
    """Path of the pixel; one more of `collector.pixel_paths`."""

    proxy_endpoint: UrlPath = "/proxy"
    """Path of the analytics proxy, which owns everything below it."""

    sendgrid_endpoint: UrlPath = "/sendgrid"
    """Path of SendGrid's webhook; kept as `/com.sendgrid/v3`."""


class SimpleSnowplowSettings(PartSettings):
    """What Simple Snowplow keeps under `common.snowplow`."""

    schemas: SimpleSnowplowSchemas = SimpleSnowplowSchemas()
    """Schemas, as `vendor/name`, that fill columns of the `snowplow.local` view."""

    endpoints: SimpleSnowplowEndpoints = SimpleSnowplowEndpoints()
    """Paths on the collector's port."""


class CommonSettings(PartSettings):
    """What concerns the whole deployment."""

    data_dir: Path = Path("snowgauge-data")
    """Folder of everything that is kept: event log, embedded database, schemas, assets. Relative to where it is run."""

    user: str = ""
    """User that everything runs as when root starts it. Drops root privileges before opening ports, except the right to
    ports below 1024 where a setting names one. Empty: the user who started it."""

    group: str = ""
    """Group instead of the user's own."""

    run_as_root: bool | None = None
    """What happens where root starts it and `user` is empty. Unset: it runs and a warning says so, but with
    `tls.domains`, on the internet, it is refused. False: it is refused. True: it runs as root, without a warning."""

    demo: bool = False
    """Serve a small tracked shop at `/demo/` on the collector's port, to try every kind of event."""

    service_name: str = Field(default="snowgauge", min_length=1)
    """Name of this deployment in Sentry and Elastic APM."""

    hostname: HttpUrl = Field(default=HttpUrl("http://localhost:8000"))
    """Address under which visitors reach the collector: the base of URLs that it hands out."""

    debug: bool = False
    """Log everything, whatever `logging.level` says. Per-event lines hold personal data."""

    snowplow: SimpleSnowplowSettings = SimpleSnowplowSettings()
    """Settings under the names of Simple Snowplow."""

    @model_validator(mode="after")
    def _group_of_a_user(self) -> CommonSettings:
        if self.group and not self.user:
            raise ValueError("group is of user: name a user too")
        return self


class PerformanceSettings(PartSettings):
    """Limits under the names of Simple Snowplow."""

    max_concurrent_connections: int | None = Field(default=None, ge=1)
    """Most open connections of one collector process. Empty: `collector.networking.max_connections`."""

    db_pool_size: int = Field(default=5, ge=1)
    """Connections to ClickHouse that one process keeps open."""

    db_pool_overflow: int = Field(default=10, ge=0)
    """Further connections to ClickHouse that one process may open for a moment; more statements wait for their turn."""

    healthcheck_cache_ttl_seconds: float = Field(default=2.0, ge=0)
    """How long the answer at `/` is kept before the store is asked again, so that nobody can keep it busy with that."""
