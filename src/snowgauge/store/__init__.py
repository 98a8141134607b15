"""Keeps enriched and failed events and answers questions about them."""
