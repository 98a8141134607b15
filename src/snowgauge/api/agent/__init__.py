"""The agent API: how a deployment is doing, in figures, for a console elsewhere."""
