"""Takes over the rows of a Simple Snowplow (evnt) table."""
