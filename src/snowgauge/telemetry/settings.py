"""Settings of what the system says about itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from snowgauge.part_settings import PartSettings

_Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class LoggingSettings(PartSettings):
    """Log lines, on standard error."""

    level: Annotated[_Level, BeforeValidator(lambda v: v.upper() if isinstance(v, str) else v)] = "INFO"
    """The least important level shown. `INFO` says what finished; per-event detail is `DEBUG`."""

    json_format: bool = False
    """JSON lines instead of text."""
