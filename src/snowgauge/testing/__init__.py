"""Factories, clocks and contract suites; shipped, for authors of plug-ins too."""
