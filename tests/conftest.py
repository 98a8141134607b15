"""Fixtures that every part's tests share."""

from hypothesis import settings

# a loaded machine is slow, which says nothing about the code
settings.register_profile("snowgauge", deadline=None)
settings.load_profile("snowgauge")
