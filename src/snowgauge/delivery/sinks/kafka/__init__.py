"""Streams out: events to topics as Snowplow's enrich writes them."""
