"""Every router of the console's API."""

from __future__ import annotations

from snowgauge.api.v1 import access, events, first_run

PREFIX = "/api/v1"
ROUTERS = (first_run.router, events.router, access.router)
