"""Journeys: what people do next, and what they did before."""
