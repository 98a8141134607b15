"""Actions as JSON for programs."""
