"""Settings of how long data is kept, and of how a person is recognised."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic.functional_validators import AfterValidator

from snowgauge.part_settings import Duration, PartSettings


def _positive(value: Duration) -> Duration:
    if value.total_seconds() <= 0:
        raise ValueError("must be longer than nothing: leave it out to keep data indefinitely")
    return value


Age = Annotated[Duration, AfterValidator(_positive)]


class AppRetention(PartSettings):
    """How long data of one application is kept. What is left out is as for all others."""

    events: Age | None = None
    """Good events."""

    failed: Age | None = None
    """Failed events."""

    incomplete: Age | None = None
    """What could be made of failed events."""

    raw: Age | None = None
    """Request records kept with failed events. Without its record a failed event can be read, but not recovered."""

    modelled: Age | None = None
    """Modelled tables. Left out: as the events."""


class RetentionSettings(PartSettings):
    """How long data is kept, by class of tables. Age counts from the time of collection, in whole days of
    `timezone`: on a day, what was collected before the day that long ago goes. Not set: kept indefinitely."""

    events: Age | None = None
    """Good events, such as `395 days`."""

    failed: Age | None = None
    """Failed events."""

    incomplete: Age | None = None
    """What could be made of failed events."""

    raw: Age | None = None
    """Request records kept with failed events, and damaged files set aside by the event log. Without its record a
    failed event can be read, but not recovered."""

    modelled: Age | None = None
    """Modelled tables (visits, page views, goals). Not set: as `events`. With a longer time figures outlast the events
    that they were made of; rows of people among them stay as long, but for those who are erased."""

    apps: dict[str, AppRetention] = Field(default_factory=dict)
    """Other times for some applications, by app id."""

    daily: bool = True
    """Remove what is past once a day, by the first pipeline worker. `false`: only by `snowgauge retention run`."""

    hour: int = Field(default=3, ge=0, le=23)
    """Hour of the day, in `timezone`, after which that happens."""

    timezone: str = "UTC"
    """Time zone whose midnight divides days, such as `Europe/Berlin`."""

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"unknown time zone {value!r}: expected a name such as Europe/Berlin") from None
        return value


class PrivacySettings(PartSettings):
    """Finding and erasing what is held about a person."""

    person_fields: list[str] = Field(default_factory=lambda: ["customerId", "accountId", "memberId", "anonymousId"])
    """Names of properties in entities and self-describing events that hold an id of a person, beside `userId`,
    `domainUserId` and `networkUserId`. Capitals, `_` and `-` make no difference."""
