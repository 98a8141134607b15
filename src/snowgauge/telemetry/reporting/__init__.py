"""Tells error trackers and tracing servers what went wrong and how long things took, and nothing about visitors."""
