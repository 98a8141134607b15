"""What test suites ask of Snowplow Micro: which events came, what became of them, and a clean start."""
