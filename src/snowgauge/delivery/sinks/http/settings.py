"""Settings of HTTP destinations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from snowgauge.delivery.backends import SinkSettings
from snowgauge.delivery.contract import Sink
from snowgauge.part_settings import ByteSize, Duration, PartSettings, Secret
from snowgauge.store.base import EventKind

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class HttpDestination(PartSettings):
    """One place that events are posted to."""

    preset: str = "webhook"
    """The format: `webhook` (batches of JSON), `slack`, `ga4`, `posthog`, `amplitude`. What follows changes it."""

    url: Secret | None = None
    """Address; the preset's own where it has one. It may name `{value.NAME}`."""

    values: dict[str, Secret] = {}
    """What the preset's address and body need: `measurement_id` and `api_secret` (`ga4`), `api_key` (`posthog`,
    `amplitude`)."""

    kind: EventKind = "good"
    """Which events: `good`, `incomplete`, or `failed` (as bad rows)."""

    filter: list[str] = []
    """Only events that meet all of these, written as in the console's addresses: `app_id:shop`,
    `event_name:!page_ping`, `page_url:*checkout`, `user_id:+`, `contexts/com.acme/cart/1/total:+`."""

    fields: dict[str, Any] | str | None = None
    """What is sent of an event: a template such as `{user = "{user_id}", page = "{page_url}"}`."""

    body: dict[str, Any] | str | None = None
    """What a request holds: a template with `{events}` for the list of its events."""

    names: dict[str, str] = {}
    """Other names for events, as the template's `{name}` shows them, such as `{page_view = "Viewed a page"}`."""

    events: int | None = Field(default=None, ge=1, le=10_000)
    """Most events in a request."""

    max_bytes: ByteSize = Field(default=1_000_000, ge=1000)
    """Largest body of a request. An event that is larger alone becomes a dead letter."""

    headers: dict[str, Secret] = {}
    """More headers, such as `Authorization`."""

    signing_secret: Secret | None = None
    """Sign requests as Standard Webhooks do: `whsec_` and 24 to 64 bytes in base64."""

    timeout: Duration = Field(default=timedelta(seconds=10), gt=timedelta(0), le=timedelta(minutes=5))
    """How long each step of a request may take."""

    give_up_after: Duration = Field(default=timedelta(hours=1), ge=timedelta(0))
    """How long a request is tried again that finds nobody, or a destination in trouble, before its events become a dead
    letter, so that one request which a destination cannot digest does not hold up the others indefinitely."""

    connections: int | None = Field(default=None, ge=1, le=64)
    """Requests under way at once. With more than one, events of a batch may arrive out of order."""

    allow_private_hosts: bool = False
    """Allow an address of the inside: loopback, private networks, the metadata service of a cloud."""

    @model_validator(mode="after")
    def _usable(self) -> HttpDestination:
        from snowgauge.delivery.sinks.http.plan import Plan

        Plan.of(self)
        return self


class HttpSettings(SinkSettings):
    """HTTP destinations: events as JSON to any address."""

    destinations: dict[str, HttpDestination] = {}
    """Destinations by name, such as `[sinks.http.destinations.crm]` with a `url`; the guide
    "Send events elsewhere" lists
    what each takes. Each follows at its own pace, at least once and in order."""

    @field_validator("destinations")
    @classmethod
    def _names(cls, destinations: dict[str, HttpDestination]) -> dict[str, HttpDestination]:
        for name in destinations:
            if not _NAME.fullmatch(name):
                raise ValueError(f"a destination's name is lower-case letters, digits, - and _, found {name[:60]!r}")
        return destinations

    def open(self, name: str, data_dir: Path) -> Mapping[str, Sink]:  # noqa: ARG002 - nothing of it is kept here
        from snowgauge.delivery.sinks.http.sink import opened

        return {f"{name}.{one}": opened(destination) for one, destination in self.destinations.items()}
