"""Drafts of schemas: numbered texts that are checked by nobody (Iglu Server 0.14 never finished them)."""

from __future__ import annotations

from typing import Any

import orjson

from snowgauge.actions.registry.database import RegistryDatabase
from snowgauge.actions.registry.keys import Permission

Place = tuple[str, str, str, int]
"""Vendor, name, format, number."""


class Drafts:
    def __init__(self, database: RegistryDatabase) -> None:
        self._database = database

    def all(self, who: Permission) -> list[dict[str, Any]]:
        """Every draft that ``who`` may see."""
        with self._database.reading() as rows:
            found = rows.execute("SELECT vendor, is_public, body FROM drafts ORDER BY created_at, rowid").fetchall()
        return [orjson.loads(body) for vendor, public, body in found if public or who.may_read(vendor)]

    def find(self, place: Place, who: Permission) -> dict[str, Any] | None:
        with self._database.reading() as rows:
            found = rows.execute(
                "SELECT is_public, body FROM drafts WHERE (vendor, name, format, version) = (?, ?, ?, ?)", place
            ).fetchone()
        if found is None or not (found[0] or who.may_read(place[0])):
            return None
        body: dict[str, Any] = orjson.loads(found[1])
        return body

    def keep(self, place: Place, body: dict[str, Any], *, is_public: bool, at: int) -> None:
        with self._database.writing() as rows:
            rows.execute(
                "INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*place, orjson.dumps(body).decode(), at, is_public),
            )
