"""Keeps payloads safe between receiving and storing."""
