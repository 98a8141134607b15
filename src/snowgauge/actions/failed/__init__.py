"""Failed events: grouped by cause, explained, edited, and replayed into good ones."""
