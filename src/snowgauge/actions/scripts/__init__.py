"""The trackers' JavaScript, served by ourselves: where it comes from, and what it is called."""
