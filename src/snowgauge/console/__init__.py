"""Serves the console: a single-page app whose built files lie in ``static`` (ignored by git, inside the wheel)."""
