"""Adapters: one request to one or more tracker events. One file each, found without a list."""
