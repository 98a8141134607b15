"""Trends: any events over time."""
