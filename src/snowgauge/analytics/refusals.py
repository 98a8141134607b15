"""What is wrong with a question."""

from __future__ import annotations

from snowgauge.errors import ActionRefused


class QuestionRefused(ActionRefused):
    """A question that makes no sense, or cannot be answered as it was meant. ``where``: the place in it."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}" if where else reason, status=422)
        self.where = where
        self.reason = reason
