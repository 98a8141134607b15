"""What a check of the doctor says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True)
class Check:
    """``cure`` is empty where there is nothing to do."""

    id: str
    title: str
    status: Status
    found: str
    cure: str = ""
