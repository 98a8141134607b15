"""Decides which requests may come in at all: their host, their scheme, their number."""
