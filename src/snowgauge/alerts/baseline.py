"""What is usual, learned from the same hour of earlier weeks, and how far from it is unusual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

MAD_TO_SIGMA = 1.4826
"""The standard deviation of normal values in median absolute deviations."""


class Band(NamedTuple):
    """What is usual: from ``low`` to ``high`` around ``middle``."""

    low: float
    middle: float
    high: float


def band(history: Sequence[float], *, sensitivity: float = 4, least_share: float = 0.3, least: float = 20) -> Band:
    """The usual range of a count.

    Its half is the largest of ``sensitivity`` deviations (of the median, robust; and of counting itself, whose
    deviation is the root of the count, as four weeks are too few to show it), ``least_share`` of the median, and
    ``least``. Raises ``ValueError`` without history.
    """
    if not history:
        raise ValueError("nothing is usual without history")
    middle = median(history)
    spread = median(abs(value - middle) for value in history)
    half = max(sensitivity * MAD_TO_SIGMA * spread, sensitivity * math.sqrt(middle), least_share * middle, least)
    return Band(max(0.0, middle - half), middle, middle + half)
