"""Where the zstd module is."""

from __future__ import annotations

from typing import Any


def zstd() -> Any:
    """The zstd module: of Python from 3.14, before that its backport."""
    try:
        from compression import zstd as module  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd as module
    return module
