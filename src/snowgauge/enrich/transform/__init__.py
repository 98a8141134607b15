"""Tracker parameters to columns of the canonical event."""
