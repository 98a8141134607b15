"""Places beside the store that enriched and failed events go to."""
