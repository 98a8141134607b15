"""Typed tracking code from schemas: a shape of the data, and a module that writes it for each language."""
