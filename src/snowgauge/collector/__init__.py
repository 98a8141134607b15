"""HTTP requests to payloads, answering as Snowplow's Stream Collector does."""
