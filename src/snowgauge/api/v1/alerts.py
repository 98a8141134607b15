"""Alerts: what fires, what is watched, channels, and the log of what was said."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, RootModel

from snowgauge.actions import alerts
from snowgauge.alerts.book import AlertBook
from snowgauge.alerts.channels import Channel
from snowgauge.alerts.preview import DAYS, Preview
from snowgauge.alerts.rules import Rule
from snowgauge.api.doors import Caller, address, needs
from snowgauge.api.v1.parts import Parts, TheDoors

router = APIRouter(prefix="/alerts", tags=["alerts"])


def _but_id(schema: dict[str, Any]) -> None:
    schema["properties"].pop("id", None)
    schema["required"] = [name for name in schema.get("required", ()) if name != "id"]


class AlertValues(RootModel[dict[str, Any]]):
    """An alert, without its id."""

    model_config = ConfigDict(json_schema_extra={"description": "An alert: see the guide to alerts for its fields."})


class AlertTrial(BaseModel):
    """``alert``: as for making one."""

    alert: dict[str, Any]
    days: int = Field(default=DAYS, ge=1, le=90)


class Mute(BaseModel):
    """``until``: ms; ``None``: send again."""

    until: int | None = Field(default=None, ge=0, lt=2**53)


class ChannelValues(BaseModel):
    """A channel, without its id. Secrets that are left out of a change stay as they are."""

    name: str = Field(max_length=200)
    kind: str = Field(max_length=20)
    enabled: bool = True
    url: str = Field(default="", max_length=2000)
    secret: str = Field(default="", max_length=500)
    to: list[str] = Field(default=[], max_length=50)
    quiet: dict[str, Any] = {}


def _book(parts: Parts) -> AlertBook:
    return alerts.alert_book(parts)


Book = Annotated[AlertBook, Depends(_book)]


@router.get("", dependencies=[needs("read:aggregates")])
def listed(book: Book) -> list[alerts.AlertShown]:
    """All alerts and what holds of each."""
    return alerts.alerts(book)


@router.get("/firing", dependencies=[needs("read:aggregates")])
def firing(book: Book) -> list[alerts.Fires]:
    """What fires now, the worst first."""
    return alerts.firing(book)


@router.get("/messages", dependencies=[needs("read:aggregates")])
def messages(
    book: Book,
    alert: Annotated[str | None, Query(max_length=64)] = None,
    channel: Annotated[str | None, Query(max_length=64, description="Empty: what the console shows.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[alerts.DeliveryShown]:
    """What was said, newest first: one line for each message and channel, with what came of it."""
    return alerts.deliveries(book, alert, channel, limit)


@router.post("/preview", dependencies=[needs("read:aggregates")])
def preview(given: AlertTrial, parts: Parts) -> Preview:
    """What an alert would have done over the days that are stored: nothing is sent or kept."""
    return alerts.tried_on_history(parts, given.alert, given.days)


@router.post("", status_code=201, dependencies=[needs("write:alerts")])
def add(given: AlertValues, book: Book, doors: TheDoors, who: Caller, request: Request) -> alerts.AlertShown:
    """Make an alert."""
    made = alerts.put(book, given.root, who.name)
    doors.access.record(who, "add alert", made.rule.name, ip=address(request))
    return made


@router.put("/rules/{alert_id}", dependencies=[needs("write:alerts")])
def change(
    alert_id: str, given: AlertValues, book: Book, doors: TheDoors, who: Caller, request: Request
) -> alerts.AlertShown:
    """Change an alert: all of it at once."""
    made = alerts.put(book, given.root, who.name, alert_id)
    doors.access.record(who, "change alert", made.rule.name, ip=address(request))
    return made


@router.post("/rules/{alert_id}/mute", dependencies=[needs("write:alerts")])
def mute(alert_id: str, given: Mute, book: Book, doors: TheDoors, who: Caller, request: Request) -> alerts.AlertShown:
    """Send nothing of an alert for a time. What happens is written down all the same."""
    made = alerts.mute(book, alert_id, given.until, who.name)
    doors.access.record(who, "mute alert", made.rule.name, ip=address(request))
    return made


@router.delete("/rules/{alert_id}", status_code=204, dependencies=[needs("write:alerts")])
def remove(alert_id: str, book: Book, doors: TheDoors, who: Caller, request: Request) -> None:
    """Remove an alert. One that is there from the start becomes again what it was."""
    alerts.remove(book, alert_id)
    doors.access.record(who, "remove alert", alert_id, ip=address(request))


@router.get("/channels", dependencies=[needs("read:aggregates")])
def channels(book: Book) -> list[alerts.ChannelShown]:
    """Where messages can go, without what is secret of it."""
    return alerts.channels(book)


@router.post("/channels", status_code=201, dependencies=[needs("admin")])
def add_channel(
    given: ChannelValues, book: Book, doors: TheDoors, who: Caller, request: Request
) -> alerts.ChannelShown:
    """Make a channel. This machine will send to its address, so only admins may."""
    made = alerts.put_channel(book, given.model_dump(), who.name)
    doors.access.record(who, "add channel", made.name, made.kind, ip=address(request))
    return made


@router.put("/channels/{channel_id}", dependencies=[needs("admin")])
def change_channel(
    channel_id: str, given: ChannelValues, book: Book, doors: TheDoors, who: Caller, request: Request
) -> alerts.ChannelShown:
    """Change a channel."""
    made = alerts.put_channel(book, given.model_dump(), who.name, channel_id)
    doors.access.record(who, "change channel", made.name, made.kind, ip=address(request))
    return made


@router.delete("/channels/{channel_id}", status_code=204, dependencies=[needs("admin")])
def remove_channel(channel_id: str, book: Book, doors: TheDoors, who: Caller, request: Request) -> None:
    """Remove a channel that no alert sends to."""
    book.remove_channel(channel_id)
    doors.access.record(who, "remove channel", channel_id, ip=address(request))


@router.post("/channels/{channel_id}/test", dependencies=[needs("admin")])
def test(channel_id: str, parts: Parts, doors: TheDoors, who: Caller, request: Request) -> alerts.Tried:
    """Send a test message, and say what came of it."""
    done = alerts.send_test(parts, channel_id)
    doors.access.record(who, "test channel", channel_id, "arrived" if done.ok else "failed", ip=address(request))
    return done


@router.get("/shape", dependencies=[needs("read:aggregates")])
def shape() -> dict[str, Any]:
    """JSON Schema of an alert and of a channel, for forms and programs."""
    found = {"alert": Rule.model_json_schema(), "channel": Channel.model_json_schema()}
    for one in found.values():
        _but_id(one)
    return found
