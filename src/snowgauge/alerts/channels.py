"""Where messages go, and when they may arrive."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator

from snowgauge.alerts.rules import Id, Name, Severity
from snowgauge.errors import ActionRefused
from snowgauge.part_settings import PartSettings, Secret

ChannelKind = Literal["webhook", "slack", "teams", "email"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"
_ADDRESS = r"^[^\s@<>,;:\"\\]+@[^\s@<>,;:\"\\]+$"


class Window(PartSettings):
    """Hours in which nobody wants to be disturbed; one that ends before it begins goes over midnight."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = DAYS
    """Days on which it begins."""
    start: str = Field(default="22:00", pattern=_TIME)
    end: str = Field(default="07:00", pattern=_TIME)

    @model_validator(mode="after")
    def _some_length(self) -> Window:
        if self.start == self.end:
            raise ValueError(f"quiet hours from {self.start} to {self.end} have no length")
        return self


class QuietHours(PartSettings):
    zone: str = "UTC"
    windows: Annotated[tuple[Window, ...], Field(max_length=5)] = ()
    critical_passes: bool = True
    """Messages of critical alerts come all the same."""

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is no time zone: write one such as Europe/Berlin or UTC")
        return value

    def until(self, at: int, severity: Severity) -> int | None:
        """When a message of this severity may go out, if not ``at`` (ms)."""
        if not self.windows or (severity == "critical" and self.critical_passes):
            return None
        end = at
        for _ in range(len(self.windows) + 1):  # windows may follow one another
            ends = [stop for window in self.windows if (stop := self._inside(window, end)) is not None]
            if not ends:
                break
            end = max(ends)
        return end if end > at else None

    def _inside(self, window: Window, at: int) -> int | None:
        zone = ZoneInfo(self.zone)
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            if DAYS[day.weekday()] not in window.days:
                continue
            start, end = time.fromisoformat(window.start), time.fromisoformat(window.end)
            first = datetime.combine(day, start, zone)
            last = datetime.combine(day + timedelta(days=end <= start), end, zone)
            begun, ended = round(first.timestamp() * 1000), round(last.timestamp() * 1000)
            if begun <= at < ended:
                return ended
        return None


class Channel(PartSettings):
    """One place that messages go to. ``url`` and ``secret`` are kept sealed."""

    id: Id
    name: Name
    kind: ChannelKind
    enabled: bool = True
    url: Secret = Secret("")
    """Of webhook, slack and teams: where to POST."""
    secret: Secret = Secret("")
    """Of webhook: the key that messages are signed with."""
    to: Annotated[tuple[Annotated[str, Field(max_length=254, pattern=_ADDRESS)], ...], Field(max_length=50)] = ()
    """Of email: addresses."""
    quiet: QuietHours = QuietHours()
    off_because: str = Field(default="", max_length=500)
    """Why it was switched off without anyone asking."""

    @field_validator("name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("the name holds control characters")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Channel:
        address = self.url.get_secret_value()
        if self.kind == "email":
            if not self.to:
                raise ValueError("a channel of kind email needs `to`, the addresses")
            if address:
                raise ValueError("a channel of kind email has no `url`")
            return self
        if self.to:
            raise ValueError(f"a channel of kind {self.kind} has no `to`")
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or len(address) > 2000:
            raise ValueError(f"a channel of kind {self.kind} needs `url`, an address that begins with https://")
        return self

    @property
    def shown_address(self) -> str:
        """Where it goes, without what is secret of it."""
        if self.kind == "email":
            return ", ".join(self.to)
        return f"{urlsplit(self.url.get_secret_value()).hostname}/…"


def read_channel(values: Any) -> Channel:
    """Raises ``ActionRefused``, which never repeats a secret."""
    try:
        return Channel.model_validate(values)
    except ValidationError as raised:
        told = [
            f"{'.'.join(str(part) for part in error['loc']) or 'channel'}: {error['msg']}"
            for error in raised.errors(include_url=False, include_input=False)[:5]
        ]
        raise ActionRefused("; ".join(told), status=422) from None
