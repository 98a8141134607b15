"""Random UUIDs, made in bulk: asking the system for 16 random bytes each time would cost more than the rest."""

from __future__ import annotations

import os

_BULK = 256
_VARIANT = "89ab"


class RandomUuids:
    """Each call gives a version 4 UUID, lower case. Not for several threads. A forked child must make its own."""

    def __init__(self) -> None:
        self._hex = ""
        self._position = 0

    def __call__(self) -> str:
        start = self._position
        if start >= len(self._hex):
            self._hex = os.urandom(16 * _BULK).hex()
            start = 0
        self._position = start + 32
        digits = self._hex[start : start + 32]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-"
            f"{_VARIANT[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
        )
