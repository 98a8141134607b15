"""The value that a report is divided by, as a column of what is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from snowgauge.analytics.dimensions import Dimension
from snowgauge.analytics.sql.bases import Base
from snowgauge.analytics.sql.expressions import FirstValue
from snowgauge.analytics.sql.rows import Columns


def value_of(one: Dimension) -> Callable[[Base, Columns], sa.ColumnElement[Any]]:
    """A text, ``''`` where it is not set or a base's rows have none; of a property with several values the first."""

    def value(base: Base, columns: Columns) -> sa.ColumnElement[Any]:
        found = one.place(base)
        if found is None:
            return sa.literal_column("''")
        home, place = found
        column = place(lambda name: columns(home, name))
        return FirstValue(column) if one.nested is not None else column

    return value
