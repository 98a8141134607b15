"""Databases: writing batches of events once, and asking about them."""
