"""The console's API, open to programs with a key: one router per subject."""
