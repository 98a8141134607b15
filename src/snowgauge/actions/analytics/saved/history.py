"""What each person asked in SQL, kept on this server only: the latest queries, each once."""

from __future__ import annotations

from dataclasses import dataclass

from snowgauge.actions.access.roles import Principal
from snowgauge.actions.analytics.saved.database import SavedDatabase, owner_of

MOST = 100
_LONGEST = 20_000


@dataclass(frozen=True)
class PastQuery:
    """``at`` in ms."""

    sql: str
    at: int


class SqlHistory:
    def __init__(self, database: SavedDatabase) -> None:
        self._database = database

    def listed(self, who: Principal) -> list[PastQuery]:
        """The caller's own, the latest first."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT sql, at FROM sql_history WHERE owner = ? ORDER BY at DESC, rowid DESC", (owner_of(who),)
            ).fetchall()
        return [PastQuery(row["sql"], row["at"]) for row in rows]

    def keep(self, sql: str, who: Principal) -> None:
        """One that is too long to be read again is not kept."""
        if len(sql) > _LONGEST:
            return
        owner = owner_of(who)
        with self._database.writing() as db:
            db.execute("DELETE FROM sql_history WHERE owner = ? AND sql = ?", (owner, sql))
            db.execute(
                "INSERT INTO sql_history VALUES (?, ?, ?, ?)", (owner, who.person_id, sql, self._database.clock())
            )
            db.execute(
                "DELETE FROM sql_history WHERE owner = ? AND rowid NOT IN "
                "(SELECT rowid FROM sql_history WHERE owner = ? ORDER BY at DESC, rowid DESC LIMIT ?)",
                (owner, owner, MOST),
            )

    def clear(self, who: Principal) -> None:
        with self._database.writing() as db:
            db.execute("DELETE FROM sql_history WHERE owner = ?", (owner_of(who),))
