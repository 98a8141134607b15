"""Plain values: what a payload, an event and a failure are, and how each is written down. No input or output here."""
