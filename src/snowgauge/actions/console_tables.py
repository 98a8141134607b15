"""The tables of ``console.sqlite`` that machines share: people, their sessions and keys, the audit log, and what people
save. How many passwords were tried, and from where someone logged in before, stays with each machine."""

from __future__ import annotations

from pathlib import Path

from snowgauge.actions.access.layout import KEYS as ACCESS_KEYS
from snowgauge.actions.access.layout import LAYOUT as ACCESS
from snowgauge.actions.analytics.saved.database import LAYOUT as SAVED
from snowgauge.actions.analytics.saved.database import add_later
from snowgauge.state.tables import SharedTables, Sharing

NAME = "console"
_KEYS = {
    **ACCESS_KEYS,
    "segments": ("id",),
    "annotations": ("id",),
    "cohorts": ("id",),
    "saved_reports": ("id",),
    "dashboards": ("id",),
    "dashboard_tiles": ("dashboard", "id"),
    "shares": ("id",),
    "share_tickets": ("hash",),
    "email_reports": ("id",),
    "spend": ("day", "currency", "app", "channel", "source", "medium", "campaign"),
    "email_sends": ("report", "period", "recipient"),
}


def console_tables(file: Path, sharing: Sharing) -> SharedTables:
    """``file``: this machine's copy."""
    return SharedTables(file, ACCESS + SAVED, _KEYS, sharing, prepare=add_later)
