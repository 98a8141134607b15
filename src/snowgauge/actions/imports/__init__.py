"""Brings in what was recorded elsewhere: access logs of a hosted pixel, payloads, enriched archives, bad rows."""
