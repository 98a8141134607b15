"""Alerts of a running system: what fires, what is watched, what was said; and changing that."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from snowgauge.actions import health
from snowgauge.actions.deployment import Deployment
from snowgauge.actions.plan import tracking_plan
from snowgauge.actions.processes import processes
from snowgauge.alerts.book import AlertBook
from snowgauge.alerts.channels import Channel, read_channel
from snowgauge.alerts.counts import Counts, StoredCounts
from snowgauge.alerts.delivering.post import Means
from snowgauge.alerts.delivering.words import Letter
from snowgauge.alerts.life import State
from snowgauge.alerts.message import Message
from snowgauge.alerts.preview import Preview, preview
from snowgauge.alerts.rules import DEFAULTS, Rule, Severity, read_rule
from snowgauge.alerts.sources import DriftSeen, Model, Part, Sources
from snowgauge.analytics.engine import Engine
from snowgauge.analytics.reading import Surroundings, read
from snowgauge.errors import ActionRefused, SnowgaugeError
from snowgauge.modelling.application_book import ApplicationBook
from snowgauge.modelling.applications import settings_for
from snowgauge.modelling.state import ModelState
from snowgauge.modelling.store import HasModelling, ModelStore
from snowgauge.plan.drift import SEVERITIES, DriftEntry

_SECONDS = 30.0
_LEAST_FREE = 0.05
_LAG_SECONDS = 600
_DEFAULT_IDS = frozenset(rule.id for rule in DEFAULTS)


@dataclass(frozen=True)
class AlertState:
    """``status``: pending, firing or unknown. Times are ms."""

    key: str
    status: str
    since: int
    started_at: int | None
    app: str
    summary: str
    value: float | None
    threshold: float | None


@dataclass(frozen=True)
class AlertShown:
    """``status``: the worst of its states; ``ok`` without any. ``built_in``: there from the start. ``evaluated_until``:
    end of the last period checked (ms)."""

    rule: Rule
    status: str
    states: list[AlertState]
    built_in: bool
    evaluated_until: int | None


@dataclass(frozen=True)
class Fires:
    """One thing that fires now."""

    rule_id: str
    name: str
    severity: str
    key: str
    app: str
    summary: str
    started_at: int
    muted: bool


@dataclass(frozen=True)
class ChannelShown:
    """``address`` without what is secret of it; ``signed``: has it a key to sign with?"""

    id: str
    name: str
    kind: str
    enabled: bool
    address: str
    to: list[str]
    signed: bool
    quiet: dict[str, Any]
    off_because: str


@dataclass(frozen=True)
class DeliveryShown:
    """One message on one channel (empty: the console only)."""

    id: str
    channel_id: str
    rule_id: str
    name: str
    severity: str
    said: str
    key: str
    app: str
    summary: str
    at: int
    started_at: int
    resolved_at: int | None
    status: str
    tries: int
    answer: str
    created: int
    next_at: int
    sent_at: int | None


@dataclass(frozen=True)
class Tried:
    """What came of a test message."""

    ok: bool
    answer: str


def model_store(deployment: Deployment) -> ModelStore:
    """Raises ``ActionRefused`` where there are no modelled tables."""
    if not isinstance(deployment.store, HasModelling):
        raise ActionRefused("this store has no modelled tables: use ClickHouse or PostgreSQL", status=404)
    return deployment.store.modelling()


def alert_book(deployment: Deployment) -> AlertBook:
    """Raises ``ActionRefused`` where there are no modelled tables."""
    return AlertBook(model_store(deployment), alert_means(deployment).seal)


def alert_means(deployment: Deployment) -> Means:
    if deployment.alert_means is None:
        raise ActionRefused("this process sends no messages, so it has no alerts", status=404)
    return deployment.alert_means()


def alert_sources(deployment: Deployment) -> Sources:
    """What alerts look at, read new."""
    store = model_store(deployment)
    applications = ApplicationBook(store, deployment.applications_file).applications()
    engine = Engine(deployment.store.figures, seconds=_SECONDS)

    def zone(app: str) -> ZoneInfo:
        return settings_for(applications, app).zone_info

    def model() -> Model:
        progress = ModelState(store).read()
        return Model(progress.until, progress.error)

    def parts() -> list[Part]:
        return _parts(deployment)

    def ask(question: Mapping[str, Any], start: int, end: int) -> Sequence[tuple[str, float | None]]:
        return _ask(engine, question, start, end)

    def drifts() -> Sequence[DriftSeen]:
        found = tracking_plan(deployment).drifts
        return [DriftSeen(one.id, one.app, _severity(one), one.summary) for one in found if one.status == "open"]

    counts = Counts(StoredCounts(deployment.store.figures))
    return Sources(counts, deployment.store, ask, parts, model, drifts, zone)


def _severity(one: DriftEntry) -> Severity:
    return SEVERITIES[one.kind]


def _parts(deployment: Deployment) -> list[Part]:
    found = [Part(part.name, part.ok, part.note) for part in health.check(deployment).parts]
    disk = shutil.disk_usage(deployment.data_dir)
    found.append(Part("disk", disk.free > _LEAST_FREE * disk.total, f"{100 * disk.free / disk.total:.0f} % are free"))
    try:
        oldest = deployment.eventlog.stats().oldest_seconds
    except SnowgaugeError:
        oldest = 0.0  # the part eventlog says what is wrong
    found.append(Part("lag", oldest < _LAG_SECONDS, f"the oldest waiting request is {oldest:.0f} seconds old"))
    gone = processes(deployment.data_dir / "run").gone
    return [*found, *(Part(name, False, "the process is gone") for name in gone)]


def _ask(engine: Engine, question: Mapping[str, Any], start: int, end: int) -> Sequence[tuple[str, float | None]]:
    asked = {**question, "date_range": [_iso(start), _iso(end)], "include": {"coverage": False}}
    answer = engine.ask(read(asked, Surroundings(engine.clock(), earliest=engine.earliest)), asked)
    return [(str(row.dimensions[0] or "") if row.dimensions else "", row.metrics[0]) for row in answer.results]


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def alerts(book: AlertBook) -> list[AlertShown]:
    """All alerts and what holds of each."""
    states, evaluated = book.states(), book.evaluated()
    return [_alert(rule, states.get(rule.id, {}), evaluated.get(rule.id)) for rule in book.rules()]


def alert(book: AlertBook, rule_id: str) -> AlertShown:
    """Raises ``ActionRefused`` for an id that is none."""
    return _alert(book.rule(rule_id), book.states().get(rule_id, {}), book.evaluated().get(rule_id))


def firing(book: AlertBook) -> list[Fires]:
    """What fires now, the worst first, then the newest."""
    now = book.now()
    states = book.states()
    found = []
    for rule in book.rules():
        for key, state in states.get(rule.id, {}).items():
            if rule.enabled and state.fires and state.last is not None:
                muted = rule.muted_until is not None and now < rule.muted_until
                found.append(
                    Fires(
                        rule.id,
                        rule.name,
                        rule.severity,
                        key,
                        state.last.app,
                        state.last.summary,
                        state.started_at,
                        muted,
                    )
                )
    rank = {"critical": 0, "warn": 1, "info": 2}
    return sorted(found, key=lambda one: (rank[one.severity], -one.started_at, one.name, one.key))


def put(book: AlertBook, values: Mapping[str, Any], by: str, rule_id: str | None = None) -> AlertShown:
    """Make an alert (``rule_id`` ``None``), or change one. Raises ``ActionRefused``."""
    if rule_id is not None:
        book.rule(rule_id)
    rule = read_rule({**values, "id": rule_id or f"alert-{uuid.uuid4().hex[:12]}"})
    book.put_rule(rule, by)
    return alert(book, rule.id)


def mute(book: AlertBook, rule_id: str, until: int | None, by: str) -> AlertShown:
    """Send nothing of an alert until then (ms); ``None``: send again."""
    book.put_rule(book.rule(rule_id).model_copy(update={"muted_until": until}), by)
    return alert(book, rule_id)


def remove(book: AlertBook, rule_id: str) -> None:
    """Raises ``ActionRefused`` for one that is there from the start and was never changed."""
    book.remove_rule(rule_id)


def tried_on_history(deployment: Deployment, values: Mapping[str, Any], days: int) -> Preview:
    """How often an alert would have fired. Raises ``ActionRefused``."""
    rule = read_rule({"name": "preview", **values, "id": "preview"})
    return preview(rule, days, model_store(deployment).now(), alert_sources(deployment))


def channels(book: AlertBook) -> list[ChannelShown]:
    return [_channel(one) for one in book.channels()]


def put_channel(book: AlertBook, values: Mapping[str, Any], by: str, channel_id: str | None = None) -> ChannelShown:
    """Make a channel (``channel_id`` ``None``), or change one; secrets that are left out stay. Raises
    ``ActionRefused``."""
    kept: dict[str, Any] = {"off_because": ""}
    if channel_id is not None:
        known = book.channel(channel_id)
        kept |= {"url": known.url, "secret": known.secret}
    given = {name: value for name, value in values.items() if not (name in ("url", "secret") and not value)}
    channel = read_channel({**kept, **given, "id": channel_id or f"channel-{uuid.uuid4().hex[:12]}"})
    book.put_channel(channel, by)
    return _channel(book.channel(channel.id))


def send_test(deployment: Deployment, channel_id: str) -> Tried:
    """Send a test message, now and once."""
    book, means = alert_book(deployment), alert_means(deployment)
    channel = book.channel(channel_id)
    if channel.off_because and not channel.enabled:
        raise ActionRefused(f"the channel is switched off: {channel.off_because}", status=409)
    now = book.now()
    message = Message(
        id=str(uuid.uuid4()), thread=str(uuid.uuid4()), said="test", rule_id="test", name=f"Test of {channel.name}",
        kind="test", severity="info", key="", app="", at=now, since=now, started_at=now, resolved_at=None, value=None,
        threshold=None, expected=None, summary="this is a test; nothing is wrong",
    )  # fmt: skip
    outcome = means.post.send(channel, Letter(message.id, [message], now, means.console))
    return Tried(outcome.what == "sent", outcome.answer)


def deliveries(book: AlertBook, rule_id: str | None, channel_id: str | None, limit: int) -> list[DeliveryShown]:
    """The log of what was said, the newest first. ``channel_id`` empty: what the console shows."""
    found = []
    for one in book.deliveries():
        message = one.message
        if rule_id not in (None, message.rule_id) or channel_id not in (None, one.channel_id):
            continue
        found.append(
            DeliveryShown(
                message.id, one.channel_id, message.rule_id, message.name, message.severity, message.said, message.key,
                message.app, message.summary, message.at, message.started_at, message.resolved_at, one.status,
                one.tries, one.answer, one.created, one.next_at, one.sent_at,
            )
        )  # fmt: skip
        if len(found) == limit:
            break
    return found


def _alert(rule: Rule, states: Mapping[str, State], evaluated: int | None) -> AlertShown:
    shown = [_state(key, state) for key, state in states.items() if state.status != "ok"]
    rank = {"firing": 0, "unknown": 1, "pending": 2}
    shown.sort(key=lambda one: (rank[one.status], one.key))
    status = "off" if not rule.enabled else shown[0].status if shown else "ok"
    return AlertShown(rule, status, shown, rule.id in _DEFAULT_IDS, evaluated)


def _state(key: str, state: State) -> AlertState:
    last = state.last
    return AlertState(
        key,
        state.status,
        state.since,
        state.started_at or None,
        last.app if last else "",
        last.summary if last else "",
        last.value if last else None,
        last.threshold if last else None,
    )


def _channel(one: Channel) -> ChannelShown:
    return ChannelShown(
        one.id, one.name, one.kind, one.enabled, one.shown_address, list(one.to),
        bool(one.secret.get_secret_value()), one.quiet.model_dump(mode="json"), one.off_because,
    )  # fmt: skip
