"""The modelled tables, one module each, readable as their specification."""

from snowgauge.modelling.definition import Table
from snowgauge.modelling.tables import (
    alerting,
    app_errors,
    bookkeeping,
    cohorts,
    conversions,
    ecommerce_actions,
    event_stats,
    identities,
    imported,
    page_views,
    sessions,
    touches,
    user_days,
    users,
    view_repeats,
    web_vitals,
)

PAGE_VIEWS = page_views.TABLE
SESSIONS = sessions.TABLE
USERS = users.TABLE
IDENTITIES = identities.TABLE
CONVERSIONS = conversions.TABLE
USER_DAYS = user_days.TABLE
WEB_VITALS = web_vitals.TABLE
ECOMMERCE_ACTIONS = ecommerce_actions.TABLE
APP_ERRORS = app_errors.TABLE
VIEW_REPEATS = view_repeats.TABLE
TOUCHES = touches.TABLE
EVENT_STATS = event_stats.TABLE
IMPORTED_DAYS = imported.DAYS
IMPORTS = imported.IMPORTS

OF_UNITS = (PAGE_VIEWS, SESSIONS, CONVERSIONS, USER_DAYS, WEB_VITALS, ECOMMERCE_ACTIONS, APP_ERRORS, VIEW_REPEATS)
"""Tables made of events, unit by unit."""

ALERTS = (alerting.RULES, alerting.CHANNELS, alerting.STATES, alerting.MESSAGES)
PLAN = (alerting.PLAN,)
IMPORTED = (IMPORTED_DAYS, IMPORTS)
"""What other products left behind."""
COHORTS = (cohorts.MEMBERS,)

BOOKKEEPING = (
    bookkeeping.STATE,
    bookkeeping.DIRTY,
    bookkeeping.QUARANTINE,
    bookkeeping.LEASE,
    bookkeeping.SETTINGS,
    *ALERTS,
    *PLAN,
    IMPORTS,
    *COHORTS,
)

TABLES: tuple[Table, ...] = (*OF_UNITS, USERS, IDENTITIES, EVENT_STATS, TOUCHES, IMPORTED_DAYS, *BOOKKEEPING)
"""All of them; views after the tables that they show."""

MODELLED = tuple(table for table in TABLES if table not in (*ALERTS, *PLAN, *IMPORTED, *COHORTS, VIEW_REPEATS))
"""Those that the modeller writes and keeps its books in."""
