"""Who comes back: retention, lifecycle and stickiness."""
