"""Removing what is older than it may be: the plan first, then the deed, by the same rules."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from snowgauge.actions.lifetime.settings import AppRetention, RetentionSettings
from snowgauge.state.documents import Documents
from snowgauge.store.base import EventKind
from snowgauge.store.lifetime import Apps, Lifetime
from snowgauge.telemetry.logs import logger

TableClass = Literal["events", "failed", "incomplete", "raw", "modelled"]
CLASSES: tuple[TableClass, ...] = get_args(TableClass)
_KINDS: dict[TableClass, EventKind] = {"events": "good", "failed": "failed", "incomplete": "incomplete"}
_LAST_DAY = "retention.day"
log = logger("retention")


class Rule(msgspec.Struct, frozen=True):
    """Rows of ``table`` and of these applications that were collected before ``before`` (ms) go."""

    table: TableClass
    apps: Apps
    before: int
    days: float


class Step(msgspec.Struct, frozen=True):
    """What a rule removes: rows (for ``raw``: records), and partitions that go as a whole."""

    rule: Rule
    rows: int
    partitions: list[str]
    files: int = 0


def rules(settings: RetentionSettings, now: datetime) -> list[Rule]:
    """The rules at an instant. An application with times of its own is left out of the general rule."""
    found = []
    for table in CLASSES:
        own = {name: age for name, app in settings.apps.items() if (age := _age(app, table)) is not None}
        general = _age(settings, table)
        if general is not None:
            apps = Apps(tuple(sorted(own)), "but")
            found.append(Rule(table, apps, cutoff(general, now, settings.timezone), _days(general)))
        for age in sorted(set(own.values())):
            names = tuple(sorted(name for name in own if own[name] == age))
            found.append(Rule(table, Apps(names, "only"), cutoff(age, now, settings.timezone), _days(age)))
    return found


def cutoff(age: timedelta, now: datetime, timezone: str) -> int:
    """The midnight (ms) before which data of this age is past: of the day, in that zone, that ``age`` ago was."""
    zone = ZoneInfo(timezone)
    # whole days are counted on the calendar, so that a change of the clock does not move them
    local = now.astimezone(zone).replace(tzinfo=None) - timedelta(days=age.days)
    instant = local.replace(tzinfo=zone).astimezone(UTC) - (age - timedelta(days=age.days))
    midnight = instant.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return round(midnight.timestamp() * 1000)


def plan(lifetime: Lifetime, settings: RetentionSettings, now: datetime, spool: Path | None = None) -> list[Step]:
    """What ``run`` would remove now; changes nothing."""
    steps = []
    for rule in rules(settings, now):
        if rule.table == "raw":
            files = len(list(_damaged(spool, rule)))
            steps.append(Step(rule, lifetime.expired_records(rule.before, rule.apps), [], files))
        elif rule.table == "modelled":
            steps.append(Step(rule, lifetime.expired_modelled(rule.before, rule.apps), []))
        else:
            found = lifetime.expired(_KINDS[rule.table], rule.before, rule.apps)
            steps.append(Step(rule, found.rows, list(found.partitions)))
    return steps


def run(lifetime: Lifetime, settings: RetentionSettings, now: datetime, spool: Path | None = None) -> list[Step]:
    """Remove what is past. Breaking off is harmless: what was left goes the next time."""
    steps = []
    rows = 0
    for rule in rules(settings, now):
        if rule.table == "raw":
            files = list(_damaged(spool, rule))
            for file in files:
                file.unlink(missing_ok=True)
            step = Step(rule, lifetime.expire_records(rule.before, rule.apps), [], len(files))
        elif rule.table == "modelled":
            step = Step(rule, lifetime.expire_modelled(rule.before, rule.apps), [])
        else:
            found = lifetime.expire(_KINDS[rule.table], rule.before, rule.apps)
            step = Step(rule, found.rows, list(found.partitions))
        if step.rows or step.files:
            log.info("retention_removed", table=rule.table, rows=step.rows, partitions=step.partitions)
        rows += step.rows
        steps.append(step)
    if rows:
        lifetime.settle()
    return steps


def _damaged(spool: Path | None, rule: Rule) -> Iterator[Path]:
    """Files of the event log that were set aside, long ago. They belong to no application: the general rule's."""
    folder = None if spool is None else spool / "damaged"
    if folder is None or rule.apps.mode == "only" or not folder.is_dir():
        return
    for file in sorted(folder.iterdir()):
        if file.stat().st_mtime * 1000 < rule.before:
            yield file


def _age(settings: RetentionSettings | AppRetention, table: TableClass) -> timedelta | None:
    found: timedelta | None = getattr(settings, table)
    return settings.events if found is None and table == "modelled" else found


def _days(age: timedelta) -> float:
    return age / timedelta(days=1)


class Daily:
    """When the daily run is due. That it was ``done`` is remembered in a document, so that neither a restart nor
    another machine runs it again."""

    def __init__(self, settings: RetentionSettings, documents: Documents) -> None:
        self._settings = settings
        self._documents = documents

    @property
    def wanted(self) -> bool:
        """Is there anything that ever goes?"""
        return self._settings.daily and bool(rules(self._settings, datetime(2000, 1, 1, tzinfo=UTC)))

    def due(self, now: float | None = None) -> bool:
        """Raises ``StateUnavailable``."""
        local = self._local(now)
        return self.wanted and local.hour >= self._settings.hour and self._last() != local.date().isoformat().encode()

    def done(self, now: float | None = None) -> None:
        """Raises ``StateUnavailable``; the run is made again then."""
        self._documents.put(_LAST_DAY, self._local(now).date().isoformat().encode(), self._last())

    def _last(self) -> bytes | None:
        return self._documents.read(_LAST_DAY)

    def _local(self, now: float | None) -> datetime:
        return datetime.fromtimestamp(time.time() if now is None else now, ZoneInfo(self._settings.timezone))
