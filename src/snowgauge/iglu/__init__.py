"""Finds, caches and applies schemas."""
