"""Sending e-mail through a server that the settings name."""
