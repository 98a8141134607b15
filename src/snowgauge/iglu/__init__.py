"""Schemas: where they are looked up, and whether data agrees with them."""
