"""Which batch, and which of its records, was being enriched: written so that a death of the process can be laid at
the door of one record.

A record that crashes the interpreter (a fault in a native library, the out-of-memory killer) would otherwise do so for
ever. After a first death in a batch its records are noted one by one; a record that was under way at two further
deaths is set aside as a failed event, with its bytes.
"""

from __future__ import annotations

import json
from pathlib import Path

from snowgauge.telemetry.logs import logger

log = logger("pipeline")

_DEATHS_OF_A_RECORD = 2


class Attempts:
    """Notes of one worker. They need not survive a power cut, only the death of the process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._batch = ""
        self._deaths: dict[int, int] = {}
        self.careful = False
        """True when the batch killed the process before: note each record."""

    def begin(self, batch_id: str) -> None:
        """Start (again) with a batch; reads what an earlier process left about it."""
        self._batch, self._deaths, self.careful = batch_id, {}, False
        try:
            left = json.loads(self._file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            left = {}
        if left.get("batch") == batch_id:
            self.careful = True
            self._deaths = {int(key): count for key, count in left["deaths"].items()}
            if left["record"] is not None:
                index = int(left["record"])
                self._deaths[index] = self._deaths.get(index, 0) + 1
        self._write(None)

    def poisonous(self, index: int) -> bool:
        """Was this record under way at too many deaths?"""
        return self._deaths.get(index, 0) >= _DEATHS_OF_A_RECORD

    def record(self, index: int) -> None:
        """This record comes next. Only needed when ``careful``."""
        self._write(index)

    def end(self) -> None:
        """The batch is through."""
        self._file.unlink(missing_ok=True)

    def _write(self, index: int | None) -> None:
        note = json.dumps({"batch": self._batch, "record": index, "deaths": self._deaths})
        try:
            self._file.write_text(note, "utf-8")
        except OSError as error:  # a full disk must not end the process that would empty it
            log.warning(
                "attempt_not_noted", reason=str(error), effect="a death of this process now is not laid to a record"
            )
