"""The processes of a deployment: a module for each, so that each loads what it needs itself, and no more."""
