"""Pages on the collector's port for people and programs that are no trackers. Each is an ASGI application."""
