"""Third-party scripts by way of the collector's own host, within strict limits."""
