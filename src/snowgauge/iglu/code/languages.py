"""The languages that code is written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from snowgauge.iglu.code import kotlin, python, swift, typescript
from snowgauge.iglu.code.types import Schemas

Language = Literal["typescript", "python", "kotlin", "swift"]
WRITERS: Mapping[Language, Callable[[Schemas], str]] = {
    "typescript": typescript.write, "python": python.write, "kotlin": kotlin.write, "swift": swift.write,
}  # fmt: skip
