"""Cohorts: people by what they did and did not do, or by a list of IDs."""
