"""Checks of what tends to go wrong with a deployment, each with what was found and what to do about it."""
