"""One payload to outcomes: adapters, the canonical event, validation, enrichments."""
