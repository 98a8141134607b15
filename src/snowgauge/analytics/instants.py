"""Instants and periods as answers tell them, and until when everything is counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.answer import PeriodAnswered
from snowgauge.analytics.periods import Period, local
from snowgauge.analytics.sql import tables
from snowgauge.analytics.sql.expressions import EpochMs
from snowgauge.store.figures import Figures


def instant(ms: int, zone: str) -> str:
    """With the offset of the zone, or Z."""
    moment = datetime.fromtimestamp(ms / 1000, UTC) if zone == "UTC" else local(ms, zone)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def answered(period: Period, now: int) -> PeriodAnswered:
    """A period as it is told."""
    return PeriodAnswered(
        instant(period.start, period.zone), instant(period.end, period.zone), period.zone, period.days,
        period.running(now),
    )  # fmt: skip


def modelled_until(figures: Figures, *, seconds: float) -> int | None:
    """What was stored before this instant (ms) is counted."""
    state = tables.MODEL_STATE.alias("state")
    columns: list[sa.ColumnElement[Any]] = [EpochMs(sa.func.min(state.c["modelled_until"])), sa.func.count()]
    asked = sa.select(*columns).where(state.c["table"] == "*")
    until, count = figures.answer(figures.counted(asked, state), seconds=seconds).rows[0]
    return int(until) if count and until else None
