"""Every router of the console's API."""

from __future__ import annotations

from snowgauge.api.v1 import (
    access,
    alerts,
    analytics,
    applications,
    dashboards,
    deployments,
    email_reports,
    events,
    failed,
    first_run,
    health,
    invitations,
    plan,
    reports,
    saved,
    saved_reports,
    schemas,
    second_factor,
    shared,
    sinks,
    sql,
    xray,
)

PREFIX = "/api/v1"
ROUTERS = (
    first_run.router,
    analytics.router,
    alerts.router,
    plan.router,
    saved.router,
    saved_reports.router,
    dashboards.router,
    shared.router,
    reports.router,
    email_reports.router,
    events.router,
    failed.router,
    xray.router,
    sql.router,
    schemas.router,
    health.router,
    deployments.router,
    applications.router,
    sinks.router,
    access.router,
    invitations.router,
    second_factor.router,
)
