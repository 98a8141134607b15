"""What can be watched, and the alerts that are there from the start."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from snowgauge.errors import ActionRefused
from snowgauge.part_settings import PartSettings

Severity = Literal["info", "warn", "critical"]
Direction = Literal["drop", "spike", "both"]
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
QUARTER_MS = 900_000
HOUR_MS = 3_600_000


class NoEvents(PartSettings):
    """An application that had events in the same hour of each of the last weeks has none now."""

    kind: Literal["no_events"] = "no_events"
    least_per_hour: int = Field(default=50, ge=1)
    """Events in each of those hours."""
    minutes: Literal[15, 30, 60, 120, 240] = 15
    """How long there must be none."""


class Traffic(PartSettings):
    """Views of an hour, of people, beside the same hour of the last four weeks."""

    kind: Literal["traffic"] = "traffic"
    direction: Direction = "both"
    sensitivity: float = Field(default=4, ge=1, le=20)
    """Deviations from what is usual."""
    least_apart: int = Field(default=20, ge=1)
    """Views that it must differ by."""


class EventChange(PartSettings):
    """The same per event name; a name that had events and has none is missing. With ``releases``: a version of the
    application that sends none of an event that other versions send is told, too."""

    kind: Literal["event"] = "event"
    direction: Direction = "drop"
    sensitivity: float = Field(default=4, ge=1, le=20)
    least_apart: int = Field(default=20, ge=1)
    """Events that it must differ by."""
    events: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    """Names of events; none: every event."""
    releases: bool = True


class Measure(PartSettings):
    """The answer to a question of one measure crosses a value."""

    kind: Literal["measure"] = "measure"
    question: dict[str, Any]
    """As for `POST /api/v1/analytics/query`, with one metric and without `date_range`."""
    minutes: Literal[5, 15, 60, 1440] = 60
    """Length of the period that is asked about."""
    comparison: Literal["above", "below", "changes_by"] = "below"
    value: float
    """The value; of `changes_by`: percent, beside the period before."""

    @field_validator("question")
    @classmethod
    def _one_metric(cls, value: dict[str, Any]) -> dict[str, Any]:
        metrics = value.get("metrics")
        if not isinstance(metrics, list) or len(metrics) != 1:
            raise ValueError(f"an alert watches one metric: give `metrics` one name, found {metrics!r:.80}")
        if taken := [name for name in ("date_range", "pagination", "order_by", "include") if name in value]:
            raise ValueError(f"leave out {', '.join(taken)}: the alert asks about its own period")
        if len(value.get("dimensions") or []) > 1:
            raise ValueError("at most one dimension: each of its values is watched for itself")
        return value


class FailedEvents(PartSettings):
    """Many events fail."""

    kind: Literal["failed"] = "failed"
    share: float = Field(default=1, ge=0, le=100)
    """Percent of an application's events that fail."""
    least: int = Field(default=20, ge=1)
    """Failed events that there must be."""


class NewFailure(PartSettings):
    """Events fail for a cause that was not there before."""

    kind: Literal["new_failure"] = "new_failure"
    days: int = Field(default=7, ge=1, le=90)
    """Days without that cause."""


class Drift(PartSettings):
    """What is sent has changed: an open entry of the tracking plan."""

    kind: Literal["drift"] = "drift"
    least: Severity = "warn"
    """Severity from which it is told."""


class Pipeline(PartSettings):
    """A part of the pipeline is not well."""

    kind: Literal["pipeline"] = "pipeline"


class Modelling(PartSettings):
    """The modelled tables are behind, or making them fails."""

    kind: Literal["modelling"] = "modelling"
    minutes: int = Field(default=15, ge=2, le=1440)
    """How far behind."""


Condition = Annotated[
    NoEvents | Traffic | EventChange | Measure | FailedEvents | NewFailure | Drift | Pipeline | Modelling,
    Field(discriminator="kind"),
]


