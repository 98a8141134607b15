"""What the running system says about itself: metrics, structured logs, health."""
