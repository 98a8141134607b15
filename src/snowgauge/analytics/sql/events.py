"""What is read of ``atomic.events``: the time of an event and its visit, as the modelled tables have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.sql.expressions import Earlier, FirstValue, PropertyValues
from snowgauge.store.nested import NestedColumn

_SESSION = NestedColumn(True, "com.snowplowanalytics.snowplow", "client_session", 1, ("sessionId",))
_USER = NestedColumn(True, "com.snowplowanalytics.snowplow", "client_session", 1, ("userId",))
_NIL = "00000000-0000-0000-0000-000000000000"


def event_time(events: sa.FromClause) -> sa.ColumnElement[Any]:
    """``derived_tstamp``, else ``collector_tstamp``; the latter, too, where the former is unbelievable."""
    return Earlier(events.c["derived_tstamp"], events.c["collector_tstamp"])


def event_session(events: sa.FromClause) -> sa.ColumnElement[str]:
    """``domain_sessionid``, else that of the client_session entity."""
    domain = sa.func.coalesce(events.c["domain_sessionid"], "")
    return sa.case((domain != "", domain), else_=FirstValue(PropertyValues(_SESSION, lambda name: events.c[name])))


def event_visitor(get: Callable[[str], sa.ColumnElement[Any]]) -> sa.ColumnElement[str]:
    """``domain_userid``, else the user of the client_session entity, else ``network_userid``; the nil UUID is none."""
    domain = _known(get("domain_userid"))
    return sa.func.coalesce(
        domain, _known(FirstValue(PropertyValues(_USER, get))), _known(get("network_userid")), ""
    )  # fmt: skip


def _known(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.nullif(sa.func.nullif(sa.cast(column, sa.String), ""), _NIL)
