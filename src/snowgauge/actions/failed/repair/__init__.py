"""Repairing a cause: what would help, what it would do, doing it, undoing it, and doing it again from then on."""
