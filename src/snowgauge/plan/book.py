"""What people said about the plan, kept in the store."""

from __future__ import annotations

from snowgauge.modelling.store import Change, ModelStore
from snowgauge.modelling.tables.alerting import PLAN
from snowgauge.plan.catalogue import PlanNote


class PlanBook:
    """Raises ``StoreUnavailable``."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def now(self) -> int:
        return self._store.now()

    def notes(self) -> dict[str, PlanNote]:
        names = ("status", "owner", "description", "changed_by", "at")
        return {row["id"]: PlanNote(**{name: row[name] for name in names}) for row in self._store.all_rows(PLAN)}

    def put(self, note_id: str, status: str, owner: str, description: str, by: str) -> PlanNote:
        now = self._store.now()
        known = self.notes().get(note_id)
        at = max(now, known.at + 1 if known else 0)
        row = {"id": note_id, "status": status, "owner": owner, "description": description, "changed_by": by, "at": at}
        self._store.replace([Change(PLAN, [], [row])], at * 1000)
        return PlanNote(status, owner, description, by, at)
