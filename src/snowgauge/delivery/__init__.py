"""Requests that were received and whose outcome is not stored yet, safe on disk."""
