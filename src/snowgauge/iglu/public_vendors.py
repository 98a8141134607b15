"""Vendors whose schemas others publish: those of Snowplow and of Iglu Central, told by what is bundled."""

from __future__ import annotations

from functools import cache

from snowgauge.iglu.registries.bundled import bundled_registry


@cache
def _prefixes() -> frozenset[str]:
    keys = bundled_registry().keys()
    return frozenset(_prefix(key.vendor) for key in keys)


def _prefix(vendor: str) -> str:
    """The first two labels: ``com.google`` of ``com.google.analytics``."""
    return ".".join(vendor.split(".")[:2])


def is_public(vendor: str) -> bool:
    """Is this one of the vendors of Iglu Central, so that nobody here publishes schemas for it?"""
    return _prefix(vendor) in _prefixes()