class Rule(PartSettings):
    """One alert. So many checks in a row (``for_checks``) must find it wrong before it fires, and so many find it right
    (``resolve_checks``) before it is resolved."""

    id: Id
    name: Name
    condition: Condition
    enabled: bool = True
    severity: Severity = "warn"
    apps: Annotated[tuple[Annotated[str, Field(max_length=255)], ...], Field(max_length=100)] = ()
    """Applications; none: all of them, each for itself."""
    for_checks: int = Field(default=2, ge=1, le=100)
    resolve_checks: int = Field(default=2, ge=1, le=100)
    remind_hours: int = Field(default=24, ge=0, le=720)
    """Hours between reminders while it fires; 0: none. Alerts of severity info never remind."""
    muted_until: int | None = Field(default=None, ge=0, lt=2**53)
    """Nothing is sent before (ms); what happens is written down."""
    channels: Annotated[tuple[Id, ...], Field(max_length=20)] = ()
    """Where messages go, beside the console."""
    owner: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=2000)
    """What to do, or where that is written."""

    @field_validator("name", "owner", "note")
    @classmethod
    def _one_piece(cls, value: str) -> str:
        if any(ord(char) < 32 and char != "\n" for char in value) or any(
            "\ud800" <= char <= "\udfff" for char in value
        ):
            raise ValueError("the text holds control characters")
        return value

    @model_validator(mode="after")
    def _not_apps(self) -> Rule:
        if self.apps and not about_apps(self.condition):
            raise ValueError(
                f"an alert of kind {self.condition.kind} is about the whole deployment: leave `apps` empty"
            )
        return self

    @property
    def every(self) -> int:
        """Milliseconds between two checks: a check is about the period that ends then."""
        match self.condition:
            case Traffic() | EventChange():
                return HOUR_MS
            case Measure(minutes=minutes):
                return minutes * 60_000
            case Pipeline() | Modelling():
                return 60_000
            case _:
                return QUARTER_MS


def about_apps(condition: Condition) -> bool:
    return not isinstance(condition, Pipeline | Modelling)


def has_past(condition: Condition) -> bool:
    """Can it be said of a period in the past? The others say what is so now."""
    return not isinstance(condition, Pipeline | Modelling | Drift)


def lasts(condition: Condition) -> bool:
    """Does what was found hold on while a check has nothing to compare with? At night nobody knows whether a site that
    fell silent in the evening is back."""
    return isinstance(condition, NoEvents | Traffic | EventChange)


def read_rule(values: Any) -> Rule:
    """Raises ``ActionRefused``, which names the field, what was found and what is expected."""
    try:
        return Rule.model_validate(values)
    except ValidationError as raised:
        told = []
        for error in raised.errors(include_url=False)[:5]:
            place = ".".join(str(part) for part in error["loc"]) or "alert"
            found = "" if error["type"] == "missing" else f", found {error['input']!r:.80}"
            told.append(f"{place}: {error['msg']}{found}")
        raise ActionRefused("; ".join(told), status=422) from None


DEFAULTS: tuple[Rule, ...] = (
    Rule(id="no-events", name="No events", severity="critical", condition=NoEvents()),
    Rule(id="traffic", name="Traffic drops or spikes", condition=Traffic()),
    Rule(id="event-missing", name="An event is missing", condition=EventChange()),
    Rule(id="failed-events", name="Many events fail", condition=FailedEvents()),
    Rule(id="new-failure", name="A new cause of failed events", severity="info", condition=NewFailure(),
         for_checks=1, resolve_checks=1),
    Rule(id="drift", name="What is sent has changed", condition=Drift(), for_checks=1, resolve_checks=1),
    Rule(id="pipeline", name="A part of the pipeline is not well", severity="critical", condition=Pipeline()),
    Rule(id="modelling", name="Modelled tables are behind", condition=Modelling()),
)  # fmt: skip
"""On from the start, without a channel: the console's bell shows them."""
