"""The modelled tables as SQLAlchemy knows them, made from their definitions; and what is read of ``atomic.events``."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from snowgauge.modelling import tables as modelled
from snowgauge.modelling.definition import Table, Type
from snowgauge.modelling.tables import bookkeeping, cohorts

_KINDS: dict[Type, type[sa.types.TypeEngine[Any]] | sa.types.TypeEngine[Any]] = {
    Type.TIME: sa.DateTime,
    Type.TIME_OR_NONE: sa.DateTime,
    Type.DAY: sa.Date,
    Type.DAY_OR_NONE: sa.Date,
    Type.FLAG: sa.Boolean,
    **dict.fromkeys(
        (Type.SMALL, Type.SMALL_OR_NONE, Type.COUNT, Type.COUNT_OR_NONE, Type.INT_OR_NONE, Type.BIG), sa.BigInteger
    ),
    **dict.fromkeys((Type.REAL_OR_NONE, Type.QUANTITY_OR_NONE), sa.Float),
    **dict.fromkeys((Type.MONEY, Type.MONEY_OR_NONE, Type.PRICE_OR_NONE), sa.Numeric(18, 2)),
    **dict.fromkeys((Type.LABELS, Type.TEXTS), sa.ARRAY(sa.String)),
}
"""What is not a text."""

_meta = sa.MetaData(schema="derived")


def _table(definition: Table) -> sa.Table:
    return sa.Table(
        definition.name,
        _meta,
        *(sa.Column(column.name, _KINDS.get(column.type, sa.String)) for column in definition.columns),
    )


SESSIONS = _table(modelled.SESSIONS)
PAGE_VIEWS = _table(modelled.PAGE_VIEWS)
CONVERSIONS = _table(modelled.CONVERSIONS)
WEB_VITALS = _table(modelled.WEB_VITALS)
ECOMMERCE_ACTIONS = _table(modelled.ECOMMERCE_ACTIONS)
APP_ERRORS = _table(modelled.APP_ERRORS)
USERS = _table(modelled.USERS)
EVENT_STATS = _table(modelled.EVENT_STATS)
IMPORTED_DAYS = _table(modelled.IMPORTED_DAYS)
IMPORTS = _table(modelled.IMPORTS)
COHORT_MEMBERS = _table(cohorts.MEMBERS)
MODEL_STATE = _table(bookkeeping.STATE)
