"""Simple Snowplow's tables, as views over the events."""
