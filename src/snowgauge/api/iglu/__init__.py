"""Iglu Server's HTTP API over the deployment's own registry of schemas."""
