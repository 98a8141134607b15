"""The base of every part's settings class, and the value types that settings share.

A part defines its settings beside its code as a subclass of :class:`PartSettings`, with a type, a default and a
docstring for each field; the docstrings become the settings reference. Only ``snowgauge.settings`` reads files and
the environment.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

Secret = SecretStr
"""A value that is never printed: ``get_secret_value()`` where it is used, ``**********`` everywhere else."""

_UNITS = {
    "ms": 0.001, "milli": 0.001, "millis": 0.001, "millisecond": 0.001, "milliseconds": 0.001,
    "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400,
    "w": 604800, "week": 604800, "weeks": 604800,
}  # fmt: skip


def parse_duration(value: Any) -> Any:
    """Read ``60 minutes``, ``10s`` or a number of seconds; anything else is left for pydantic to refuse."""
    if isinstance(value, bool):
        raise ValueError("expected a duration such as '60 minutes', found a boolean")
    if isinstance(value, int | float):
        return timedelta(seconds=value)
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*([a-z]*)\s*", value.lower())
        if found and (found[2] or "s") in _UNITS:
            return timedelta(seconds=float(found[1]) * _UNITS[found[2] or "s"])
        raise ValueError(f"expected a duration such as '60 minutes', '10 s' or '365 days', found {value!r}")
    return value


_SIZES = {"": 1, "b": 1, "k": 1000, "kb": 1000, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9,
          "kib": 1024, "mib": 1024**2, "gib": 1024**3}  # fmt: skip


def parse_size(value: Any) -> Any:
    """Read ``2 GiB``, ``500MB`` or a number of bytes."""
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", value.lower())
        if not found or found[2] not in _SIZES:
            raise ValueError(f"expected a size such as '2 GiB' or a number of bytes, found {value!r}")
        return int(float(found[1]) * _SIZES[found[2]])
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A length of time, written as in Snowplow's configuration files: ``60 minutes``, ``365 days``, ``10 seconds``."""

ByteSize = Annotated[int, BeforeValidator(parse_size)]
"""A number of bytes, also written ``2 GiB`` or ``500 MB``."""


class PartSettings(BaseModel):
    """Settings of one part: immutable, unknown keys refused, documented by the docstrings below its fields."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True, populate_by_name=True
    )
