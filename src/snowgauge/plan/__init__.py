"""The tracking plan: what is sent, what was meant to be sent, and where the two part."""
