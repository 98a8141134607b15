"""Serves the console: a single-page app whose built files lie here."""
