"""Configurable enrichments. One file each, found without a list."""
