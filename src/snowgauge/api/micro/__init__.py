"""Snowplow Micro's HTTP API."""
