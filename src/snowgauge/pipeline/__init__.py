"""Builds the parts, runs them, stops them: the only place that knows every part."""
