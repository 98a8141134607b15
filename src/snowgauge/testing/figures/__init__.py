"""Figures computed the slow way, over a small random world: what the answers of every store are held against."""
